//! Making a tenancy by hand.

use std::collections::{BTreeMap, BTreeSet};

use super::fingerprint::FingerprintBuilder;
use super::{Ident, PLACEHOLDER, Table, TableKind, TableName, Tenancy, View};

/// Collects what a [`Tenancy`] knows. See [`Tenancy::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct TenancyBuilder {
    tables: Vec<Table>,
    views: Vec<View>,
    search_path: Vec<Ident>,
    types: BTreeSet<Ident>,
    composite_fields: BTreeSet<Ident>,
    user_functions: BTreeSet<Ident>,
}

impl Default for TenancyBuilder {
    fn default() -> Self {
        Self {
            tables: Vec::new(),
            views: Vec::new(),
            search_path: vec!["public".into()],
            types: BTreeSet::new(),
            composite_fields: BTreeSet::new(),
            user_functions: BTreeSet::new(),
        }
    }
}

/// Why a tenancy cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TenancyError {
    /// Two tables or views have the same name.
    #[error("table {0} is given twice")]
    DuplicateTable(TableName),
    /// A tenant table's column list lacks its tenant column.
    #[error("table {table} has no column {column}, by which it is said to be distributed")]
    MissingTenantColumn {
        /// The table.
        table: TableName,
        /// The column that is missing.
        column: Ident,
    },
    /// Two tables of one colocation group have tenant columns of different types.
    #[error(
        "table {table} is in colocation group {group}, whose tenant column is {expected}, but its own is {found}"
    )]
    MixedTenantTypes {
        /// The second table.
        table: TableName,
        /// The group.
        group: Ident,
        /// The type of the group's first table.
        expected: String,
        /// The type of this table.
        found: String,
    },
    /// The search path is empty, so that no unqualified name means anything.
    #[error("the search path is empty: name at least one schema")]
    EmptySearchPath,
    /// Some tenant tables have a tenant column, and others are in a schema of each tenant.
    #[error("some tenant tables have a tenant column, and others are in each tenant's schema")]
    MixedTenancy,
    /// A table that each tenant has was given a schema, or something else the placeholder of theirs.
    #[error("a table is put into a schema that is not known before there is a tenant")]
    TenantSchema,
    /// A view's definition is not one statement.
    #[error("the definition of view {0} is not one query")]
    ViewDefinition(TableName),
    /// What is declared is no view, materialized view or foreign table of the tenancy, or it is
    /// declared to be something that guarded SQL could not read.
    #[error(
        "{0} cannot be declared: only views, materialized views and foreign tables can, as reference or tenant tables"
    )]
    NotDeclarable(TableName),
}

/// All that a tenancy was built from.
impl From<Tenancy> for TenancyBuilder {
    fn from(tenancy: Tenancy) -> Self {
        Self {
            tables: tenancy.tables.into_values().collect(),
            views: tenancy.views.into_values().collect(),
            search_path: tenancy.search_path,
            types: tenancy.types,
            composite_fields: tenancy.composite_fields,
            user_functions: tenancy.user_functions,
        }
    }
}

impl TenancyBuilder {
    /// Adds a table.
    pub fn table(mut self, table: Table) -> Self {
        self.tables.push(table);
        self
    }

    /// Adds tables.
    pub fn tables(mut self, tables: impl IntoIterator<Item = Table>) -> Self {
        self.tables.extend(tables);
        self
    }

    /// Adds a view.
    pub fn view(mut self, view: View) -> Self {
        self.views.push(view);
        self
    }

    /// Takes back what was added under this name.
    pub(super) fn forget(&mut self, name: &TableName) {
        self.tables.retain(|table| table.name() != name);
        self.views.retain(|view| view.name() != name);
    }

    /// Replaces the search path (`public`).
    pub fn search_path<S: Into<Ident>>(mut self, schemas: impl IntoIterator<Item = S>) -> Self {
        self.search_path = schemas.into_iter().map(Into::into).collect();
        self
    }

    /// Declares an enum type, or a composite type by [`TenancyBuilder::composite_type`].
    pub fn enum_type(mut self, name: impl Into<Ident>) -> Self {
        self.types.insert(name.into());
        self
    }

    /// Declares a composite type and its fields.
    pub fn composite_type<F: Into<Ident>>(
        mut self,
        name: impl Into<Ident>,
        fields: impl IntoIterator<Item = F>,
    ) -> Self {
        self.types.insert(name.into());
        self.composite_fields
            .extend(fields.into_iter().map(Into::into));
        self
    }

    /// Says that the schema defines a function of this name, so that calls of it are not taken
    /// for a built-in function's.
    pub fn user_function(mut self, name: impl Into<Ident>) -> Self {
        self.user_functions.insert(name.into());
        self
    }

    /// Checks what was collected.
    ///
    /// # Errors
    /// See [`TenancyError`].
    pub fn build(self) -> Result<Tenancy, TenancyError> {
        if self.search_path.is_empty() {
            return Err(TenancyError::EmptySearchPath);
        }
        let mut tables = BTreeMap::new();
        for table in self.tables {
            check_tenant_column(&table)?;
            let name = table.name().clone();
            if tables.insert(name.clone(), table).is_some() {
                return Err(TenancyError::DuplicateTable(name));
            }
        }
        check_colocation(tables.values())?;
        check_tenant_schemas(&tables, &self.views, &self.search_path)?;
        let mut views = BTreeMap::new();
        for view in self.views {
            let name = view.name().clone();
            let view = view
                .normalized()
                .ok_or_else(|| TenancyError::ViewDefinition(name.clone()))?;
            if tables.contains_key(&name) || views.insert(name.clone(), view).is_some() {
                return Err(TenancyError::DuplicateTable(name));
            }
        }

        let mut fingerprint = FingerprintBuilder::new();
        for table in tables.values() {
            fingerprint.table(table);
        }
        fingerprint.count(views.len());
        for view in views.values() {
            fingerprint.view(view);
        }
        fingerprint.names(self.search_path.iter());
        fingerprint.names(self.types.iter());
        fingerprint.names(self.composite_fields.iter());
        fingerprint.names(self.user_functions.iter());
        Ok(Tenancy {
            tables,
            views,
            search_path: self.search_path,
            types: self.types,
            composite_fields: self.composite_fields,
            user_functions: self.user_functions,
            fingerprint: fingerprint.finish(),
        })
    }
}

fn check_tenant_column(table: &Table) -> Result<(), TenancyError> {
    match table.distribution() {
        Some(distribution) if !table.has_column(distribution.column.as_str()) => {
            Err(TenancyError::MissingTenantColumn {
                table: table.name().clone(),
                column: distribution.column.clone(),
            })
        }
        _ => Ok(()),
    }
}

fn check_tenant_schemas(
    tables: &BTreeMap<TableName, Table>,
    views: &[View],
    search_path: &[Ident],
) -> Result<(), TenancyError> {
    let in_tenant_schema = |table: &Table| matches!(table.kind(), TableKind::TenantSchema);
    let by_column = tables.values().any(|table| table.distribution().is_some());
    if by_column && tables.values().any(in_tenant_schema) {
        return Err(TenancyError::MixedTenancy);
    }
    let is_placeholder = |schema: &Ident| schema.as_str() == PLACEHOLDER;
    let misplaced = tables
        .values()
        .any(|table| is_placeholder(&table.name().schema) != in_tenant_schema(table))
        || views.iter().any(|view| is_placeholder(&view.name().schema))
        || search_path.iter().any(is_placeholder);
    if misplaced {
        return Err(TenancyError::TenantSchema);
    }
    Ok(())
}

fn check_colocation<'a>(tables: impl Iterator<Item = &'a Table>) -> Result<(), TenancyError> {
    let mut groups = BTreeMap::new();
    for table in tables {
        let Some(distribution) = table.distribution() else {
            continue;
        };
        let expected = groups
            .entry(&distribution.colocation)
            .or_insert(&distribution.tenant_type);
        if **expected != distribution.tenant_type {
            return Err(TenancyError::MixedTenantTypes {
                table: table.name().clone(),
                group: distribution.colocation.clone(),
                expected: expected.to_string(),
                found: distribution.tenant_type.to_string(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TenantType;

    fn table(name: &str, tenant_type: TenantType) -> Table {
        Table::distributed(name, "tenant_id", tenant_type).columns(["tenant_id", "id"])
    }

    #[test]
    fn a_table_given_twice_is_an_error() {
        let twice = Tenancy::builder()
            .table(table("a", TenantType::Int8))
            .table(table("a", TenantType::Int8))
            .build();
        assert_eq!(
            twice.unwrap_err(),
            TenancyError::DuplicateTable(TableName::new("public", "a"))
        );
    }

    #[test]
    fn a_missing_tenant_column_is_an_error() {
        let table = Table::distributed("a", "org_id", TenantType::Int8).columns(["id"]);
        let error = Tenancy::builder().table(table).build().unwrap_err();
        assert_eq!(
            error.to_string(),
            "table public.a has no column org_id, by which it is said to be distributed"
        );
    }

    #[test]
    fn one_group_has_one_type() {
        let mixed = Tenancy::builder()
            .table(table("a", TenantType::Int8))
            .table(table("b", TenantType::Uuid))
            .build();
        assert!(matches!(mixed, Err(TenancyError::MixedTenantTypes { .. })));
    }

    #[test]
    fn tenants_have_a_column_or_a_schema_and_not_both() {
        let own = Table::in_tenant_schema("a").columns(["id"]);
        let build = |builder: TenancyBuilder| builder.build().unwrap_err();
        let mixed = Tenancy::builder()
            .table(own.clone())
            .table(table("b", TenantType::Int8));
        assert_eq!(build(mixed), TenancyError::MixedTenancy);
        let one = || Tenancy::builder().table(own.clone());
        for misplaced in [
            Tenancy::builder().table(own.clone().schema("app")),
            one().table(Table::reference("c").schema(PLACEHOLDER)),
            one().view(View::new("v", "SELECT 1").schema(PLACEHOLDER)),
            one().search_path([PLACEHOLDER, "public"]),
        ] {
            assert_eq!(build(misplaced), TenancyError::TenantSchema);
        }
        let tenancy = one().table(Table::reference("a")).build().unwrap();
        let kind = |schema| tenancy.resolve(schema, "a").unwrap().kind();
        assert_eq!(*kind(None), TableKind::TenantSchema);
        assert_eq!(*kind(Some("public")), TableKind::Reference);
    }

    #[test]
    fn views_and_tables_share_their_names() {
        let tenancy = Tenancy::builder()
            .search_path(["app", "public"])
            .table(table("a", TenantType::Int8))
            .view(View::new("a", "SELECT 1").schema("app"));
        let both = tenancy.clone().view(View::new("a", "SELECT 2")).build();
        assert!(matches!(both, Err(TenancyError::DuplicateTable(_))));

        let tenancy = tenancy.build().unwrap();
        assert!(tenancy.resolve(None, "a").is_none());
        assert!(tenancy.resolve_view(None, "a").is_some());
        assert!(tenancy.resolve(Some("public"), "a").is_some());
    }

    #[test]
    fn only_views_and_the_like_are_declared_and_only_as_what_is_read() {
        let declared = |table: Table| {
            let tenancy = Tenancy::builder()
                .table(table_of_ids("a"))
                .table(Table::opaque("m", "a materialized view"))
                .view(View::new("v", "SELECT 1"));
            tenancy.build().unwrap().declare(table)
        };
        for name in ["m", "v"] {
            let tenancy = declared(table_of_ids(name)).unwrap();
            let table = tenancy.resolve(None, name).unwrap();
            assert!(table.is_read_only() && table.distribution().is_some());
            assert!(declared(Table::reference(name)).is_ok());
        }
        for wrong in [
            table_of_ids("a"),
            table_of_ids("unknown"),
            Table::local("m"),
            Table::opaque("v", "a view"),
        ] {
            let error = declared(wrong).unwrap_err();
            assert!(matches!(error, TenancyError::NotDeclarable(_)), "{error}");
        }
    }

    fn table_of_ids(name: &str) -> Table {
        table(name, TenantType::Int8)
    }

    #[test]
    fn names_resolve_along_the_search_path() {
        let tenancy = Tenancy::builder()
            .search_path(["app", "public"])
            .table(table("a", TenantType::Int8))
            .table(table("a", TenantType::Int8).schema("app"))
            .table(table("b", TenantType::Int8).schema("archive"))
            .build()
            .unwrap();
        let resolved = |schema, name| tenancy.resolve(schema, name).map(|t| t.name().to_string());
        assert_eq!(resolved(None, "a").as_deref(), Some("app.a"));
        assert_eq!(resolved(Some("public"), "a").as_deref(), Some("public.a"));
        assert_eq!(resolved(None, "b"), None);
    }

    #[test]
    fn the_fingerprint_changes_with_any_part() {
        let one = Tenancy::builder().table(table("a", TenantType::Int8));
        let base = one.clone().build().unwrap().fingerprint();
        assert_eq!(base, one.clone().build().unwrap().fingerprint());
        let changed = [
            one.clone().search_path(["app", "public"]),
            one.clone().enum_type("status"),
            one.clone().user_function("f"),
            one.clone().table(Table::reference("c")),
            one.clone().table(Table::opaque("c", "a foreign table")),
            one.clone().view(View::new("v", "SELECT 1")),
            one.clone().view(View::new("v", "SELECT 1").columns(["a"])),
        ];
        for builder in changed {
            assert_ne!(base, builder.build().unwrap().fingerprint());
        }
    }
}
