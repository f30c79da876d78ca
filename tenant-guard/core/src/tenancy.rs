//! What is known of the schema: which tables belong to tenants, by which column, and which do not.

mod builder;
mod display;
mod fingerprint;
mod migrations;
mod name;
mod serialize;
mod table;
mod tenant_schema;
mod tenant_type;
mod view;

use std::collections::{BTreeMap, BTreeSet};

pub use builder::{TenancyBuilder, TenancyError};
pub use fingerprint::Fingerprint;
pub(crate) use fingerprint::FingerprintBuilder;
pub(crate) use migrations::Cursor;
pub use migrations::{
    MigrationError, MigrationFile, MigrationProblem, SplitError, migration_files, split_statements,
};
pub use name::{Ident, TableName};
pub use table::{Column, Distribution, Table, TableKind, UniqueKey};
pub(crate) use tenant_schema::PLACEHOLDER;
pub use tenant_schema::{TenantSchema, TenantSchemaError};
pub use tenant_type::TenantType;
pub use view::View;

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
    views: BTreeMap<TableName, View>,
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
    /// the first match along the search path. `None` also where the name means a view.
    ///
    /// Names are compared as they are stored (after case folding and truncation by whoever read
    /// the SQL).
    pub fn resolve(&self, schema: Option<&str>, name: &str) -> Option<&Table> {
        self.tables.get(&self.relation(schema, name)?)
    }

    /// The view that PostgreSQL means by this name, as [`Tenancy::resolve`] finds tables.
    pub fn resolve_view(&self, schema: Option<&str>, name: &str) -> Option<&View> {
        self.views.get(&self.relation(schema, name)?)
    }

    /// The full name of the table or view that is meant. Both share one space of names.
    fn relation(&self, schema: Option<&str>, name: &str) -> Option<TableName> {
        let known = |schema: &str| {
            let name = TableName::new(schema, name);
            (self.tables.contains_key(&name) || self.views.contains_key(&name)).then_some(name)
        };
        match schema {
            Some(schema) => known(schema),
            // What a tenant has of its own comes first, as in the search path that it would have.
            None => std::iter::once(PLACEHOLDER)
                .chain(self.search_path.iter().map(Ident::as_str))
                .find_map(known),
        }
    }

    /// Says what a view, a materialized view or a foreign table is, without looking at what it is
    /// made of: from then on it is read as this table is, and never written to.
    ///
    /// This is the team's word, and isolation then rests on it. It may be given for
    /// - a [reference table](Table::reference): its rows are the same whichever tenants there are,
    ///   so it is made of reference tables and constants alone;
    /// - a [tenant table](Table::distributed): each of its rows is made of rows of the tenant that
    ///   stands in its tenant column, and of reference tables. A sum over all tenants, or a rank
    ///   among them, is not such a row, whatever its tenant column says.
    ///
    /// On a cluster the relation has to be on the node that answers; Citus keeps materialized views
    /// on the coordinator.
    ///
    /// ```
    /// use tenant_guard::{Table, TableKind, Tenancy, TenantType};
    ///
    /// let tenancy = Tenancy::from_sql(
    ///     "CREATE TABLE tasks (tenant_id bigint, points int);
    ///      CREATE MATERIALIZED VIEW totals AS SELECT tenant_id, sum(points) FROM tasks GROUP BY 1;",
    /// )?;
    /// let totals = tenancy.resolve(None, "totals").unwrap();
    /// assert!(matches!(totals.kind(), TableKind::Opaque { .. }));
    ///
    /// let totals = Table::distributed("totals", "tenant_id", TenantType::Int8);
    /// let tenancy = tenancy.declare(totals.columns(["tenant_id", "sum"]))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`TenancyError::NotDeclarable`] where there is no view, materialized view or foreign table
    /// of this name, or the declaration is neither a reference nor a tenant table; else as
    /// [`TenancyBuilder::build`].
    pub fn declare(self, table: Table) -> Result<Self, TenancyError> {
        let name = table.name().clone();
        let is_opaque = |table: &Table| matches!(table.kind(), TableKind::Opaque { .. });
        let known = self.views.contains_key(&name) || self.tables.get(&name).is_some_and(is_opaque);
        let declares = match table.kind() {
            TableKind::Distributed(_) | TableKind::Reference => true,
            TableKind::TenantSchema | TableKind::Local | TableKind::Opaque { .. } => false,
        };
        if !known || !declares {
            return Err(TenancyError::NotDeclarable(name));
        }
        let mut builder = TenancyBuilder::from(self);
        builder.forget(&name);
        builder.table(table.read_only()).build()
    }

    /// All tables, in the order of their names.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.values()
    }

    /// All views, in the order of their names.
    pub fn views(&self) -> impl Iterator<Item = &View> {
        self.views.values()
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
