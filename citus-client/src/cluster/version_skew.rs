//! Nodes with another version of Citus than the coordinator's, as in the middle of an upgrade.
//!
//! Citus itself refuses much then, with errors that name no cause. Each node that is used is asked once
//! for each version that the coordinator has had.

use std::time::Duration;

use tokio::time::timeout;

use super::Inner;
use crate::TopologyKind;
use crate::error::RequestError;
use crate::metadata::EXTENSION_VERSION;
use crate::snapshot::NodeHandle;

/// There may be no connection free, and the next refresh comes.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) async fn look(inner: &Inner) {
    let snapshot = inner.snapshot.load_full();
    let TopologyKind::Citus { version } = snapshot.topology.kind() else {
        return;
    };
    for (node, handle) in snapshot.topology.nodes().iter().zip(snapshot.nodes()) {
        let is_used = node.is_routable() && handle.used_pool().is_some();
        if !is_used || handle.is_known_beside(version) {
            continue;
        }
        let Ok(Ok(Some(found))) = timeout(PATIENCE, ask(handle)).await else {
            continue;
        };
        handle.known_beside(version);
        if found != *version {
            tracing::warn!(
                node = %node.address(), version = %found, coordinator = %version,
                "a node has another version of Citus than the coordinator"
            );
            inner.events.version_skew(node.address(), &found, version);
        }
    }
}

async fn ask(node: &NodeHandle) -> Result<Option<String>, RequestError> {
    let lease = node.acquire().await?;
    let connection = lease.connection()?;
    let in_flight = connection.start();
    let answer = timeout(PATIENCE, connection.ask(EXTENSION_VERSION)).await;
    connection.settle(in_flight, answer, PATIENCE)
}
