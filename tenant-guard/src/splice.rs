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
pub(crate) fn splice(sql: &str, edits: &[Edit], barrier: bool, tenant_param: u32) -> Spliced {
    let pieces = edits.iter().flat_map(|edit| pieces_of(edit, barrier));
    let mut pieces: Vec<(usize, Piece)> = pieces.collect();
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

fn pieces_of(edit: &Edit, barrier: bool) -> Vec<(usize, Piece)> {
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
            pieces.push((end, text(" WHERE ")));
            pieces.extend(restriction(end, &table.name, tenant_column, barrier));
            pieces.push((end, text(")")));
            if relation.alias.is_none() {
                pieces.push((end, Piece::Text(format!(" AS {}", relation.name.quoted()))));
            }
            pieces
        }
        Edit::Condition {
            site: ConditionSite::Existing(span),
            qualifier,
            tenant_column,
        } => {
            let mut pieces = restriction(span.start, qualifier, tenant_column, barrier);
            pieces.push((span.start, text(" AND (")));
            pieces.push((span.end, text(")")));
            pieces
        }
        Edit::Condition {
            site: ConditionSite::Missing(at),
            qualifier,
            tenant_column,
        } => {
            let mut pieces = vec![(*at, text(" WHERE "))];
            pieces.extend(restriction(*at, qualifier, tenant_column, barrier));
            pieces
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

/// `t.tenant = $n`, and with a barrier the same once more in a form that PostgreSQL takes for half
/// as expensive as any operator, so that it is evaluated before what the user wrote.
fn restriction(at: usize, qualifier: &Ident, column: &Ident, barrier: bool) -> Vec<(usize, Piece)> {
    let column = format!("{}.{}", qualifier.quoted(), column.quoted());
    let mut pieces = vec![
        (at, Piece::Text(format!("{column} = "))),
        (at, Piece::Tenant),
    ];
    if barrier {
        pieces.push((at, Piece::Text(format!(" AND {column} = ANY(ARRAY["))));
        pieces.push((at, Piece::Tenant));
        pieces.push((at, text("])")));
    }
    pieces
}

fn text(text: &str) -> Piece {
    Piece::Text(text.to_owned())
}
