//! Whether the nodes answer.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::Inner;
use crate::Node;
use crate::error::RequestError;
use crate::snapshot::NodeHandle;

/// Whether one node answers; made by [`Cluster::ping`](crate::Cluster::ping).
#[derive(Debug)]
#[non_exhaustive]
pub struct Ping {
    /// The node.
    pub node: Node,
    /// How long the answer took over a connection that was there, or why there was none.
    pub answer: Result<Duration, RequestError>,
}

/// Asks all nodes at once.
pub(super) async fn ping(inner: &Inner) -> Vec<Ping> {
    let snapshot = inner.snapshot.load_full();
    let nodes = snapshot.topology.nodes().iter().zip(snapshot.nodes());
    let pings = nodes.map(|(node, handle)| async {
        Ping {
            node: node.clone(),
            answer: inner.observe(answer(inner, handle).await),
        }
    });
    join_all(pings).await
}

async fn answer(inner: &Inner, node: &NodeHandle) -> Result<Duration, RequestError> {
    let lease = node.acquire().await?;
    let sent = Instant::now();
    lease
        .connection()?
        .run("SELECT 1", inner.config().query_timeout)
        .await?;
    Ok(sent.elapsed())
}
