//! What this reader says of what it does not read.

use crate::{Code, Refusal};

/// The refusal for a text that may be good, but that is not read without PostgreSQL's own grammar.
pub(super) fn unreadable() -> Refusal {
    unknown("this part of the statement")
}

/// [`unreadable`], for a construct that has a name.
pub(super) fn unknown(what: &str) -> Refusal {
    Refusal::new(
        Code::UnknownSyntax,
        format!("{what} is not read without PostgreSQL's own grammar"),
        "write it in a plainer way, or use `Guard::check`, which the feature pg-grammar has",
    )
}
