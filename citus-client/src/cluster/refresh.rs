//! Keeping up with the cluster, in the background.

use std::sync::{Arc, Weak};
use std::time::Duration;

use rand::seq::SliceRandom;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

use super::{Inner, bootstrap, membership, schema_checks, version_skew};
use crate::connection::with_jitter;
use crate::error::ConnectError;
use crate::metadata::Metadata;
use crate::snapshot::Snapshot;
use crate::topology::NodeAddress;

/// However many errors hint at a change: the cluster is not asked more often than this.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Starts the task. It ends with the last [`Cluster`](crate::Cluster).
pub(super) fn spawn(inner: &Arc<Inner>) {
    let period = inner.config().refresh_every;
    let (inner, kick) = (Arc::downgrade(inner), Arc::clone(&inner.kick));
    tokio::spawn(keep_up(inner, kick, period));
}

async fn keep_up(inner: Weak<Inner>, kick: Arc<Notify>, period: Duration) {
    let mut pause = SHORTEST_PAUSE;
    let mut earliest = Instant::now();
    loop {
        // Either it is due, or somebody asks for it.
        let _ = timeout(with_jitter(period, 0.2), kick.notified()).await;
        if inner.strong_count() == 0 {
            return;
        }
        sleep_until(earliest).await;
        let Some(inner) = inner.upgrade() else { return };
        if inner.connecting.capacity.is_closed() {
            return;
        }
        match refresh(&inner).await {
            Ok(()) => {
                pause = SHORTEST_PAUSE;
                version_skew::look(&inner).await;
            }
            Err(error) => {
                tracing::warn!(%error, "the topology cannot be read; the last one stays in force");
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
        earliest = Instant::now() + pause;
    }
}

/// Reads the metadata and replaces the snapshot. The coordinator is asked first, as it alone knows
/// who belongs to the cluster; while it is away any other node will do, because then nobody can
/// be removed or added.
pub(crate) async fn refresh(inner: &Inner) -> Result<(), ConnectError> {
    let _turn = inner.refreshing.lock().await;
    let before = inner.snapshot.load_full();
    if !before.topology.forwards() {
        // Servers without Citus have nothing to tell.
        return Ok(());
    }
    let mut last = None;
    for address in candidates(&before) {
        match bootstrap::read(&inner.connecting, &address).await {
            Ok((connection, metadata)) => {
                replace(inner, &before, &address, &metadata)?;
                let now = inner.snapshot.load_full();
                if now.fingerprint != before.fingerprint {
                    let tenancy = now.guard.tenancy();
                    schema_checks::after_change(inner.config(), &connection, tenancy).await;
                }
                return Ok(());
            }
            Err(error) => {
                tracing::debug!(%error, "a node does not tell the topology");
                last = Some(error);
            }
        }
    }
    // There is a coordinator at least.
    last.map_or(Ok(()), Err)
}

fn candidates(snapshot: &Snapshot) -> Vec<NodeAddress> {
    let coordinator = snapshot.topology.coordinator();
    let mut others: Vec<NodeAddress> = snapshot
        .topology
        .nodes()
        .iter()
        .filter(|node| node.is_routable() && !node.is_coordinator())
        .map(|node| node.address().clone())
        .collect();
    others.shuffle(&mut rand::rng());
    std::iter::once(coordinator.address().clone())
        .chain(others)
        .collect()
}

fn replace(
    inner: &Inner,
    before: &Snapshot,
    asked: &NodeAddress,
    metadata: &Metadata,
) -> Result<(), ConnectError> {
    let config = inner.config();
    let Some(cluster) = &metadata.cluster else {
        let reason = "the extension citus is gone".to_owned();
        return Err(ConnectError::Metadata {
            node: asked.clone(),
            reason,
        });
    };
    let utf8 = metadata.schema.is_utf8();
    let topology = cluster.topology(config, asked, Some(&before.topology), utf8);
    let mut guard = before.guard.clone();
    // The schema is the coordinator's to tell. The old guard stays when nothing has changed, with
    // all that it remembers.
    if config.tenancy.is_none() && cluster.is_of_coordinator() {
        let new = bootstrap::guard(config, metadata)?;
        if new.tenancy().fingerprint() != before.fingerprint {
            guard = new;
        }
    }
    let now = Snapshot::new(topology, guard, &inner.connecting, Some(before));
    let now = Arc::new(now.read_at(cluster.fingerprint()));
    inner.snapshot.store(Arc::clone(&now));
    now.warm_up();
    membership::retire(before, &now);
    inner.events.tell(before, &now);
    Ok(())
}
