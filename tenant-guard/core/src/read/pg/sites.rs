//! Finding the places where text can be added.

use pg_query::protobuf::Token as Kind;

use crate::Refusal;
use crate::facts::ConditionSite;

use super::tokens::Tokens;

/// The place for a condition in a `SELECT`, `UPDATE` or `DELETE`: the `WHERE` behind this byte,
/// which is that of its first table, of its target or of its `FROM`.
pub(super) fn condition_site(tokens: &Tokens, behind: usize) -> Result<ConditionSite, Refusal> {
    let ends = |index, kind| ends_clause(tokens.kind_before(index), kind);
    let start = tokens.index_behind(behind);
    let end = tokens.find_end(start, |index, kind| {
        // The ON of `INSERT … SELECT … FROM table ON CONFLICT`.
        let conflict = kind == Kind::On && tokens.kind(index + 1) == Some(Kind::Conflict);
        kind == Kind::Where || conflict || ends(index, kind)
    });
    if tokens.kind(end) != Some(Kind::Where) {
        return Ok(ConditionSite::Missing(tokens.end_before(end)?));
    }
    let first = tokens.span(end + 1)?.start;
    let behind = tokens.find_end(end + 1, |index, kind| {
        let conflict = kind == Kind::On && tokens.kind(index + 1) == Some(Kind::Conflict);
        conflict || ends(index, kind)
    });
    Ok(ConditionSite::Existing(first..tokens.end_before(behind)?))
}

/// The byte behind the select list whose first token is at `start`.
pub(super) fn outputs_end(tokens: &Tokens, start: usize) -> Result<usize, Refusal> {
    let end = tokens.find_end(start, |index, kind| {
        let before = tokens.kind_before(index);
        let compares = before == Some(Kind::Distinct) && is_comparison(tokens, index);
        let from = kind == Kind::From && !compares;
        // The ON of `INSERT … SELECT … ON CONFLICT`.
        from || matches!(kind, Kind::Where | Kind::Into | Kind::On) || ends_clause(before, kind)
    });
    tokens.end_before(end)
}

/// Whether the FROM at this index is that of `IS [NOT] DISTINCT FROM`.
fn is_comparison(tokens: &Tokens, from: usize) -> bool {
    let kind = |back: usize| from.checked_sub(back).and_then(|index| tokens.kind(index));
    let is = match kind(2) {
        Some(Kind::Not) => 3,
        _ => 2,
    };
    // `x::is` is a cast, and `x.is` a column.
    kind(is) == Some(Kind::Is) && !matches!(kind(is + 1), Some(Kind::Typecast | Kind::Ascii46))
}

/// Whether a clause's condition or list ends before this token. All of these words are reserved,
/// so that they cannot be a column's name; `WITHIN GROUP` belongs to a function call.
fn ends_clause(before: Option<Kind>, kind: Kind) -> bool {
    match kind {
        Kind::GroupP => before != Some(Kind::Within),
        Kind::Having
        | Kind::Window
        | Kind::Union
        | Kind::Intersect
        | Kind::Except
        | Kind::Order
        | Kind::Limit
        | Kind::Offset
        | Kind::Fetch
        | Kind::For
        | Kind::Returning
        | Kind::Ascii59 => true,
        _ => false,
    }
}
