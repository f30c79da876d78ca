//! What is known of the schema: which tables belong to tenants, by which column, and which do not.

mod builder;
mod display;
mod fingerprint;
mod migrations;
mod name;
mod serialize;
mod table;
mod tenant_type;

use std::collections::{BTreeMap, BTreeSet};

pub use builder::{TenancyBuilder, TenancyError};
pub use fingerprint::Fingerprint;
pub use migrations::{
    MigrationError, MigrationFile, MigrationProblem, SplitError, migration_files, split_statements,
};
pub use name::{Ident, TableName};
pub use table::{Column, Distribution, Table, TableKind, UniqueKey};
pub use tenant_type::TenantType;

/// The schema as the guard sees it. Immutable; made by [`Tenancy::builder`], from a folder of
/// migrations, or by a driver from live metadata.
///
/// The world is closed: a table that is not in here is refused.
///
/// ```
/// use tenant_guard::{Table, Tenancy, TenantType};
///
/// let tenancy = Tenancy::builder()
///     .table(
///         Table::distributed("projects", "tenant_id", TenantType::Int8)
///             .columns(["tenant_id", "id", "name"])
///             .unique_key(["tenant_id", "id"]),
///     )
///     .table(Table::reference("countries").columns(["code", "name"]))
///     .build()?;
/// assert!(tenancy.resolve(None, "projects").is_some());
/// assert!(tenancy.resolve(None, "Projects").is_none());
/// # Ok::<(), tenant_guard::TenancyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tenancy {
    tables: BTreeMap<TableName, Table>,
    search_path: Vec<Ident>,
    types: BTreeSet<Ident>,
    composite_fields: BTreeSet<Ident>,
    user_functions: BTreeSet<Ident>,
    fingerprint: Fingerprint,
}

impl Tenancy {
    /// Starts an empty tenancy with the search path `public`.
    pub fn builder() -> TenancyBuilder {
        TenancyBuilder::default()
    }

    /// The table that PostgreSQL means by this name: with a schema exactly that one, without one
    /// the first match along the search path.
    ///
    /// Names are compared as they are stored (after case folding and truncation by whoever read
    /// the SQL).
    pub fn resolve(&self, schema: Option<&str>, name: &str) -> Option<&Table> {
        match schema {
            Some(schema) => self.tables.get(&TableName::new(schema, name)),
            None => self
                .search_path
                .iter()
                .find_map(|schema| self.tables.get(&TableName::new(schema.as_str(), name))),
        }
    }

    /// All tables, in the order of their names.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.values()
    }

    /// The schemas in which unqualified names are looked up, in order. A connection that runs
    /// guarded statements has to be pinned to it.
    pub fn search_path(&self) -> &[Ident] {
        &self.search_path
    }

    /// Whether a user-defined type of this name is known to be harmless (an enum or a composite
    /// type: neither runs code when a value is made).
    pub fn is_known_type(&self, name: &str) -> bool {
        self.types.contains(name)
    }

    /// Whether a known composite type has a field of this name.
    pub fn is_composite_field(&self, name: &str) -> bool {
        self.composite_fields.contains(name)
    }

    /// Whether the schema defines a function of this name itself. Such a name is never taken for
    /// PostgreSQL's built-in function, because an overload may win.
    pub fn is_user_function(&self, name: &str) -> bool {
        self.user_functions.contains(name)
    }

    /// A stable hash of all of the above: a statement that was guarded under one tenancy is not
    /// valid under another.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}
