//! Small helpers over libpg_query's nodes.

use pg_query::NodeEnum;
use pg_query::protobuf::Node;

use crate::{Code, Ident, Refusal};

use super::tokens::position;

/// The text of a `String` node.
pub(super) fn text(node: &Node) -> Option<&str> {
    match &node.node {
        Some(NodeEnum::String(string)) => Some(&string.sval),
        _ => None,
    }
}

/// All names of a list of `String` nodes.
pub(super) fn names(nodes: &[Node]) -> Result<Vec<Ident>, Refusal> {
    nodes
        .iter()
        .map(|node| {
            text(node)
                .map(Ident::from)
                .ok_or_else(|| unknown("this list of names"))
        })
        .collect()
}

/// The refusal for a construct that is not known.
pub(super) fn unknown(what: &str) -> Refusal {
    Refusal::new(
        Code::UnknownSyntax,
        format!("{what} is not known to be safe"),
        "write the statement without it, or run it with `unscoped` if it is not a tenant's",
    )
}

/// [`unknown`] with the place.
pub(super) fn unknown_at(what: &str, location: i32) -> Refusal {
    let start = position(location);
    if start == usize::MAX {
        unknown(what)
    } else {
        unknown(what).at(start..start + 1)
    }
}

/// Refuses when something is there that is not known.
pub(super) fn absent(is_absent: bool, what: &str) -> Result<(), Refusal> {
    if is_absent {
        Ok(())
    } else {
        Err(unknown(what))
    }
}
