//! Into what rows are copied.

use std::fmt::Write;

use tenant_guard::{Access, Ident, TableName, TenantType};

use crate::TenantId;
use crate::error::RequestError;
use crate::snapshot::Snapshot;

/// A table whose named columns, and the tenant column behind them, are to be filled.
#[derive(Debug)]
pub(crate) struct Target {
    /// `schema.table (columns, tenant)`, as SQL.
    pub(crate) sql: String,
    /// The columns with the tenant column, as SQL.
    pub(crate) columns: String,
    /// The table, as SQL.
    pub(crate) table: String,
    /// How many columns its caller gives.
    pub(crate) width: usize,
    /// Whose rows they are, where that stands in the rows.
    pub(crate) distribution: Option<(Ident, TenantType)>,
}

impl Target {
    /// What the guard says of an `INSERT` of the same columns holds for a `COPY`. Names are as stored, the
    /// table's with or without its schema.
    pub(crate) fn new(
        snapshot: &Snapshot,
        table: &str,
        columns: &[&str],
        tenant: Option<&TenantId>,
    ) -> Result<Self, RequestError> {
        let quoted = |name: &str| Ident::new(name).quoted().into_owned();
        let mut names: Vec<String> = columns.iter().map(|name| quoted(name)).collect();
        let written = match table.split_once('.') {
            Some((schema, table)) => format!("{}.{}", quoted(schema), quoted(table)),
            None => quoted(table),
        };
        let mut insert = format!("INSERT INTO {written} ({}) VALUES (", names.join(", "));
        for number in 1..=names.len() {
            let comma = if number == 1 { "" } else { ", " };
            // Writing to a String cannot fail.
            let _ = write!(insert, "{comma}${number}");
        }
        insert.push(')');
        let guarded = snapshot.guard.cached(&insert)?;
        let slot = guarded.table_slots().first();
        let slot = slot.ok_or(RequestError::StaleStatement)?;
        let TableName { schema, name } = &slot.table;
        let tenancy = snapshot.guard.tenancy();
        let (schema, distribution) = if let Access::Tenant {
            colocation,
            tenant_type,
        } = guarded.access()
        {
            let table = tenancy.resolve(Some(schema.as_str()), name.as_str());
            let distribution = table.and_then(|table| table.distribution());
            let distribution = distribution.ok_or(RequestError::StaleStatement)?;
            names.push(distribution.column.quoted().into_owned());
            let distribution = (colocation.clone(), tenant_type.clone());
            (schema.quoted().into_owned(), Some(distribution))
        } else {
            let schema = tenant.and_then(TenantId::as_schema);
            let schema = tenancy.tenant_schema(schema.ok_or(RequestError::TenantSchema)?)?;
            (schema.name().quoted().into_owned(), None)
        };
        let table = format!("{schema}.{}", name.quoted());
        let width = columns.len();
        let columns = names.join(", ");
        Ok(Self {
            sql: format!("{table} ({columns})"),
            columns,
            table,
            width,
            distribution,
        })
    }
}
