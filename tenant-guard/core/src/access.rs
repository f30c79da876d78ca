//! What a statement touches, and where.

use std::ops::Range;

use crate::{Ident, TableName, TenantType};

/// What a statement touches.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// Rows of one tenant (and possibly reference tables).
    Tenant {
        /// The colocation group of all its tenant tables.
        colocation: Ident,
        /// The type of the tenant column, and so of the added parameter.
        tenant_type: TenantType,
    },
    /// Rows of one tenant in its own schema (and possibly reference tables). The text has a
    /// placeholder for the schema: see `GuardedSql::text_for_schema`.
    TenantSchema,
    /// Reference tables only: any node can answer.
    Reference,
    /// No table at all.
    Nothing,
}

/// Where a table's name stands in the guarded text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSlot {
    /// The bytes of the schema-qualified name in the rewritten text.
    pub range: Range<usize>,
    /// The table it names.
    pub table: TableName,
}
