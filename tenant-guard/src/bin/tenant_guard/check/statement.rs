//! One statement, wherever it stands.

use std::ops::Range;

use tenant_guard::{Guard, split_statements};

use super::finding::Rule;
use super::review::Hit;
use super::sql_text::SqlText;

/// The guard's refusal, at its place in the file.
pub(crate) fn check(guard: &Guard, sql: &SqlText, anchors: Vec<usize>) -> Option<Hit> {
    check_part(guard, sql, 0..sql.text().len(), anchors)
}

/// The refusals of a text that may hold several statements. A text that cannot be cut is left to
/// the guard as a whole, which refuses it.
pub(crate) fn check_script(guard: &Guard, sql: &SqlText, anchors: &[usize]) -> (usize, Vec<Hit>) {
    let Ok(pieces) = split_statements(sql.text()) else {
        return (1, check(guard, sql, anchors.to_vec()).into_iter().collect());
    };
    let count = pieces.len();
    let hits = pieces
        .into_iter()
        .filter_map(|piece| check_part(guard, sql, piece, anchors.to_vec()))
        .collect();
    (count, hits)
}

fn check_part(
    guard: &Guard,
    sql: &SqlText,
    part: Range<usize>,
    anchors: Vec<usize>,
) -> Option<Hit> {
    let text = sql.text().get(part.clone())?;
    let refusal = guard.check(text).err()?;
    let range = match refusal.span() {
        Some(span) => part.start + span.start..part.start + span.end,
        None => trimmed(text, part.start),
    };
    Some(Hit {
        rule: Rule::Refused(refusal.code()),
        message: refusal.message().to_owned(),
        hint: refusal.hint().to_owned(),
        range: sql.locate(range),
        anchors,
    })
}

/// The text without the space around it.
fn trimmed(text: &str, start: usize) -> Range<usize> {
    let begin = start + (text.len() - text.trim_start().len());
    begin..begin + text.trim().len()
}
