//! Which nodes belong to the cluster.
//!
//! A node that was removed (`citus_remove_node`) goes on answering with the metadata it had, and
//! what is written through it can be lost after a later move (measured on Citus 13.2). So the pool
//! of a node that is gone from a new snapshot is closed at once, and no connection to it is made
//! again. Between the removal and the next reading of the coordinator's `pg_dist_node` it is still
//! used; closing that gap belongs here.

use std::sync::Arc;

use crate::snapshot::Snapshot;

/// Closes the pools of nodes that are not in the new snapshot.
pub(super) fn retire(before: &Snapshot, now: &Snapshot) {
    for node in before.nodes() {
        if !now.nodes().iter().any(|kept| Arc::ptr_eq(kept, node)) {
            tracing::info!(node = %node.address(), "the node has left, or is another one now");
            if let Some(pool) = node.used_pool() {
                pool.close();
            }
        }
    }
}
