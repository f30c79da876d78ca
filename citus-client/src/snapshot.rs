//! Everything a request reads, in one value.

mod membership;
mod routing;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tenant_guard::{Fingerprint, Guard, Ident, Tenancy, TenantType};

use crate::config::Config;
use crate::connection::{Canceller, Connector};
use crate::error::RequestError;
use crate::pool::{Capacity, Lease, NodePool};
use crate::tenant_id::ColumnValue;
use crate::tls::MakeTls;
use crate::topology::{NodeAddress, Route, RouteReason, Topology};
use crate::{Node, ReadPolicy, TenantId};

pub(crate) use membership::{Departure, Membership};
pub(crate) use routing::{Reads, Routed};

/// The topology, the guard and the nodes' pools that belong together. A request reads it once, and
/// goes on with what it found.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) topology: Arc<Topology>,
    pub(crate) guard: Guard,
    pub(crate) fingerprint: Fingerprint,
    /// The coordinator's fingerprint of its nodes and shards when they were read; see
    /// [`changes`](crate::metadata::changes).
    pub(crate) changes: Option<String>,
    reads: ReadPolicy,
    /// In the order of the topology's nodes.
    nodes: Vec<Arc<NodeHandle>>,
    /// The colocation groups of the tenancy, the one with the most tables first.
    groups: Vec<(Ident, TenantType)>,
}

/// What is needed to make connections.
#[derive(Clone, Debug)]
pub(crate) struct Connecting {
    pub(crate) config: Arc<Config>,
    pub(crate) tls: MakeTlsDebug,
    pub(crate) canceller: Canceller,
    /// What all pools share.
    pub(crate) capacity: Arc<Capacity>,
}

/// The TLS of a connection shows nothing of itself.
#[derive(Clone)]
pub(crate) struct MakeTlsDebug(pub(crate) MakeTls);

impl std::fmt::Debug for MakeTlsDebug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MakeTls")
    }
}

impl Connecting {
    /// Connections to a node, with this search path or the server's own.
    pub(crate) fn to(&self, node: &NodeAddress, search_path: Option<&[Ident]>) -> Connector {
        Connector::new(
            &self.config,
            node,
            search_path,
            &self.tls.0,
            &self.canceller,
        )
    }
}

/// A node and its pool, which is made when it is first used. It is handed from snapshot to snapshot
/// for as long as the node stays the same one.
#[derive(Debug)]
pub(crate) struct NodeHandle {
    id: i32,
    is_routable: bool,
    is_coordinator: bool,
    connector: Connector,
    config: Arc<Config>,
    capacity: Arc<Capacity>,
    pool: OnceLock<NodePool>,
    membership: Arc<Membership>,
    /// The coordinator's version of Citus when this node was last asked for its own.
    known_beside: Mutex<Option<String>>,
}

impl NodeHandle {
    /// Its address.
    pub(crate) fn address(&self) -> &NodeAddress {
        self.connector.node()
    }

    /// A connection, which nobody gets of a node that has left the cluster, also while it is waited
    /// for: [`RequestError::NodeLeft`] then, and the newest snapshot says where to go instead.
    pub(crate) async fn acquire(&self) -> Result<Lease, RequestError> {
        let ended = self.membership.ended();
        let acquired = tokio::select! {
            biased;
            acquired = self.pool().acquire() => Some(acquired),
            () = ended => None,
        };
        match acquired {
            Some(acquired) if !self.membership.has_ended() => {
                Ok(acquired?.of_member(&self.membership))
            }
            _ => Err(RequestError::NodeLeft {
                node: self.address().clone(),
            }),
        }
    }

    fn pool(&self) -> &NodePool {
        self.pool.get_or_init(|| {
            let settings = self.config.pool_of(self.is_coordinator);
            NodePool::new(
                &self.config,
                settings,
                self.connector.clone(),
                &self.capacity,
            )
        })
    }

    /// Its pool, if something was ever sent to it.
    pub(crate) fn used_pool(&self) -> Option<&NodePool> {
        self.pool.get()
    }

    /// Another takes its place in newer snapshots, or none.
    pub(crate) fn retire(&self, departure: Departure) {
        self.membership.end(departure);
        if let Some(pool) = self.used_pool() {
            pool.close();
        }
    }

    /// Whether its version was compared with this one of the coordinator.
    pub(crate) fn is_known_beside(&self, version: &str) -> bool {
        let known = self.known_beside.lock();
        let known = known.unwrap_or_else(PoisonError::into_inner);
        known.as_deref() == Some(version)
    }

    pub(crate) fn known_beside(&self, version: &str) {
        let known = self.known_beside.lock();
        *known.unwrap_or_else(PoisonError::into_inner) = Some(version.to_owned());
    }

    fn is(&self, node: &Node, setup: &str) -> bool {
        self.id == node.id()
            && self.address() == node.address()
            // A node that was disabled has missed what happened meanwhile.
            && self.is_routable == node.is_routable()
            && self.is_coordinator == node.is_coordinator()
            // Statements of another search path must not meet its sessions.
            && self.connector.setup() == setup
    }
}

impl Snapshot {
    /// Puts a topology and a guard together, and takes over the pools of nodes that are still
    /// there.
    pub(crate) fn new(
        topology: Topology,
        guard: Guard,
        connecting: &Connecting,
        before: Option<&Self>,
    ) -> Self {
        let tenancy = guard.tenancy();
        let topology = topology.named_by(tenancy);
        let nodes = topology.nodes().iter().map(|node| {
            let connector = connecting.to(node.address(), Some(tenancy.search_path()));
            let same = before.and_then(|before| {
                before
                    .nodes
                    .iter()
                    .find(|old| old.is(node, connector.setup()))
            });
            match same {
                Some(handle) => Arc::clone(handle),
                None => Arc::new(NodeHandle {
                    id: node.id(),
                    is_routable: node.is_routable(),
                    is_coordinator: node.is_coordinator(),
                    connector,
                    config: Arc::clone(&connecting.config),
                    capacity: Arc::clone(&connecting.capacity),
                    pool: OnceLock::new(),
                    membership: Arc::default(),
                    known_beside: Mutex::default(),
                }),
            }
        });
        Self {
            nodes: nodes.collect(),
            groups: groups_by_size(tenancy),
            fingerprint: tenancy.fingerprint(),
            topology: Arc::new(topology),
            guard,
            changes: None,
            reads: connecting.config.reads.clone(),
        }
    }

    /// With the fingerprint of what was read.
    pub(crate) fn read_at(mut self, changes: Option<&str>) -> Self {
        self.changes = changes.map(str::to_owned);
        self
    }

    /// Makes the pools that keep connections ready before anybody asks for one.
    pub(crate) fn warm_up(&self) {
        for (node, handle) in self.topology.nodes().iter().zip(&self.nodes) {
            let wanted = handle.config.pool_of(node.is_coordinator()).min_idle;
            if wanted > 0 && (node.is_routable() || node.is_coordinator()) {
                handle.pool();
            }
        }
    }

    /// The node at a place of the topology.
    pub(crate) fn node(&self, route: &Route<'_>) -> &Arc<NodeHandle> {
        &self.nodes[route.index()]
    }

    /// All nodes.
    pub(crate) fn nodes(&self) -> &[Arc<NodeHandle>] {
        &self.nodes
    }

    /// The coordinator, or what stands in for it.
    pub(crate) fn coordinator(&self) -> &Arc<NodeHandle> {
        self.node(
            &self
                .topology
                .to_coordinator(RouteReason::UnknownGroup, None),
        )
    }

    /// Where a tenant is at home when no table is named: with its rows of the largest colocation
    /// group whose tenant column can have such a value, or with its schema.
    pub(crate) fn home(&self, tenant: &TenantId) -> Route<'_> {
        if let Some(schema) = tenant.as_schema() {
            let home = self.topology.route_schema(schema);
            return home.unwrap_or_else(|| {
                self.topology
                    .to_coordinator(RouteReason::UnknownSchema, None)
            });
        }
        let home = self.groups.iter().find_map(|(group, tenant_type)| {
            let value = ColumnValue::new(tenant, tenant_type).ok()?;
            Some(self.topology.route_value(group, &value))
        });
        home.unwrap_or_else(|| {
            self.topology
                .to_coordinator(RouteReason::UnknownGroup, None)
        })
    }
}

fn groups_by_size(tenancy: &Tenancy) -> Vec<(Ident, TenantType)> {
    let mut sizes: BTreeMap<&Ident, (usize, &TenantType)> = BTreeMap::new();
    for distribution in tenancy.tables().filter_map(|table| table.distribution()) {
        let group = sizes.entry(&distribution.colocation);
        group.or_insert((0, &distribution.tenant_type)).0 += 1;
    }
    let mut groups: Vec<_> = sizes.into_iter().collect();
    groups.sort_by_key(|(_, (size, _))| std::cmp::Reverse(*size));
    groups
        .into_iter()
        .map(|(name, (_, tenant_type))| (name.clone(), tenant_type.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use tenant_guard::{Policy, StaticSql, Table};

    use super::*;
    use crate::tenant::Call;
    use crate::tls;

    fn connecting() -> Connecting {
        connecting_by(Config::new("postgresql://me@a/app").unwrap())
    }

    pub(super) fn connecting_by(config: Config) -> Connecting {
        let config = Arc::new(config);
        let tls = tls::make_tls(&config.server).unwrap();
        let canceller = Canceller::new(tls.clone());
        Connecting {
            config,
            tls: MakeTlsDebug(tls),
            canceller,
            capacity: Capacity::new(usize::MAX),
        }
    }

    fn guard(search_path: &[&str]) -> Guard {
        let table =
            Table::distributed("tasks", "tenant_id", TenantType::Int8).columns(["tenant_id", "id"]);
        let tenancy = Tenancy::builder()
            .table(table)
            .search_path(search_path.iter().copied())
            .build();
        Guard::new(tenancy.unwrap(), Policy::default())
    }

    #[test]
    fn all_that_is_decided_for_a_request_allocates_nothing() {
        static FIXED: StaticSql<1> = StaticSql::new("SELECT id FROM tasks WHERE id = $1");
        let topology = Topology::fixed(["a", "b"], 32).unwrap();
        let snapshot = Snapshot::new(topology, guard(&["public"]), &connecting(), None);
        let snapshot = arc_swap::ArcSwap::from_pointee(snapshot);
        let tenant = TenantId::from(42);
        let decide = || {
            let snapshot = snapshot.load();
            let made_at_run_time =
                Call::new(&snapshot, &tenant, FIXED.text(), 1, Reads::ByPolicy).unwrap();
            let call = Call::new(&snapshot, &tenant, &FIXED, 1, Reads::ByPolicy).unwrap();
            assert!(Arc::ptr_eq(&call.node, &made_at_run_time.node));
            call.node.address().port
        };
        // The guard reads the statement once.
        decide();
        assert_eq!(
            allocation_counter::measure(|| assert_eq!(decide(), 5432)).count_total,
            0
        );
    }

    #[test]
    fn a_node_keeps_its_pool_while_it_is_the_same() {
        let connecting = connecting();
        let topology = |nodes: [&str; 2]| Topology::fixed(nodes, 4).unwrap();
        let first = Snapshot::new(topology(["a", "b"]), guard(&["public"]), &connecting, None);
        let same_nodes = |guard, nodes| {
            let next = Snapshot::new(topology(nodes), guard, &connecting, Some(&first));
            let pairs = next.nodes.iter().zip(&first.nodes);
            pairs
                .map(|(new, old)| Arc::ptr_eq(new, old))
                .collect::<Vec<_>>()
        };
        assert_eq!(same_nodes(guard(&["public"]), ["a", "c"]), [true, false]);
        // Sessions with another search path are no sessions for these statements.
        assert_eq!(
            same_nodes(guard(&["app", "public"]), ["a", "b"]),
            [false, false]
        );
    }
}
