//! The catalogs that tenants may read.

use std::collections::BTreeMap;

use crate::{Ident, TableName};

/// Catalogs with the columns that can be named of them.
pub(crate) type Catalogs = BTreeMap<TableName, Vec<Ident>>;

/// Those that are the same whoever asks (`src/backend/catalog/system_views.sql`, PostgreSQL 15).
pub(super) fn fixed() -> Catalogs {
    let catalog = |name: &str, columns: &[&str]| {
        let columns = columns.iter().map(|column| Ident::from(*column)).collect();
        (TableName::new("pg_catalog", name), columns)
    };
    Catalogs::from([
        catalog("pg_timezone_abbrevs", &["abbrev", "utc_offset", "is_dst"]),
        catalog(
            "pg_timezone_names",
            &["name", "abbrev", "utc_offset", "is_dst"],
        ),
    ])
}

/// Whether a catalog describes the schema alone: no counts and sizes of rows (`pg_class` has
/// `reltuples`), no values of rows (`pg_statistic`), nothing of sessions, transactions or roles.
pub(super) fn describes_schema(name: &TableName) -> bool {
    let names = match name.schema.as_str() {
        "information_schema" => INFORMATION_SCHEMA,
        "pg_catalog" => PG_CATALOG,
        _ => return false,
    };
    names.contains(&name.name.as_str())
}

const INFORMATION_SCHEMA: &[&str] = &[
    "check_constraints",
    "columns",
    "domains",
    "key_column_usage",
    "referential_constraints",
    "schemata",
    "table_constraints",
    "tables",
    "views",
];

const PG_CATALOG: &[&str] = &[
    "pg_attribute",
    "pg_collation",
    "pg_constraint",
    "pg_enum",
    "pg_extension",
    "pg_namespace",
    "pg_range",
    "pg_timezone_abbrevs",
    "pg_timezone_names",
    "pg_ts_config",
    "pg_type",
];
