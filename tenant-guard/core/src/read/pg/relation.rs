//! Names of tables and where they stand.

use pg_query::protobuf::{Alias as PgAlias, RangeVar, Token as Kind};

use crate::facts::{Alias, Relation};
use crate::{Code, Ident, Refusal};

use super::nodes::names;
use super::tokens::{Tokens, lost};

/// Reads a table's name, with the bytes it takes in the text.
pub(super) fn relation(range_var: &RangeVar, tokens: &Tokens) -> Result<Relation, Refusal> {
    let RangeVar {
        catalogname,
        schemaname,
        relname,
        inh,
        relpersistence,
        alias: pg_alias,
        location,
    } = range_var;
    let first = tokens.index_at(*location)?;
    let last = last_of_name(tokens, first);
    let name_span = tokens.span(first)?.start..tokens.span(last)?.end;
    if !catalogname.is_empty() {
        return Err(Refusal::new(
            Code::UnknownTable,
            "a table is named with its database",
            "leave the database out: only the one that is connected to can be named",
        )
        .at(name_span));
    }
    if relpersistence != "p" {
        return Err(lost(name_span));
    }
    let (outer_first, outer_last) = if *inh {
        (first, last)
    } else {
        only(tokens, first, last)?
    };
    let outer_last = if tokens.kind(outer_last + 1) == Some(Kind::Ascii42) {
        outer_last + 1
    } else {
        outer_last
    };
    let table_keyword = match outer_first.checked_sub(1) {
        Some(before) if tokens.kind(before) == Some(Kind::Table) => Some(tokens.span(before)?),
        _ => None,
    };
    Ok(Relation {
        schema: (!schemaname.is_empty()).then(|| Ident::from(schemaname.as_str())),
        name: Ident::from(relname.as_str()),
        span: tokens.span(outer_first)?.start..tokens.span(outer_last)?.end,
        name_span,
        alias: alias(pg_alias.as_ref())?,
        table_keyword,
        sample_end: None,
    })
}

/// Reads an alias with its column names.
pub(super) fn alias(pg_alias: Option<&PgAlias>) -> Result<Option<Alias>, Refusal> {
    pg_alias
        .map(
            |PgAlias {
                 aliasname,
                 colnames,
             }| {
                Ok(Alias {
                    name: Ident::from(aliasname.as_str()),
                    columns: names(colnames)?,
                })
            },
        )
        .transpose()
}

/// The last token of a dotted name that starts at `first`. A part may be followed by its `UESCAPE`.
fn last_of_name(tokens: &Tokens, first: usize) -> usize {
    let mut last = first;
    loop {
        if tokens.kind(last + 1) == Some(Kind::Uescape) {
            last += 2;
        }
        if tokens.kind(last + 1) != Some(Kind::Ascii46) {
            return last;
        }
        last += 2;
    }
}

/// The tokens of `ONLY name` or `ONLY (name)`.
fn only(tokens: &Tokens, first: usize, last: usize) -> Result<(usize, usize), Refusal> {
    let parenthesized = tokens.kind_before(first) == Some(Kind::Ascii40)
        && tokens.kind(last + 1) == Some(Kind::Ascii41);
    let (first, last) = if parenthesized {
        (first - 1, last + 1)
    } else {
        (first, last)
    };
    match tokens.kind_before(first) {
        Some(Kind::Only) => Ok((first - 1, last)),
        _ => Err(lost(tokens.span(first)?)),
    }
}
