//! Names in expressions: of columns, functions, types and operators.

use pg_query::NodeEnum;
use pg_query::protobuf::{AStar, ColumnRef, Node, TypeName};

use crate::facts::{ColumnName, QualifiedName, Span};
use crate::{Ident, Refusal};

use super::nodes::{absent, names, text, unknown, unknown_at};
use super::statement::Reader;
use super::tokens::position;

impl Reader<'_> {
    pub(super) fn column(&self, column: &ColumnRef) -> Result<ColumnName, Refusal> {
        let ColumnRef { fields, location } = column;
        let (last, qualifiers) = fields
            .split_last()
            .ok_or_else(|| unknown_at("this reference", *location))?;
        let name = match &last.node {
            Some(NodeEnum::String(name)) => Some(Ident::from(name.sval.as_str())),
            Some(NodeEnum::AStar(AStar {})) => None,
            _ => return Err(unknown_at("this reference", *location)),
        };
        let mut qualifiers = names(qualifiers)?;
        if qualifiers.len() > 2 {
            return Err(unknown_at("a column named with its database", *location));
        }
        let span = self.column_span(*location, qualifiers.len());
        let qualifier = qualifiers.pop();
        Ok(ColumnName {
            schema: qualifiers.pop(),
            qualifier,
            name,
            span,
        })
    }

    /// The bytes of a dotted name; none where the grammar made the name up (`TABLE t`).
    fn column_span(&self, location: i32, qualifiers: usize) -> Span {
        let last = self.tokens.index_at(location).ok();
        let last = last.and_then(|first| self.tokens.get(first + 2 * qualifiers));
        last.map_or(0..0, |last| position(location)..last.span.end)
    }
}

/// A type, with modifiers that are constants.
pub(super) fn read_type(name: &TypeName, span: Span) -> Result<QualifiedName, Refusal> {
    let TypeName {
        names,
        type_oid,
        setof,
        pct_type,
        typmods,
        typemod: _,
        array_bounds,
        location,
    } = name;
    absent(*type_oid == 0 && !setof && !pct_type, "this type")?;
    // Modifiers and bounds are constants; anything else would be an expression that nobody reads.
    let constant =
        |node: &Node| matches!(node.node, Some(NodeEnum::AConst(_) | NodeEnum::Integer(_)));
    absent(
        typmods.iter().chain(array_bounds).all(constant),
        "a type whose modifier is no constant",
    )?;
    let start = position(*location);
    qualified(
        names,
        if start == usize::MAX {
            span
        } else {
            start..start + 1
        },
    )
}

/// A function's, type's or operator's name: at most schema and name.
pub(super) fn qualified(parts: &[Node], span: Span) -> Result<QualifiedName, Refusal> {
    let parts: Option<Vec<&str>> = parts.iter().map(text).collect();
    match parts.as_deref() {
        Some([name]) => Ok(QualifiedName {
            schema: None,
            name: (*name).into(),
            span,
        }),
        Some([schema, name]) => Ok(QualifiedName {
            schema: Some((*schema).into()),
            name: (*name).into(),
            span,
        }),
        _ => Err(unknown("a name of this many parts").at(span)),
    }
}

/// One byte at a location, or nothing where the location is not known.
pub(super) fn into_span(location: i32) -> Span {
    match position(location) {
        usize::MAX => 0..0,
        start => start..start + 1,
    }
}
