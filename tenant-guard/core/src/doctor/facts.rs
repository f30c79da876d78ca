//! What a database holds, as plain data.
//!
//! The names of fields are those of [`CATALOG_QUERY`](super::CATALOG_QUERY)'s answer. What a source
//! does not tell is left out and named in [`SchemaFacts::untold`].

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Ident, TableName};

/// What is there: the relations with all that hangs on them, and what lies beside them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SchemaFacts {
    /// The schemas in which a session looks up unqualified names, in order. `pg_catalog` is among
    /// them only where it was named; else it comes first.
    pub search_path: Vec<Ident>,
    /// The schemas of the database, without PostgreSQL's and Citus' own.
    pub schemas: Vec<Schema>,
    /// Tables, views and foreign tables.
    pub relations: Vec<Relation>,
    /// Functions and procedures, other than those of extensions.
    pub functions: Vec<Routine>,
    /// Operators, other than those of extensions.
    pub operators: Vec<Routine>,
    /// Types, other than those of extensions and those of tables.
    pub types: Vec<Routine>,
    /// Casts, other than PostgreSQL's own and those of extensions.
    pub casts: Vec<Cast>,
    /// How Citus keeps the tables; `None` where there is no Citus.
    pub citus: Option<CitusFacts>,
    /// What the source of these facts does not tell.
    pub untold: BTreeSet<Aspect>,
}

/// Something that a source of facts may not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Aspect {
    /// Who may create objects in which schema.
    Privileges,
    /// Whether a type is a domain, and what its checks call.
    Domains,
    /// Objects that no migration makes, such as those of extensions and those made by hand, and what a
    /// migration leaves out by a comment.
    Strays,
    /// A part of a migration that the guard does not need and that could not be read.
    Unread,
    /// What views read.
    Views,
    /// Operators and casts.
    Operators,
    /// Whether a collation takes different texts for equal.
    Collations,
}

/// A schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// Its name.
    pub name: Ident,
    /// Whether every role may create objects in it.
    pub public_create: bool,
}

/// A relation that rows can be read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    /// Schema and name.
    #[serde(flatten)]
    pub table: TableName,
    /// What it is.
    pub kind: RelationKind,
    /// Its columns, in order.
    #[serde(default)]
    pub columns: Vec<Column>,
    /// Primary key, unique constraints, exclusion constraints and unique indexes.
    #[serde(default)]
    pub keys: Vec<Key>,
    /// The foreign keys that lead away from it.
    #[serde(default)]
    pub foreign_keys: Vec<ForeignKey>,
    /// The expressions that PostgreSQL evaluates with statements on it.
    #[serde(default)]
    pub expressions: Vec<Expression>,
    /// Its triggers, without PostgreSQL's and Citus' own.
    #[serde(default)]
    pub triggers: Vec<Trigger>,
    /// The names of its rewrite rules, without a view's own.
    #[serde(default)]
    pub rules: Vec<Ident>,
    /// Whether row-level security is on.
    #[serde(default)]
    pub row_security: bool,
    /// Whether row-level security holds for the owner, too.
    #[serde(default)]
    pub row_security_forced: bool,
    /// The policies of row-level security.
    #[serde(default)]
    pub policies: Vec<Policy>,
    /// The tables whose partition or child it is.
    #[serde(default)]
    pub parents: Vec<Parent>,
    /// What it reads, where it is a view.
    #[serde(default)]
    pub reads: Vec<TableName>,
}

/// What a relation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RelationKind {
    /// A table, partitioned or not.
    Table,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// A foreign table.
    ForeignTable,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: Ident,
    /// Its type as `format_type` prints it, without a modifier.
    pub data_type: String,
    /// The type below, where its type is a domain.
    #[serde(default)]
    pub domain_over: Option<String>,
    /// Whether it refuses nulls.
    #[serde(default)]
    pub not_null: bool,
    /// Its collation, where it is not its type's own.
    #[serde(default)]
    pub collation: Option<String>,
    /// Whether its collation takes different texts for equal (`pg_collation.collisdeterministic`).
    #[serde(default)]
    pub nondeterministic: bool,
    /// The sequence that its default draws from.
    #[serde(default)]
    pub sequence: Option<TableName>,
}

/// A primary key, a unique constraint, an exclusion constraint or a unique index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// The constraint's or index' name.
    pub name: Ident,
    /// The plain columns that are compared by equality.
    pub columns: Vec<Ident>,
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// The constraint's name.
    pub name: Ident,
    /// The columns that point, in order.
    pub columns: Vec<Ident>,
    /// The table that they point at.
    pub target: TableName,
    /// The columns that they point at, in the same order.
    pub target_columns: Vec<Ident>,
    /// What a `DELETE` of the target does.
    #[serde(default)]
    pub on_delete: Action,
    /// What an `UPDATE` of the target does.
    #[serde(default)]
    pub on_update: Action,
    /// The columns that `ON DELETE SET NULL (…)` names; all where it names none.
    #[serde(default)]
    pub delete_sets: Vec<Ident>,
}

/// What happens to a row whose foreign key's target goes or changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The statement fails (`NO ACTION`, `RESTRICT`).
    #[default]
    Refuse,
    /// It goes or changes, too.
    Cascade,
    /// Its columns become null.
    SetNull,
    /// Its columns get their defaults.
    SetDefault,
}

/// An expression that PostgreSQL evaluates with statements on a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expression {
    /// Where it stands.
    pub place: Place,
    /// The name of the column, constraint, policy, domain or index.
    pub name: Ident,
    /// The functions that it calls, also by way of an operator that is not PostgreSQL's own.
    pub calls: Vec<Routine>,
}

/// Where an expression stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Place {
    /// A check constraint.
    Check,
    /// A column's default.
    Default,
    /// A check of a column's domain.
    Domain,
    /// A generated column.
    Generated,
    /// An index on an expression, or a partial one.
    Index,
    /// A policy of row-level security.
    Policy,
}

/// A function, an operator or a type, by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Routine {
    /// The schema; `None` where the source does not resolve the name.
    pub schema: Option<Ident>,
    /// The name.
    pub name: Ident,
}

/// A trigger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// Its name.
    pub name: Ident,
    /// The function that it runs.
    pub function: Routine,
}

/// A policy of row-level security.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Its name.
    pub name: Ident,
    /// Whether it widens what is seen, as policies do unless they are `RESTRICTIVE`.
    pub permissive: bool,
}

/// A table above a partition or a child.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// Its name.
    #[serde(flatten)]
    pub table: TableName,
    /// Whether the child is a partition; else it inherits.
    pub partition: bool,
}

/// A cast that somebody has defined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cast {
    /// The type that is cast.
    pub source: String,
    /// The type that comes out.
    pub target: String,
    /// The function that does it; `None` where none of the schema's own is called.
    pub function: Option<Routine>,
}

/// How Citus keeps the tables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CitusFacts {
    /// The tables that Citus knows; the others are local to the coordinator.
    pub tables: Vec<CitusTable>,
}

/// A table that Citus knows (`pg_dist_partition`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CitusTable {
    /// Schema and name.
    #[serde(flatten)]
    pub table: TableName,
    /// `partmethod`: `h` by hash, `r` by range, `a` by append, `n` by no column.
    pub method: String,
    /// `repmodel`: `t` is a reference table.
    pub replication: String,
    /// `colocationid`
    pub colocation: u32,
    /// The distribution column.
    pub column: Option<Ident>,
}

impl SchemaFacts {
    /// The relation of this name.
    pub fn relation(&self, name: &TableName) -> Option<&Relation> {
        self.relations
            .iter()
            .find(|relation| relation.table == *name)
    }
}

impl Relation {
    /// The column of this name.
    pub fn column(&self, name: &Ident) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == *name)
    }
}

impl std::fmt::Display for Routine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => self.name.fmt(f),
        }
    }
}
