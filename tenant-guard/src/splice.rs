//! From edits to text: bytes are inserted into the statement as written, nothing is printed anew.

use std::ops::Range;

use crate::decide::Edit;
use crate::facts::{ConditionSite, Relation};
use crate::{Ident, TableName, TableSlot};

/// The new text and its slots.
#[derive(Debug)]
pub(crate) struct Spliced {
    pub(crate) text: String,
    pub(crate) tenant_param_slots: Vec<Range<usize>>,
    pub(crate) table_slots: Vec<TableSlot>,
}

/// Something that goes in at one byte.
#[derive(Debug)]
enum Piece {
    Text(String),
    /// The tenant's parameter.
    Tenant,
    /// The name of a table begins here, with what is inserted next.
    TableStart(TableName),
    TableEnd,
}

/// Applies the edits. What stands at the same byte keeps the order of the edits.
pub(crate) fn splice(sql: &str, edits: &[Edit], tenant_param: u32) -> Spliced {
    let mut pieces: Vec<(usize, Piece)> = edits.iter().flat_map(pieces_of).collect();
    pieces.sort_by_key(|(at, _)| *at);

    let parameter = format!("${tenant_param}");
    let mut spliced = Spliced {
        text: String::with_capacity(sql.len() + 64 * edits.len()),
        tenant_param_slots: Vec::new(),
        table_slots: Vec::new(),
    };
    let (mut copied, mut open_table) = (0, None);
    for (at, piece) in pieces {
        spliced
            .text
            .push_str(sql.get(copied..at).unwrap_or_default());
        copied = at;
        let start = spliced.text.len();
        match piece {
            Piece::Text(text) => spliced.text.push_str(&text),
            Piece::Tenant => {
                spliced.text.push_str(&parameter);
                spliced.tenant_param_slots.push(start..spliced.text.len());
            }
            Piece::TableStart(table) => open_table = Some((start, table)),
            Piece::TableEnd => {
                if let Some((start, table)) = open_table.take() {
                    spliced.table_slots.push(TableSlot {
                        range: start..spliced.text.len(),
                        table,
                    });
                }
            }
        }
    }
    spliced.text.push_str(sql.get(copied..).unwrap_or_default());
    spliced
}

fn pieces_of(edit: &Edit) -> Vec<(usize, Piece)> {
    match edit {
        Edit::Qualify { relation, table } => qualified(relation, table),
        Edit::Derive {
            relation,
            table,
            tenant_column,
        } => {
            let mut pieces = vec![(relation.span.start, text("(SELECT * FROM "))];
            pieces.extend(qualified(relation, table));
            let end = relation.span.end;
            pieces.push((
                end,
                Piece::Text(format!(" WHERE {} = ", column(&table.name, tenant_column))),
            ));
            pieces.push((end, Piece::Tenant));
            pieces.push((end, text(")")));
            if relation.alias.is_none() {
                pieces.push((end, Piece::Text(format!(" AS {}", relation.name.quoted()))));
            }
            pieces
        }
        Edit::Condition {
            site,
            qualifier,
            tenant_column,
        } => {
            let condition = column(qualifier, tenant_column);
            match site {
                ConditionSite::Existing(span) => vec![
                    (span.start, Piece::Text(format!("{condition} = "))),
                    (span.start, Piece::Tenant),
                    (span.start, text(" AND (")),
                    (span.end, text(")")),
                ],
                ConditionSite::Missing(at) => vec![
                    (*at, Piece::Text(format!(" WHERE {condition} = "))),
                    (*at, Piece::Tenant),
                ],
            }
        }
        Edit::InsertColumn { at, tenant_column } => {
            vec![(*at, Piece::Text(format!(", {}", tenant_column.quoted())))]
        }
        Edit::InsertValue { at } => vec![(*at, text(", ")), (*at, Piece::Tenant)],
        Edit::InsertOutput { at, tenant_type } => vec![
            (*at, text(", ")),
            (*at, Piece::Tenant),
            (*at, Piece::Text(format!("::{tenant_type}"))),
        ],
    }
}

/// The table's name with its schema, which is inserted where the statement leaves it out.
fn qualified(relation: &Relation, table: &TableName) -> Vec<(usize, Piece)> {
    let start = relation.name_span.start;
    let mut pieces = vec![(start, Piece::TableStart(table.clone()))];
    if relation.schema.is_none() {
        pieces.push((start, Piece::Text(format!("{}.", table.schema.quoted()))));
    }
    pieces.push((relation.name_span.end, Piece::TableEnd));
    pieces
}

fn column(qualifier: &Ident, column: &Ident) -> String {
    format!("{}.{}", qualifier.quoted(), column.quoted())
}

fn text(text: &str) -> Piece {
    Piece::Text(text.to_owned())
}
