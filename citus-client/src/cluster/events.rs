//! What has changed from one snapshot to the next, told to those who want to know.

use std::collections::HashMap;

use futures_util::Stream;
use futures_util::stream::unfold;
use tenant_guard::Fingerprint;
use tokio::sync::broadcast;

use crate::snapshot::Snapshot;
use crate::{Node, NodeAddress, Topology, TopologyKind};

/// How many events may wait for a receiver.
const CAPACITY: usize = 256;

/// A change of the cluster, as the driver has taken note of it: new requests go by it already.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ClusterEvent {
    /// The receiver was too slow: this many events before the next one are lost to it.
    Missed {
        /// How many.
        events: u64,
    },
    /// What is known of a node has changed, and not its address: whether it is routed to, its role, its
    /// rack.
    NodeChanged {
        /// As it was.
        before: Node,
        /// As it is.
        node: Node,
    },
    /// There is another node.
    NodeJoined {
        /// The node.
        node: Node,
    },
    /// A node is none of the cluster any more, and its connections are closed.
    NodeLeft {
        /// As it was.
        node: Node,
    },
    /// A node listens elsewhere (`citus_update_node`), and its old connections are closed.
    NodeMoved {
        /// Where it was.
        from: NodeAddress,
        /// As it is.
        node: Node,
    },
    /// The tables or other things that statements can name have changed. What was guarded before is to
    /// be guarded anew.
    SchemaChanged {
        /// The tenancy's, before.
        before: Fingerprint,
        /// And now.
        now: Fingerprint,
    },
    /// Shards of a colocation group have other owners.
    ShardsMoved {
        /// `pg_dist_colocation.colocationid`
        colocation: u32,
        /// How many hash ranges are concerned; each is a shard of each table of the group.
        count: usize,
    },
    /// The hash ranges of a colocation group are others.
    ShardsSplit {
        /// `pg_dist_colocation.colocationid`
        colocation: u32,
        /// How many ranges there were.
        before: usize,
        /// And now.
        now: usize,
    },
    /// Schemas that are tenants came, went, or have another owner.
    TenantSchemas {
        /// How many came.
        joined: usize,
        /// How many went.
        left: usize,
        /// How many are elsewhere.
        moved: usize,
    },
    /// Citus was upgraded.
    VersionChanged {
        /// The coordinator's version before, as `pg_extension` has it.
        before: String,
        /// And now.
        now: String,
    },
    /// A node that is used has another version of Citus than the coordinator. Told once for each version
    /// of the coordinator.
    VersionSkew {
        /// The node.
        node: NodeAddress,
        /// Its version, as `pg_extension` has it.
        version: String,
        /// The coordinator's.
        coordinator: String,
    },
}

/// What changes from now on; made by [`Cluster::watch`](crate::Cluster::watch). At most some hundred
/// events wait for it, and it holds nothing of the cluster: it ends with it.
#[derive(Debug)]
pub struct Watch {
    receiver: broadcast::Receiver<ClusterEvent>,
}

impl Watch {
    /// The next change, [`ClusterEvent::Missed`] where some are lost; `None` when the last handle of the
    /// cluster is gone. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<ClusterEvent> {
        match self.receiver.recv().await {
            Ok(event) => Some(event),
            Err(broadcast::error::RecvError::Lagged(events)) => {
                Some(ClusterEvent::Missed { events })
            }
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }

    /// The same as a stream.
    pub fn into_stream(self) -> impl Stream<Item = ClusterEvent> + Send {
        unfold(self, |mut watch| async move {
            let event = watch.next().await?;
            Some((event, watch))
        })
    }
}

/// Tells those who watch.
#[derive(Debug)]
pub(super) struct Events(broadcast::Sender<ClusterEvent>);

impl Default for Events {
    fn default() -> Self {
        Self(broadcast::Sender::new(CAPACITY))
    }
}

impl Events {
    pub(super) fn watch(&self) -> Watch {
        Watch {
            receiver: self.0.subscribe(),
        }
    }

    pub(super) fn version_skew(&self, node: &NodeAddress, version: &str, coordinator: &str) {
        // Most often nobody listens.
        let _ = self.0.send(ClusterEvent::VersionSkew {
            node: node.clone(),
            version: version.to_owned(),
            coordinator: coordinator.to_owned(),
        });
    }

    /// Tells and traces what has changed.
    pub(super) fn tell(&self, before: &Snapshot, now: &Snapshot) {
        let mut events = between(&before.topology, &now.topology);
        if before.fingerprint != now.fingerprint {
            events.push(ClusterEvent::SchemaChanged {
                before: before.fingerprint,
                now: now.fingerprint,
            });
        }
        for event in events {
            tracing::info!(?event, "the cluster has changed");
            // Most often nobody listens.
            let _ = self.0.send(event);
        }
    }
}

fn between(before: &Topology, now: &Topology) -> Vec<ClusterEvent> {
    let mut events = Vec::new();
    if let (TopologyKind::Citus { version: old }, TopologyKind::Citus { version: new }) =
        (before.kind(), now.kind())
        && old != new
    {
        events.push(ClusterEvent::VersionChanged {
            before: old.clone(),
            now: new.clone(),
        });
    }
    // Nodes join before they get shards, and leave after they have lost them.
    joined(before.nodes(), now.nodes(), &mut events);
    colocations(before, now, &mut events);
    schemas(before, now, &mut events);
    left(before.nodes(), now.nodes(), &mut events);
    events
}

fn joined(before: &[Node], now: &[Node], events: &mut Vec<ClusterEvent>) {
    for node in now {
        let node = node.clone();
        events.extend(match before.iter().find(|old| old.id() == node.id()) {
            None => Some(ClusterEvent::NodeJoined { node }),
            Some(old) if *old == node => None,
            Some(old) if old.address() != node.address() => {
                let from = old.address().clone();
                Some(ClusterEvent::NodeMoved { from, node })
            }
            Some(old) => Some(ClusterEvent::NodeChanged {
                before: old.clone(),
                node,
            }),
        });
    }
}

fn left(before: &[Node], now: &[Node], events: &mut Vec<ClusterEvent>) {
    let gone = |old: &&Node| now.iter().all(|node| node.id() != old.id());
    events.extend(
        before
            .iter()
            .filter(gone)
            .map(|node| ClusterEvent::NodeLeft { node: node.clone() }),
    );
}

/// Groups that come and go do so with their tables, which is a change of the schema.
fn colocations(before: &Topology, now: &Topology, events: &mut Vec<ClusterEvent>) {
    for new in now.colocations() {
        let colocation = new.id();
        let Some(old) = before
            .colocations()
            .iter()
            .find(|old| old.id() == colocation)
        else {
            continue;
        };
        if !old.ranges().eq(new.ranges()) {
            events.push(ClusterEvent::ShardsSplit {
                colocation,
                before: old.shard_count(),
                now: new.shard_count(),
            });
            continue;
        }
        let owners = before.owners(old).zip(now.owners(new));
        let count = owners.filter(|(old, new)| old != new).count();
        if count > 0 {
            events.push(ClusterEvent::ShardsMoved { colocation, count });
        }
    }
}

fn schemas(before: &Topology, now: &Topology, events: &mut Vec<ClusterEvent>) {
    let old: HashMap<_, _> = before.schema_owners().collect();
    let (mut joined, mut moved, mut stayed) = (0, 0, 0);
    for (name, owner) in now.schema_owners() {
        match old.get(name) {
            None => joined += 1,
            Some(old) if *old == owner => stayed += 1,
            Some(_) => moved += 1,
        }
    }
    let left = old.len() - moved - stayed;
    if joined + left + moved > 0 {
        events.push(ClusterEvent::TenantSchemas {
            joined,
            left,
            moved,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(number: usize) -> ClusterEvent {
        ClusterEvent::ShardsMoved {
            colocation: 1,
            count: number,
        }
    }

    #[tokio::test]
    async fn who_is_too_slow_is_told_so_and_goes_on() {
        let events = Events::default();
        let mut watch = events.watch();
        for number in 0..=CAPACITY {
            let _ = events.0.send(event(number));
        }
        let missed = watch.next().await;
        assert_eq!(missed, Some(ClusterEvent::Missed { events: 1 }));
        assert_eq!(watch.next().await, Some(event(1)));
        drop(events);
        for number in 2..=CAPACITY {
            assert_eq!(watch.next().await, Some(event(number)));
        }
        assert_eq!(watch.next().await, None);
    }

    #[test]
    fn nodes_are_told_apart_by_their_ids() {
        let node = |id, host: &str, routable| {
            Node::new(id, id, NodeAddress::new(host, 1), false, routable)
        };
        let before = [node(1, "a", true), node(2, "b", true), node(3, "c", true)];
        let now = [node(1, "a", false), node(2, "d", true), node(4, "c", true)];
        let mut events = Vec::new();
        joined(&before, &now, &mut events);
        left(&before, &now, &mut events);
        let expected = [
            ClusterEvent::NodeChanged {
                before: before[0].clone(),
                node: now[0].clone(),
            },
            ClusterEvent::NodeMoved {
                from: NodeAddress::new("b", 1),
                node: now[1].clone(),
            },
            ClusterEvent::NodeJoined {
                node: now[2].clone(),
            },
            ClusterEvent::NodeLeft {
                node: before[2].clone(),
            },
        ];
        assert_eq!(events, expected);
    }
}
