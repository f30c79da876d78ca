//! From edits to text: bytes are inserted into the statement as written, nothing is printed anew.

use std::ops::Range;

use crate::decide::{Barrier, Edit, Restriction, TenantColumn, TenantValue};
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
    /// The text up to this byte is left out.
    Skip(usize),
}

/// Applies the edits. What stands at the same byte keeps the order of the edits.
pub(crate) fn splice(sql: &str, edits: &[Edit], barrier: Barrier, tenant_param: u32) -> Spliced {
    let parameter = format!("${tenant_param}");
    let mut spliced = Spliced {
        text: String::with_capacity(sql.len() + 64 * edits.len()),
        tenant_param_slots: Vec::new(),
        table_slots: Vec::new(),
    };
    let (mut copied, mut open_table) = (0, None);
    for (at, piece) in sorted_pieces(edits, barrier) {
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
            Piece::Skip(end) => copied = end,
        }
    }
    spliced.text.push_str(sql.get(copied..).unwrap_or_default());
    spliced
}

fn sorted_pieces(edits: &[Edit], barrier: Barrier) -> Vec<(usize, Piece)> {
    let pieces = edits.iter().flat_map(|edit| pieces_of(edit, barrier));
    let mut pieces: Vec<(usize, Piece)> = pieces.collect();
    pieces.sort_by_key(|(at, _)| *at);
    pieces
}

fn pieces_of(edit: &Edit, barrier: Barrier) -> Vec<(usize, Piece)> {
    match edit {
        Edit::Qualify { relation, table } => qualified(relation, table),
        Edit::Derive {
            relation,
            table,
            tenant_column,
        } => {
            let mut pieces = vec![(relation.span.start, text("(SELECT * FROM "))];
            pieces.extend(qualified(relation, table));
            // The alias stands before TABLESAMPLE, and so inside.
            let (end, name) = match relation.sample_end {
                Some(end) => (end, relation.reference_name()),
                None => (relation.span.end, &table.name),
            };
            pieces.push((end, text(" WHERE ")));
            pieces.extend(restriction(end, name, tenant_column, barrier));
            pieces.push((
                end,
                text(if barrier == Barrier::Fence {
                    " OFFSET 0)"
                } else {
                    ")"
                }),
            ));
            if relation.alias.is_none() || relation.sample_end.is_some() {
                let alias = relation.reference_name().quoted();
                pieces.push((end, Piece::Text(format!(" AS {alias}"))));
            }
            pieces
        }
        Edit::Expand {
            relation,
            query,
            edits,
        } => {
            let mut pieces = vec![text("(")];
            pieces.extend(expanded(query, edits, barrier));
            pieces.push(text(")"));
            if relation.alias.is_none() {
                pieces.push(Piece::Text(format!(" AS {}", relation.name.quoted())));
            }
            pieces.push(Piece::Skip(relation.span.end));
            let at = relation.span.start;
            pieces.into_iter().map(|piece| (at, piece)).collect()
        }
        Edit::Condition { site, restrictions } => condition(site, restrictions, barrier),
        Edit::SelectStar { keyword } => vec![
            (keyword.start, text("SELECT * FROM")),
            (keyword.start, Piece::Skip(keyword.end)),
        ],
        Edit::InsertColumn { at, tenant_column } => {
            vec![(*at, Piece::Text(format!(", {}", tenant_column.quoted())))]
        }
        Edit::InsertColumns {
            at,
            columns,
            tenant_column,
        } => {
            let all = columns.iter().chain([tenant_column]);
            let all: Vec<String> = all.map(|column| column.quoted().to_string()).collect();
            vec![(*at, Piece::Text(format!(" ({})", all.join(", "))))]
        }
        Edit::InsertValue { at, value } => vec![(*at, text(", ")), (*at, tenant(value))],
        Edit::InsertOutput { at, tenant_type } => vec![
            (*at, text(", ")),
            (*at, Piece::Tenant),
            (*at, Piece::Text(format!("::{tenant_type}"))),
        ],
        Edit::DefaultValues {
            words,
            tenant_column,
            value,
        } => {
            let columns = format!("({}) VALUES (", tenant_column.quoted());
            vec![
                (words.start, Piece::Text(columns)),
                (words.start, tenant(value)),
                (words.start, text(")")),
                (words.start, Piece::Skip(words.end)),
            ]
        }
    }
}

fn tenant(value: &TenantValue) -> Piece {
    match value {
        TenantValue::Param => Piece::Tenant,
        TenantValue::Column(column) => Piece::Text(column_name(column)),
    }
}

fn column_name(column: &TenantColumn) -> String {
    format!("{}.{}", column.qualifier.quoted(), column.name.quoted())
}

/// All restrictions, before the condition that was written where there is one.
fn condition(
    site: &ConditionSite,
    restrictions: &[Restriction],
    barrier: Barrier,
) -> Vec<(usize, Piece)> {
    let (at, word) = match site {
        ConditionSite::Existing(span) => (span.start, ""),
        ConditionSite::Missing(at) => (*at, " WHERE "),
        ConditionSite::MissingAnd(at) => (*at, " AND "),
    };
    let mut pieces = vec![(at, text(word))];
    for (index, one) in restrictions.iter().enumerate() {
        if index > 0 {
            pieces.push((at, text(" AND ")));
        }
        pieces.extend(restriction(at, &one.qualifier, &one.tenant_column, barrier));
        if let Some(column) = &one.equal_to {
            let (qualifier, name) = (one.qualifier.quoted(), one.tenant_column.quoted());
            let equal = format!(" AND {qualifier}.{name} = {}", column_name(column));
            pieces.push((at, Piece::Text(equal)));
        }
    }
    if let ConditionSite::Existing(span) = site {
        pieces.push((at, text(" AND (")));
        pieces.push((span.end, text(")")));
    }
    pieces
}

/// A view's query with its edits, in pieces that follow each other.
fn expanded(query: &str, edits: &[Edit], barrier: Barrier) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut copied = 0;
    for (at, piece) in sorted_pieces(edits, barrier) {
        pieces.push(text(query.get(copied..at).unwrap_or_default()));
        copied = at;
        match piece {
            Piece::Skip(end) => copied = end,
            piece => pieces.push(piece),
        }
    }
    pieces.push(text(query.get(copied..).unwrap_or_default()));
    pieces
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
fn restriction(
    at: usize,
    qualifier: &Ident,
    column: &Ident,
    barrier: Barrier,
) -> Vec<(usize, Piece)> {
    let column = format!("{}.{}", qualifier.quoted(), column.quoted());
    let mut pieces = vec![
        (at, Piece::Text(format!("{column} = "))),
        (at, Piece::Tenant),
    ];
    if barrier != Barrier::None {
        pieces.push((at, Piece::Text(format!(" AND {column} = ANY(ARRAY["))));
        pieces.push((at, Piece::Tenant));
        pieces.push((at, text("])")));
    }
    pieces
}

fn text(text: &str) -> Piece {
    Piece::Text(text.to_owned())
}
