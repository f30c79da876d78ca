//! Tenants with a schema of their own each.

use super::{Fingerprint, Ident, TableKind, Tenancy};

/// What stands in certified text for the schema of the tenant. PostgreSQL keeps names that begin
/// with `pg_` for itself, so no schema is called so, and a text that was not made a tenant's fails.
pub(crate) const PLACEHOLDER: &str = "pg_tenant_schema";

/// The name of a schema that can be a tenant's, under one tenancy. Made by
/// [`Tenancy::tenant_schema`] alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantSchema {
    name: Ident,
    tenancy: Fingerprint,
}

/// Why a name cannot be that of a tenant's schema. It does not show the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TenantSchemaError {
    /// The name is empty, or has a NUL byte.
    #[error("the name of a tenant's schema is empty or has a NUL byte")]
    NotAName,
    /// PostgreSQL cuts names to 63 bytes, so that two tenants could get one schema.
    #[error("the name of a tenant's schema is longer than 63 bytes")]
    TooLong,
    /// The schema is PostgreSQL's or Citus' own.
    #[error("the name of a tenant's schema is one of PostgreSQL's or Citus' own")]
    Reserved,
    /// The schema is `public`, on the search path, or holds a table or view of all tenants.
    #[error("the name of a tenant's schema is one that all tenants share")]
    Shared,
}

impl Tenancy {
    /// Takes a schema for a tenant's: its name as stored, which is put in double quotes where it
    /// needs them.
    ///
    /// Which tenant has which schema, and that it may be used for this request, is the caller's to
    /// know: the name is the tenant's identity here, as the value of the tenant column is elsewhere.
    ///
    /// # Errors
    /// See [`TenantSchemaError`].
    pub fn tenant_schema(&self, name: &str) -> Result<TenantSchema, TenantSchemaError> {
        const LONGEST: usize = 63;
        const RESERVED: &[&str] = &[
            "citus",
            "citus_internal",
            "columnar",
            "columnar_internal",
            "information_schema",
        ];
        if name.is_empty() || name.contains('\0') {
            return Err(TenantSchemaError::NotAName);
        }
        if name.len() > LONGEST {
            return Err(TenantSchemaError::TooLong);
        }
        if name.starts_with("pg_") || RESERVED.contains(&name) {
            return Err(TenantSchemaError::Reserved);
        }
        let mut shared = self
            .search_path
            .iter()
            .chain(self.tables.keys().map(|table| &table.schema))
            .chain(self.views.keys().map(|view| &view.schema));
        if name == "public" || shared.any(|schema| schema.as_str() == name) {
            return Err(TenantSchemaError::Shared);
        }
        Ok(TenantSchema {
            name: name.into(),
            tenancy: self.fingerprint,
        })
    }

    /// Whether each tenant has its tables in a schema of its own.
    pub fn is_schema_per_tenant(&self) -> bool {
        self.tables
            .values()
            .any(|table| matches!(table.kind(), TableKind::TenantSchema))
    }
}

impl TenantSchema {
    /// The stored name.
    pub fn name(&self) -> &Ident {
        &self.name
    }

    /// The tenancy whose rules it follows.
    pub fn tenancy(&self) -> Fingerprint {
        self.tenancy
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Table, View};

    #[test]
    fn only_a_schema_that_no_other_tenant_could_mean_is_a_tenant_s() {
        let tenancy = Tenancy::builder()
            .search_path(["shared", "public"])
            .table(Table::in_tenant_schema("tasks").columns(["id"]))
            .table(Table::reference("countries").schema("world"))
            .view(View::new("v", "SELECT 1").schema("reports"))
            .build()
            .unwrap();
        let error = |name: &str| tenancy.tenant_schema(name).unwrap_err();
        for name in ["", "a\0b"] {
            assert_eq!(error(name), TenantSchemaError::NotAName);
        }
        assert_eq!(error(&"x".repeat(64)), TenantSchemaError::TooLong);
        assert_eq!(error(&"ä".repeat(32)), TenantSchemaError::TooLong);
        for name in [
            "pg_catalog",
            "pg_temp",
            "pg_",
            PLACEHOLDER,
            "citus",
            "information_schema",
        ] {
            assert_eq!(error(name), TenantSchemaError::Reserved);
        }
        for name in ["public", "shared", "world", "reports"] {
            assert_eq!(error(name), TenantSchemaError::Shared);
        }
        for name in [
            "acme",
            "Acme",
            "a\"b",
            "it's; --",
            "PUBLIC",
            &"x".repeat(63),
        ] {
            assert_eq!(tenancy.tenant_schema(name).unwrap().name().as_str(), name);
        }
    }
}
