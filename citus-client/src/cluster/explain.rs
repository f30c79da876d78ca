//! Why a tenant's statements go where they go.

use tenant_guard::{Ident, TableKind, TableName, TenantType};

use crate::snapshot::Snapshot;
use crate::topology::{NodeAddress, RouteReason, ShardRange};
use crate::{TenantId, TenantIdError};

/// Where a tenant's statements on a table go, and why; made by
/// [`Cluster::route`](crate::Cluster::route).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The table, as its name was resolved.
    pub table: TableName,
    /// Its tenant column.
    pub column: Ident,
    /// The type of the tenant column.
    pub tenant_type: TenantType,
    /// The tenancy's name of its colocation group.
    pub colocation: Ident,
    /// The tenant's hash, where it can be computed.
    pub hash: Option<i32>,
    /// The hash range of the shard, where it is known.
    pub range: Option<ShardRange>,
    /// The node that gets the statements.
    pub node: NodeAddress,
    /// Its id, `pg_dist_node.nodeid`.
    pub node_id: i32,
    /// Why it is this node.
    pub reason: RouteReason,
}

/// Why a table's statements cannot be routed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// The table's rows are not tenants'.
    #[error("{table} is no tenant table: {kind}")]
    NoTenantTable {
        /// The table.
        table: TableName,
        /// What it is instead.
        kind: &'static str,
    },
    /// The tenant's value is none of the tenant column's type.
    #[error(transparent)]
    Tenant(#[from] TenantIdError),
    /// There is no such table.
    #[error("there is no table {0}")]
    UnknownTable(String),
}

pub(super) fn explain(
    snapshot: &Snapshot,
    table: &str,
    tenant: &TenantId,
) -> Result<Explanation, RouteError> {
    let (schema, name) = match table.split_once('.') {
        Some((schema, name)) => (Some(schema), name),
        None => (None, table),
    };
    let found = snapshot.guard.tenancy().resolve(schema, name);
    let found = found.ok_or_else(|| RouteError::UnknownTable(table.to_owned()))?;
    let distribution = match found.kind() {
        TableKind::Distributed(distribution) => distribution,
        kind => {
            let table = found.name().clone();
            let kind = match kind {
                TableKind::Reference => "a reference table, the same on every node",
                _ => "a table of the coordinator alone",
            };
            return Err(RouteError::NoTenantTable { table, kind });
        }
    };
    let route =
        snapshot
            .topology
            .route(&distribution.colocation, &distribution.tenant_type, tenant)?;
    Ok(Explanation {
        table: found.name().clone(),
        column: distribution.column.clone(),
        tenant_type: distribution.tenant_type.clone(),
        colocation: distribution.colocation.clone(),
        hash: route.hash(),
        range: route.range(),
        node: route.node().address().clone(),
        node_id: route.node().id(),
        reason: route.reason(),
    })
}
