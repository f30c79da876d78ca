//! Rows of many tenants, straight to the nodes that own them.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::future::join_all;
use postgres_types::{ToSql, Type};
use tokio::time::timeout;
use tokio_postgres::binary_copy::BinaryCopyInWriter;

use crate::cluster::Inner;
use crate::copy::needs_names;
use crate::copy::target::Target;
use crate::error::{BulkLoadError, RequestError};
use crate::pool::Lease;
use crate::snapshot::Snapshot;
use crate::tenant_id::ColumnValue;
use crate::{NodeAddress, TenantId};

/// Rows of many tenants on their way into a table: each goes straight to the node that owns its tenant,
/// by one `COPY` for each node. Made by [`Cluster::bulk_load`](crate::Cluster::bulk_load).
///
/// The rows of a node are there all together or not at all, when [`BulkLoad::finish`] has ended; those of
/// different nodes are transactions of their own. What a [`BulkLoadError`] says was loaded is there, and
/// is not to be loaded again. Dropped before its end, nothing is kept.
#[must_use = "nothing is kept before `finish`"]
pub struct BulkLoad {
    inner: Arc<Inner>,
    snapshot: Arc<Snapshot>,
    target: Target,
    types: Arc<[Type]>,
    /// By the place of the node in the topology.
    nodes: HashMap<usize, NodeLoad>,
    rows: u64,
    /// A row could not be written.
    failed: bool,
}

struct NodeLoad {
    lease: Lease,
    writer: Pin<Box<BinaryCopyInWriter>>,
}

/// What [`BulkLoad::finish`] has loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BulkLoaded {
    /// How many rows each node got.
    pub nodes: Vec<(NodeAddress, u64)>,
}

impl BulkLoaded {
    /// How many rows there were.
    pub fn rows(&self) -> u64 {
        self.nodes.iter().map(|(_, rows)| rows).sum()
    }
}

impl BulkLoad {
    pub(crate) async fn start(
        inner: Arc<Inner>,
        table: &str,
        columns: &[&str],
    ) -> Result<Self, RequestError> {
        needs_names(&inner)?;
        let snapshot = inner.snapshot.load_full();
        let target = Target::new(&snapshot, table, columns, None)?;
        let lease = inner.observe(snapshot.coordinator().acquire().await)?;
        let limit = inner.config().query_timeout;
        let sql = format!("SELECT {} FROM {} LIMIT 0", target.columns, target.table);
        let connection = lease.connection()?;
        let in_flight = connection.start();
        let types = timeout(limit, connection.column_types(&sql)).await;
        let types = inner.observe(connection.settle(in_flight, types, limit))?;
        drop(lease);
        Ok(Self {
            inner,
            snapshot,
            target,
            types: types.into(),
            nodes: HashMap::new(),
            rows: 0,
            failed: false,
        })
    }

    /// Writes one row: the values of the columns that were named, in their order. Waits while the node is
    /// slower.
    ///
    /// # Errors
    /// [`BulkLoadError::Row`] for a row that cannot be written as the table's columns; after any error
    /// nothing can be written any more, and nothing is kept.
    pub async fn write(
        &mut self,
        tenant: impl Into<TenantId>,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<(), BulkLoadError> {
        if self.failed {
            return Err(BulkLoadError::Failed);
        }
        self.rows += 1;
        let row = self.rows;
        // Half of a row may be written when this ends in any other way.
        self.failed = true;
        let written = self.write_row(&tenant.into(), values).await;
        self.failed = written.is_err();
        written.map_err(|error| {
            self.abandon();
            BulkLoadError::Row { row, error }
        })
    }

    async fn write_row(
        &mut self,
        tenant: &TenantId,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<(), RequestError> {
        let limit = self.inner.config().query_timeout;
        let (expected, given) = (self.target.width, values.len());
        if expected != given {
            return Err(RequestError::ParameterCount { expected, given });
        }
        let distribution = self.target.distribution.as_ref();
        let (colocation, tenant_type) = distribution.ok_or(RequestError::TenantSchema)?;
        let value = ColumnValue::new(tenant, tenant_type)?;
        if matches!(value, ColumnValue::Other(_)) {
            return Err(RequestError::NoBinaryForm);
        }
        let route = self.snapshot.topology.route_value(colocation, &value);
        let index = route.index();
        if !self.nodes.contains_key(&index) {
            let node = self.snapshot.node(&route);
            let started = NodeLoad::start(&self.inner, node, &self.target.sql, &self.types);
            let started = self.inner.observe(started.await)?;
            self.nodes.insert(index, started);
        }
        let Some(node) = self.nodes.get_mut(&index) else {
            return Ok(());
        };
        let mut values: Vec<&(dyn ToSql + Sync)> = values.to_vec();
        values.push(&value);
        let connection = node.lease.connection()?;
        let in_flight = connection.start();
        let written = timeout(limit, node.writer.as_mut().write(&values)).await;
        self.inner
            .observe(connection.settle(in_flight, written, limit))
    }

    /// Ends the load on all nodes at once.
    ///
    /// # Errors
    /// [`BulkLoadError::Node`] when a node refused its rows or was lost, with what the others have loaded.
    pub async fn finish(mut self) -> Result<BulkLoaded, BulkLoadError> {
        if self.failed {
            return Err(BulkLoadError::Failed);
        }
        let inner = Arc::clone(&self.inner);
        let mut nodes: Vec<NodeLoad> = self.nodes.drain().map(|(_, node)| node).collect();
        let finished = join_all(nodes.iter_mut().map(|node| node.finish(&inner))).await;
        let (mut loaded, mut failed) = (Vec::new(), None);
        for (node, result) in nodes.iter().zip(finished) {
            match result {
                Ok(rows) => loaded.push((node.lease.node().clone(), rows)),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        loaded.sort();
        match failed {
            Some(error) => Err(BulkLoadError::Node { error, loaded }),
            None => Ok(BulkLoaded { nodes: loaded }),
        }
    }

    fn abandon(&mut self) {
        for (_, node) in self.nodes.drain() {
            node.lease.spoil();
        }
    }
}

impl Drop for BulkLoad {
    fn drop(&mut self) {
        self.abandon();
    }
}

impl NodeLoad {
    async fn start(
        inner: &Inner,
        node: &crate::snapshot::NodeHandle,
        target: &str,
        types: &[Type],
    ) -> Result<Self, RequestError> {
        let lease = node.acquire().await?;
        let limit = inner.config().query_timeout;
        let sql = format!("COPY {target} FROM STDIN (FORMAT binary)");
        let connection = lease.connection()?;
        let in_flight = connection.start();
        let sink = timeout(limit, connection.copy_in(&sql)).await;
        let sink = connection.settle(in_flight, sink, limit)?;
        Ok(Self {
            lease,
            writer: Box::pin(BinaryCopyInWriter::new(sink, types)),
        })
    }

    async fn finish(&mut self, inner: &Inner) -> Result<u64, RequestError> {
        let limit = inner.config().query_timeout;
        let connection = self.lease.connection()?;
        let in_flight = connection.start();
        let finished = timeout(limit, self.writer.as_mut().finish()).await;
        inner.observe(connection.settle(in_flight, finished, limit))
    }
}

impl std::fmt::Debug for BulkLoad {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BulkLoad")
            .field("target", &self.target.sql)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}
