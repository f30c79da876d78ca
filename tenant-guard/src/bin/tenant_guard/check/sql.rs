//! Files of SQL.

use std::ops::Range;

use tenant_guard::{Guard, split_statements};

use super::comments::{self, Comment};
use super::finding::{OwnRule, Rule};
use super::review::Hit;
use super::source::Source;
use super::sql_text::SqlText;
use super::statement;

/// What was found in a file.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) statements: usize,
    pub(crate) hits: Vec<Hit>,
    pub(crate) comments: Vec<Comment>,
}

/// Checks each statement of a file.
pub(crate) fn check(guard: &Guard, source: &Source) -> Found {
    let pieces = match split_statements(source.text()) {
        Ok(pieces) => pieces,
        Err(error) => {
            let at = error.at();
            return Found {
                hits: vec![unreadable(error.to_string(), at..at + 1)],
                ..Found::default()
            };
        }
    };
    let mut found = Found {
        comments: between(source, &pieces),
        ..Found::default()
    };
    for piece in pieces {
        let sql = SqlText::verbatim(source.slice(piece.clone()), piece.start);
        found.statements += 1;
        found
            .hits
            .extend(statement::check(guard, &sql, vec![piece.start]));
    }
    found
}

/// The comments before each statement, and behind the last.
fn between(source: &Source, pieces: &[Range<usize>]) -> Vec<Comment> {
    let ends = std::iter::once(0).chain(pieces.iter().map(|piece| piece.end));
    let starts = pieces.iter().map(|piece| Some(piece.start));
    ends.zip(starts.chain(std::iter::once(None)))
        .flat_map(|(end, next)| {
            let gap = end..next.unwrap_or(source.text().len());
            comments::in_gap(source, gap, "--", next)
        })
        .collect()
}

/// A file that is not what it should be.
pub(crate) fn unreadable(message: String, range: Range<usize>) -> Hit {
    Hit {
        rule: Rule::Own(OwnRule::Unreadable),
        message,
        hint: "mend the file, or leave it out with --exclude".to_owned(),
        range,
        anchors: Vec::new(),
    }
}
