//! Which nodes belong to the cluster.
//!
//! A node that was removed (`citus_remove_node`) or disabled goes on answering with the metadata it
//! had, and what is written through it can be lost after a later move (measured on Citus 13.2). So
//! the pool of a node that is gone from a new snapshot is closed at once, and no connection to it is
//! made again. Those who wait for a connection, or have one and have not sent anything, go elsewhere;
//! transactions that are open on it cannot be committed.
//!
//! Between the removal and the next look at the coordinator (see [`changes`](super::changes)) it is
//! still used. That is no more than about a second, and a loss takes a move of a shard after it.

use std::sync::Arc;

use crate::Node;
use crate::snapshot::{Departure, Snapshot};

/// Closes the pools of nodes that are not in the new snapshot.
pub(super) fn retire(before: &Snapshot, now: &Snapshot) {
    for (node, handle) in before.topology.nodes().iter().zip(before.nodes()) {
        if now.nodes().iter().any(|kept| Arc::ptr_eq(kept, handle)) {
            continue;
        }
        let departure = departure(node, now.topology.nodes());
        tracing::info!(node = %node.address(), ?departure, "the pool of a node is closed");
        handle.retire(departure);
    }
}

fn departure(node: &Node, now: &[Node]) -> Departure {
    let stays = now.iter().any(|other| {
        // The coordinator has the metadata whatever they say of it.
        let is_trusted = other.is_coordinator() || other.is_routable() || !node.is_routable();
        other.id() == node.id() && other.address() == node.address() && is_trusted
    });
    if stays {
        Departure::Replaced
    } else {
        Departure::Left
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NodeAddress;

    fn node(id: i32, host: &str, is_coordinator: bool, is_routable: bool) -> Node {
        Node::new(
            id,
            id,
            NodeAddress::new(host, 5432),
            is_coordinator,
            is_routable,
        )
    }

    #[test]
    fn only_a_node_that_is_trusted_as_before_stays() {
        let before = node(1, "a", false, true);
        let among = |other| departure(&before, &[node(7, "a", false, true), other]);
        assert_eq!(among(node(1, "a", false, true)), Departure::Replaced);
        assert_eq!(among(node(1, "b", false, true)), Departure::Left);
        assert_eq!(among(node(2, "a", false, true)), Departure::Left);
        assert_eq!(among(node(1, "a", false, false)), Departure::Left);
        assert_eq!(among(node(1, "a", true, false)), Departure::Replaced);
    }
}
