//! What is done to a statement. Where the text goes and how it is written, `splice` knows.

use crate::facts::{ConditionSite, Relation};
use crate::{Ident, TableName, TenantType};

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Edit {
    /// The table is named with its schema and stays as it is.
    Qualify {
        relation: Relation,
        table: TableName,
    },
    /// The table is read through a sub-query of the tenant's rows.
    Derive {
        relation: Relation,
        table: TableName,
        tenant_column: Ident,
    },
    /// `qualifier.tenant_column = $n` is added to a condition.
    Condition {
        site: ConditionSite,
        qualifier: Ident,
        tenant_column: Ident,
    },
    /// The tenant column is added to an INSERT's column list.
    InsertColumn { at: usize, tenant_column: Ident },
    /// `$n` is added to a row of values.
    InsertValue { at: usize },
    /// `$n` with its type is added to a select list.
    InsertOutput { at: usize, tenant_type: TenantType },
}
