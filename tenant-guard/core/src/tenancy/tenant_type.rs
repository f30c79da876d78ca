//! The type of a tenant column.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The type of the column by which a table is distributed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum TenantType {
    /// `smallint`
    Int2,
    /// `integer`
    Int4,
    /// `bigint`
    Int8,
    /// `uuid`
    Uuid,
    /// `text`
    Text,
    /// `character varying`
    Varchar,
    /// `character(n)`, blank-padded
    Bpchar,
    /// `bytea`
    Bytea,
    /// `date`
    Date,
    /// `timestamp with time zone`
    Timestamptz,
    /// `boolean`
    Bool,
    /// Any other type, by its name in SQL. A driver cannot hash its values.
    Other(String),
}

impl TenantType {
    /// Reads a type name as SQL writes it or as `format_type` prints it, without or with a
    /// modifier: `bigint`, `int8`, `character varying(40)`.
    ///
    /// ```
    /// use tenant_guard::TenantType;
    /// assert_eq!(TenantType::from_sql("bigint"), TenantType::Int8);
    /// assert_eq!(TenantType::from_sql("VARCHAR(40)"), TenantType::Varchar);
    /// assert_eq!(TenantType::from_sql("numeric"), TenantType::Other("numeric".into()));
    /// ```
    pub fn from_sql(name: &str) -> Self {
        if name.contains('"') {
            return Self::Other(name.trim().to_owned());
        }
        let lower = name.trim().to_ascii_lowercase();
        let bare = lower.split('(').next().unwrap_or_default().trim();
        let bare = bare.strip_prefix("pg_catalog.").unwrap_or(bare);
        match bare {
            "int2" | "smallint" => Self::Int2,
            "int4" | "int" | "integer" => Self::Int4,
            "int8" | "bigint" => Self::Int8,
            "uuid" => Self::Uuid,
            "text" => Self::Text,
            "varchar" | "character varying" => Self::Varchar,
            "bpchar" | "char" | "character" => Self::Bpchar,
            "bytea" => Self::Bytea,
            "date" => Self::Date,
            "timestamptz" | "timestamp with time zone" => Self::Timestamptz,
            "bool" | "boolean" => Self::Bool,
            _ => Self::Other(lower),
        }
    }

    /// The type's name in SQL, fit for a cast.
    pub fn as_sql(&self) -> &str {
        match self {
            Self::Int2 => "smallint",
            Self::Int4 => "integer",
            Self::Int8 => "bigint",
            Self::Uuid => "uuid",
            Self::Text => "text",
            Self::Varchar => "varchar",
            Self::Bpchar => "bpchar",
            Self::Bytea => "bytea",
            Self::Date => "date",
            Self::Timestamptz => "timestamptz",
            Self::Bool => "boolean",
            Self::Other(name) => name,
        }
    }
}

impl fmt::Display for TenantType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_sql())
    }
}
