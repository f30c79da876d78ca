//! Making a tenancy by hand.

use std::collections::{BTreeMap, BTreeSet};

use super::fingerprint::FingerprintBuilder;
use super::{Ident, Table, TableName, Tenancy};

/// Collects what a [`Tenancy`] knows. See [`Tenancy::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct TenancyBuilder {
    tables: Vec<Table>,
    search_path: Vec<Ident>,
    types: BTreeSet<Ident>,
    composite_fields: BTreeSet<Ident>,
    user_functions: BTreeSet<Ident>,
}

impl Default for TenancyBuilder {
    fn default() -> Self {
        Self {
            tables: Vec::new(),
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
    /// Two tables have the same name.
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

        let mut fingerprint = FingerprintBuilder::new();
        for table in tables.values() {
            fingerprint.table(table);
        }
        fingerprint.names(self.search_path.iter());
        fingerprint.names(self.types.iter());
        fingerprint.names(self.composite_fields.iter());
        fingerprint.names(self.user_functions.iter());
        Ok(Tenancy {
            tables,
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
        ];
        for builder in changed {
            assert_ne!(base, builder.build().unwrap().fingerprint());
        }
    }
}
