//! One table of a tenancy.

use serde::{Deserialize, Serialize};

use super::{Ident, PLACEHOLDER, TableName, TenantType};

/// A table, its columns and whose rows it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    name: TableName,
    kind: TableKind,
    columns: Vec<Column>,
    unique_keys: Vec<UniqueKey>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    read_only: bool,
}

/// Whose rows a table holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum TableKind {
    /// Each row belongs to one tenant.
    Distributed(Distribution),
    /// Each tenant has a table of this name in a schema of its own (Citus' schema-based sharding).
    TenantSchema,
    /// The same rows for every tenant, on every node (Citus' reference table).
    Reference,
    /// A table of the coordinator alone; guarded SQL never reaches it.
    Local,
    /// A materialized view, a foreign table, or a view whose query is not known: nobody has said
    /// whose rows it holds, so guarded SQL never reaches it. See [`Tenancy::declare`].
    ///
    /// [`Tenancy::declare`]: crate::Tenancy::declare
    Opaque {
        /// What it is, as in "it is *a materialized view*".
        what: String,
    },
}

/// How a tenant table is distributed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// The tenant column.
    pub column: Ident,
    /// Its type.
    pub tenant_type: TenantType,
    /// The colocation group: tables of one group keep a tenant's rows on one node
    /// (`pg_dist_partition.colocationid`). The names are free; only their equality counts.
    pub colocation: Ident,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: Ident,
}

/// The columns of a primary key, a unique constraint, an exclusion constraint or a unique index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UniqueKey {
    /// The constraint's or index' name, where one is known.
    pub name: Option<Ident>,
    /// The plain columns that are compared by equality; expressions do not count.
    pub columns: Vec<Ident>,
}

impl Table {
    /// A table of which each row belongs to the tenant in `column`. Without a schema it is in
    /// `public`; its colocation group is `default`.
    pub fn distributed(name: &str, column: &str, tenant_type: TenantType) -> Self {
        Self::new(
            name,
            TableKind::Distributed(Distribution {
                column: column.into(),
                tenant_type,
                colocation: "default".into(),
            }),
        )
    }

    /// A table that each tenant has in a schema of its own, without a tenant column. All tenant
    /// tables of a tenancy are of this kind, or none is.
    ///
    /// Each tenant's schema has to have all tables of this kind, with these columns, and no relation
    /// else that a statement could name without its schema.
    ///
    /// ```
    /// # #[cfg(feature = "pg-grammar")] {
    /// use tenant_guard::{Guard, Policy, Table, Tenancy};
    ///
    /// let tenancy = Tenancy::builder()
    ///     .table(Table::in_tenant_schema("tasks").columns(["id", "title"]))
    ///     .table(Table::reference("countries").columns(["code"]))
    ///     .build()?;
    /// let guard = Guard::new(tenancy, Policy::default());
    ///
    /// let guarded = guard.check("SELECT t.title FROM tasks t, countries c WHERE c.code = $1")?;
    /// let acme = guard.tenancy().tenant_schema("Acme")?;
    /// assert_eq!(
    ///     guarded.text_for_schema(&acme).as_deref(),
    ///     Some("SELECT t.title FROM \"Acme\".tasks t, public.countries c WHERE c.code = $1")
    /// );
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn in_tenant_schema(name: &str) -> Self {
        let mut table = Self::new(name, TableKind::TenantSchema);
        table.name.schema = PLACEHOLDER.into();
        table
    }

    /// A table that every tenant reads and none writes.
    pub fn reference(name: &str) -> Self {
        Self::new(name, TableKind::Reference)
    }

    /// A table that guarded SQL may not name.
    pub fn local(name: &str) -> Self {
        Self::new(name, TableKind::Local)
    }

    /// A relation of which nobody has said whose rows it holds, and what it is: "a materialized
    /// view". Guarded SQL may not name it.
    pub fn opaque(name: &str, what: &str) -> Self {
        let what = what.to_owned();
        Self::new(name, TableKind::Opaque { what })
    }

    fn new(name: &str, kind: TableKind) -> Self {
        let name = TableName::new("public", name);
        Self {
            name,
            kind,
            columns: Vec::new(),
            unique_keys: Vec::new(),
            read_only: false,
        }
    }

    /// Puts the table into a schema other than `public`.
    #[must_use]
    pub fn schema(mut self, schema: &str) -> Self {
        self.name.schema = schema.into();
        self
    }

    /// Names all columns, in the order of the table. A column that is not named here does not
    /// exist for the guard.
    #[must_use]
    pub fn columns<C: Into<Ident>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.columns = columns
            .into_iter()
            .map(|name| Column { name: name.into() })
            .collect();
        self
    }

    /// Names a primary key, a unique constraint or a unique index. *All* of a table's have to be
    /// named: the guard refuses to write to a tenant table that has one without the tenant column,
    /// because there another tenant's row can be hit.
    #[must_use]
    pub fn unique_key<C: Into<Ident>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        let columns = columns.into_iter().map(Into::into).collect();
        self.unique_keys.push(UniqueKey {
            name: None,
            columns,
        });
        self
    }

    /// Like [`Table::unique_key`], with the name that `ON CONFLICT ON CONSTRAINT` uses.
    #[must_use]
    pub fn named_unique_key<C: Into<Ident>>(
        mut self,
        name: &str,
        columns: impl IntoIterator<Item = C>,
    ) -> Self {
        let columns = columns.into_iter().map(Into::into).collect();
        self.unique_keys.push(UniqueKey {
            name: Some(name.into()),
            columns,
        });
        self
    }

    /// Puts a tenant table into a colocation group other than `default`; nothing on other tables.
    #[must_use]
    pub fn colocated_with(mut self, group: &str) -> Self {
        if let TableKind::Distributed(distribution) = &mut self.kind {
            distribution.colocation = group.into();
        }
        self
    }

    /// Never written to or locked: a view that is [declared](crate::Tenancy::declare) to be a
    /// table.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Whether it is never written to or locked.
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// The full name.
    pub fn name(&self) -> &TableName {
        &self.name
    }

    /// Whose rows it holds.
    pub fn kind(&self) -> &TableKind {
        &self.kind
    }

    /// The distribution, where it is a tenant table.
    pub fn distribution(&self) -> Option<&Distribution> {
        match &self.kind {
            TableKind::Distributed(distribution) => Some(distribution),
            TableKind::TenantSchema
            | TableKind::Reference
            | TableKind::Local
            | TableKind::Opaque { .. } => None,
        }
    }

    /// All columns.
    pub fn column_list(&self) -> &[Column] {
        &self.columns
    }

    /// The place of a column among all, from 0.
    pub(crate) fn position(&self, name: &Ident) -> Option<usize> {
        self.columns.iter().position(|column| column.name == *name)
    }

    /// Whether there is a column of this name.
    pub fn has_column(&self, name: &str) -> bool {
        self.columns
            .iter()
            .any(|column| column.name.as_str() == name)
    }

    /// All unique keys.
    pub fn unique_keys(&self) -> &[UniqueKey] {
        &self.unique_keys
    }
}
