//! What is done to a statement. Where the text goes and how it is written, `splice` knows.

use crate::facts::{ConditionSite, Relation, Span};
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
    /// A view's name is replaced by its query, to which edits of its own apply.
    Expand {
        relation: Relation,
        query: String,
        edits: Vec<Edit>,
    },
    /// Restrictions are added to a condition.
    Condition {
        site: ConditionSite,
        restrictions: Vec<Restriction>,
    },
    /// `TABLE` becomes `SELECT * FROM`, which says the same and can have a condition.
    SelectStar { keyword: Span },
    /// The tenant column is added to an INSERT's column list.
    InsertColumn { at: usize, tenant_column: Ident },
    /// An INSERT gets a column list: those that it means, and the tenant column.
    InsertColumns {
        at: usize,
        columns: Vec<Ident>,
        tenant_column: Ident,
    },
    /// The tenant is added to a row of values.
    InsertValue { at: usize, value: TenantValue },
    /// `$n` with its type is added to a select list.
    InsertOutput { at: usize, tenant_type: TenantType },
    /// `DEFAULT VALUES` becomes a row of the tenant alone.
    DefaultValues {
        words: Span,
        tenant_column: Ident,
        value: TenantValue,
    },
}

/// `qualifier.tenant_column = $n`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Restriction {
    pub(crate) qualifier: Ident,
    pub(crate) tenant_column: Ident,
    /// Another tenant table's column that is said to be equal, because Citus plans a MERGE by it.
    pub(crate) equal_to: Option<TenantColumn>,
}

/// A restricted table's tenant column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TenantColumn {
    pub(crate) qualifier: Ident,
    pub(crate) name: Ident,
}

/// What a new row gets for its tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TenantValue {
    Param,
    Column(TenantColumn),
}
