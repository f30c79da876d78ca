//! Why a statement of a tenant goes where it goes.

use std::fmt;

use tenant_guard::{Access, TableName};

use crate::TenantId;
use crate::error::RequestError;
use crate::snapshot::{Reads, Snapshot};
use crate::topology::{NodeAddress, RouteReason, ShardRange};

/// Where a statement of a tenant goes, and why; made by
/// [`Cluster::route_statement`](crate::Cluster::route_statement). Shown, it is a sentence or two that
/// hold nothing of the tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatementRoute {
    /// The text that would be sent, but for the name of a tenant's schema.
    pub text: String,
    /// What it reads or writes.
    pub access: Access,
    /// The tables that it names, each once.
    pub tables: Vec<TableName>,
    /// The tenant's hash, where it can be computed and matters.
    pub hash: Option<i32>,
    /// The hash range of the shard, where it is known.
    pub range: Option<ShardRange>,
    /// The shard of one of the tables, `pg_dist_shard.shardid`, where it is known.
    pub shard: Option<i64>,
    /// The node that gets the statement.
    pub node: NodeAddress,
    /// Its id, `pg_dist_node.nodeid`.
    pub node_id: i32,
    /// Why it is this node.
    pub reason: RouteReason,
}

impl fmt::Display for StatementRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about = match &self.access {
            Access::Tenant { colocation, .. } => {
                format!("rows of one tenant in colocation group {colocation}")
            }
            Access::TenantSchema => "tables in the tenant's schema".to_owned(),
            Access::Reference => "reference tables alone".to_owned(),
            _ => "no table".to_owned(),
        };
        let Self {
            node,
            node_id,
            reason,
            ..
        } = self;
        write!(
            f,
            "{node} (node {node_id}), because {reason}; it is about {about}"
        )?;
        let tables: Vec<_> = self.tables.iter().map(ToString::to_string).collect();
        if !tables.is_empty() {
            write!(f, ": {}", tables.join(", "))?;
        }
        if let Some(range) = self.range {
            write!(f, "; hashes {range}")?;
        }
        if let Some(shard) = self.shard {
            write!(f, ", shard {shard}")?;
        }
        Ok(())
    }
}

pub(super) fn explain(
    snapshot: &Snapshot,
    sql: &str,
    tenant: &TenantId,
) -> Result<StatementRoute, RequestError> {
    let guarded = snapshot.guard.cached(sql)?;
    // The same that a request calls.
    let route = snapshot.routed(&guarded, tenant, Reads::ByPolicy)?.route;
    let mut tables: Vec<TableName> = guarded
        .table_slots()
        .iter()
        .map(|slot| slot.table.clone())
        .collect();
    tables.sort();
    tables.dedup();
    Ok(StatementRoute {
        text: guarded.text().to_owned(),
        access: guarded.access().clone(),
        tables,
        hash: route.hash(),
        range: route.range(),
        shard: route.shard(),
        node: route.node().address().clone(),
        node_id: route.node().id(),
        reason: route.reason(),
    })
}
