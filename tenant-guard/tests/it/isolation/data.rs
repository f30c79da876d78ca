//! Rows: what is in the tables of a schema, for each tenant. It follows from the schema alone.
//!
//! Ids and values collide between tenants on purpose. Text holds a marker of its tenant,
//! `leak_<tenant>_<n>`, so that a leak shows even where results are not compared.

use super::schema::{Column, Kind, Role, Schema, Table, quoted};

/// A tenant by its place: the first two have many rows, the third has none, the fourth one in each
/// table.
pub(crate) const TENANTS: usize = 5;
/// The tenant whose rows have zeros to divide by, and words where others have digits.
pub(crate) const POISON: usize = 4;
/// Rows in a table that is not in the tenancy.
pub(crate) const STRANGER: usize = 9;

/// The tenant's value, as the text of its type.
pub(crate) fn tenant_value(kind: Kind, tenant: usize) -> String {
    match kind {
        Kind::Uuid => format!("0000000{tenant}-aaaa-4000-8000-00000000000a"),
        Kind::Text => ["acme", "Acme", "o'neil", "a%_", "ü\\"][tenant].to_owned(),
        _ => (tenant + 1).to_string(),
    }
}

/// … as a literal in SQL.
pub(crate) fn tenant_literal(kind: Kind, tenant: usize) -> String {
    match kind {
        Kind::Bigint => tenant_value(kind, tenant),
        _ => literal(&tenant_value(kind, tenant)),
    }
}

pub(crate) fn literal(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

pub(crate) fn row_count(tenant: usize) -> usize {
    [9, 7, 0, 1, 6][tenant]
}

/// The statements that fill a tenant's tables, parents first.
pub(crate) fn rows(schema: &Schema, tenant: usize) -> Vec<String> {
    let filled = schema.tenant_tables().filter(|_| row_count(tenant) > 0);
    filled.map(|table| insert(schema, table, tenant)).collect()
}

/// The statements that fill the reference tables.
pub(crate) fn reference_rows(schema: &Schema) -> Vec<String> {
    let references = schema.tables.iter().filter(|table| !table.of_tenants);
    let rows = "('3', 'Germany', 1), ('4', 'Turkey', 2), ('5', NULL, 2)";
    references
        .map(|table| format!("INSERT INTO {} VALUES {rows}", schema.qualified(table)))
        .collect()
}

fn insert(schema: &Schema, table: &Table, tenant: usize) -> String {
    let given = || {
        table
            .columns
            .iter()
            .filter(|column| !matches!(column.role, Role::Generated(_)))
    };
    let names: Vec<String> = given().map(|column| quoted(&column.name)).collect();
    let rows: Vec<String> = (1..=row_count(tenant))
        .map(|row| {
            let values = given()
                .enumerate()
                .map(|(place, column)| value(schema, column, Cell { tenant, row, place }));
            format!("({})", values.collect::<Vec<_>>().join(", "))
        })
        .collect();
    format!(
        "INSERT INTO {} ({}) VALUES {}",
        schema.qualified(table),
        names.join(", "),
        rows.join(", ")
    )
}

#[derive(Clone, Copy)]
struct Cell {
    tenant: usize,
    row: usize,
    place: usize,
}

fn value(schema: &Schema, column: &Column, cell: Cell) -> String {
    let Cell { tenant, row, place } = cell;
    match column.role {
        Role::Tenant => return tenant_literal(schema.tenant_kind, tenant),
        Role::Key if column.kind == Kind::Bigint => return row.to_string(),
        Role::Key => return literal(&(row % 3).to_string()),
        Role::Parent(_) if row.is_multiple_of(4) => return "NULL".to_owned(),
        Role::Parent(_) => return (row * 3 % row_count(tenant) + 1).to_string(),
        Role::Plain | Role::Default if (row + place).is_multiple_of(4) => return "NULL".to_owned(),
        Role::Plain | Role::Default | Role::NotNull | Role::Generated(_) => {}
    }
    // A zero or a word, where the tenant is the one that has such.
    let spoilt = tenant == POISON && (row + place).is_multiple_of(3);
    let marker = format!("leak_{tenant}_{}", row % 5 + 10 * (place % 4));
    let number = if spoilt { 0 } else { (row * 3 + place) % 5 + 1 };
    match column.kind {
        Kind::Int | Kind::Bigint => number.to_string(),
        Kind::Text => literal(&marker),
        // Neither digits nor a regular expression.
        Kind::Digits if spoilt => literal(&format!("{marker}(")),
        Kind::Digits => literal(&number.to_string()),
        Kind::Bool => ["true", "false"][row % 2].to_owned(),
        Kind::Numeric => format!("{number}.25").replace("0.25", "0.00"),
        Kind::Jsonb if spoilt => format!("'{{\"k\": \"{marker}\", \"a\": {row}, \"s\": null}}'"),
        Kind::Jsonb => format!("'{{\"k\": {number}, \"a\": [1, {row}], \"s\": \"{marker}\"}}'"),
        Kind::Time => format!("'2024-01-{:02} 12:00Z'", row + place),
        Kind::Array => format!("'{{{number},{row}}}'"),
        Kind::Uuid => "NULL".to_owned(),
    }
}
