//! Finding the places where text can be added.

use pg_query::protobuf::Token as Kind;

use crate::Refusal;
use crate::facts::ConditionSite;

use super::tokens::Tokens;

/// The place for a condition in a `SELECT`, `UPDATE` or `DELETE`: the `WHERE` behind this byte,
/// which is that of its first table, of its target or of its `FROM`.
pub(super) fn condition_site(tokens: &Tokens, behind: usize) -> Result<ConditionSite, Refusal> {
    let start = tokens.index_behind(behind);
    let end = tokens.find_end(start, |before, kind| {
        kind == Kind::Where || ends_clause(before, kind)
    });
    if tokens.kind(end) != Some(Kind::Where) {
        return Ok(ConditionSite::Missing(tokens.end_before(end)?));
    }
    let first = tokens.span(end + 1)?.start;
    let behind = tokens.find_end(end + 1, ends_clause);
    Ok(ConditionSite::Existing(first..tokens.end_before(behind)?))
}

/// The byte behind the select list whose first token is at `start`.
pub(super) fn outputs_end(tokens: &Tokens, start: usize) -> Result<usize, Refusal> {
    let end = tokens.find_end(start, |before, kind| {
        let from = kind == Kind::From && before != Some(Kind::Distinct);
        // The ON of `INSERT … SELECT … ON CONFLICT`.
        from || matches!(kind, Kind::Where | Kind::Into | Kind::On) || ends_clause(before, kind)
    });
    tokens.end_before(end)
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
