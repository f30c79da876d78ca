//! Where a guarded statement of a tenant goes.

use rand::seq::IteratorRandom;
use tenant_guard::{Access, Effect, GuardedSql};

use super::Snapshot;
use crate::config::ReferenceReads;
use crate::error::RequestError;
use crate::tenant_id::ColumnValue;
use crate::topology::{NodeRole, Route, RouteReason};
use crate::{Node, TenantId};

/// Where a guarded statement of a tenant goes, and with what.
pub(crate) struct Routed<'snapshot, 'tenant> {
    pub(crate) route: Route<'snapshot>,
    /// What is bound to the tenant parameter, where there is one.
    pub(crate) value: Option<ColumnValue<'tenant>>,
    /// What is sent instead of the guarded text, where it has a place for the tenant's schema.
    pub(crate) in_schema: Option<String>,
}

/// Which nodes may answer a statement that reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reads {
    /// The one with the tenant's rows: the statement is one of a transaction there.
    AtHome,
    /// Those that the policy names.
    ByPolicy,
    /// Standbys, too.
    Stale,
}

impl Snapshot {
    /// Converts, hashes and finds the node; nothing is awaited.
    pub(crate) fn routed<'tenant>(
        &self,
        guarded: &GuardedSql,
        tenant: &'tenant TenantId,
        reads: Reads,
    ) -> Result<Routed<'_, 'tenant>, RequestError> {
        let (route, value, in_schema) = match guarded.access() {
            Access::Tenant {
                colocation,
                tenant_type,
            } => {
                let value = ColumnValue::new(tenant, tenant_type)?;
                let route = self.topology.route_value(colocation, &value);
                (route, Some(value), None)
            }
            Access::TenantSchema => {
                let name = tenant.as_schema().ok_or(RequestError::TenantSchema)?;
                let schema = self.guard.tenancy().tenant_schema(name)?;
                let route = self.topology.route_schema(name);
                let route = route.ok_or(RequestError::UnknownSchema)?;
                (route, None, guarded.text_for_schema(&schema))
            }
            // Every node can answer; the tenant's own is the one whose connections it has.
            _ => (self.home(tenant), None, None),
        };
        let elsewhere = match guarded.effect() {
            Effect::Reads => self.elsewhere(&route, guarded.access(), reads),
            _ => None,
        };
        Ok(Routed {
            route: elsewhere.unwrap_or(route),
            value,
            in_schema,
        })
    }

    /// Another node for a statement that reads.
    fn elsewhere(&self, route: &Route<'_>, access: &Access, reads: Reads) -> Option<Route<'_>> {
        let of_tenant = matches!(access, Access::Tenant { .. } | Access::TenantSchema);
        let policy = &self.reads;
        if reads == Reads::Stale && route.reason() == RouteReason::Owner {
            let group = route.node().group();
            let standby = self.one_of(|node| {
                let is_standby = node.role() == NodeRole::Secondary && node.is_active();
                is_standby && node.group() == group && *node.cluster() == *policy.secondaries
            });
            if let Some(index) = standby {
                return Some(self.topology.to_node(index, RouteReason::Secondary));
            }
        }
        let spread = !of_tenant && policy.reference_tables == ReferenceReads::AnyNode;
        if spread && reads != Reads::AtHome {
            let index = self.one_of(Node::is_routable)?;
            return Some(self.topology.to_node(index, RouteReason::AnyNode));
        }
        None
    }

    /// Any of these nodes, of the own rack where there is one.
    fn one_of(&self, fits: impl Fn(&Node) -> bool) -> Option<usize> {
        let fitting = || {
            let nodes = self.topology.nodes().iter().enumerate();
            nodes.filter(|(_, node)| fits(node))
        };
        let near = self.reads.rack.as_deref().and_then(|rack| {
            let near = fitting().filter(|(_, node)| node.rack() == rack);
            near.choose(&mut rand::rng())
        });
        let (index, _) = near.or_else(|| fitting().choose(&mut rand::rng()))?;
        Some(index)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use tenant_guard::{Guard, Policy, Table, Tenancy, TenantType};

    use super::*;
    use crate::topology::{Colocation, DistributedTable, Topology, TopologyKind, TopologyParts};
    use crate::{NodeAddress, ReadPolicy};

    fn node(id: i32, group: i32, role: NodeRole, rack: &str, cluster: &str) -> Node {
        let address = NodeAddress::new(format!("n{id}"), 5432);
        let routable = role == NodeRole::Primary;
        Node::new(id, group, address, group == 0, routable).described(role, rack, cluster, true)
    }

    fn snapshot(reads: ReadPolicy) -> Snapshot {
        let (primary, secondary) = (NodeRole::Primary, NodeRole::Secondary);
        let table = DistributedTable {
            column: "tenant_id".into(),
            tenant_type: TenantType::Int8,
            colocation: Some(0),
        };
        let tasks = Table::distributed("tasks", "tenant_id", TenantType::Int8);
        let tenancy = Tenancy::builder()
            .table(tasks.columns(["tenant_id", "id"]))
            .table(Table::reference("countries").columns(["code"]));
        let tenancy = tenancy.build().unwrap();
        let name = tenancy.resolve(None, "tasks").unwrap().name().clone();
        let topology = Topology::new(TopologyParts {
            kind: TopologyKind::Citus {
                version: "13.2-1".into(),
            },
            nodes: vec![
                node(0, 0, primary, "a", "default"),
                node(1, 1, primary, "a", "default"),
                node(2, 2, primary, "b", "default"),
                node(3, 1, secondary, "a", "default"),
                node(4, 1, secondary, "b", "default"),
                node(5, 1, secondary, "b", "reports"),
            ],
            coordinator: 0,
            colocations: vec![
                Colocation::new(1, vec![(i32::MIN, Some(1), Some(9)), (0, Some(2), Some(8))])
                    .unwrap(),
            ],
            tables: BTreeMap::from([(name, table)]),
            schemas: HashMap::default(),
            utf8: true,
        });
        let guard = Guard::new(tenancy, Policy::default());
        let config = crate::Config::new("postgresql://me@n0/app").unwrap();
        let connecting = crate::snapshot::tests::connecting_by(config.read_policy(reads));
        Snapshot::new(topology, guard, &connecting, None)
    }

    fn nodes_of(snapshot: &Snapshot, sql: &str, tenant: i64, reads: Reads) -> Vec<i32> {
        let guarded = snapshot.guard.check(sql).unwrap();
        let tenant = TenantId::from(tenant);
        let mut ids: Vec<i32> = (0..200)
            .map(|_| {
                let routed = snapshot.routed(&guarded, &tenant, reads).unwrap();
                routed.route.node().id()
            })
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    const TASKS: &str = "SELECT id FROM tasks";
    const COUNTRIES: &str = "SELECT code FROM countries";

    #[test]
    fn reference_tables_are_read_where_the_policy_says() {
        let nodes = |policy: ReadPolicy, sql| nodes_of(&snapshot(policy), sql, 1, Reads::ByPolicy);
        assert_eq!(nodes(ReadPolicy::default(), COUNTRIES), [1]);
        let anywhere = ReadPolicy::default().reference_tables(ReferenceReads::AnyNode);
        assert_eq!(nodes(anywhere.clone(), COUNTRIES), [0, 1, 2]);
        assert_eq!(nodes(anywhere.clone(), TASKS), [1]);
        assert_eq!(nodes(anywhere.clone().rack("b"), COUNTRIES), [2]);
        // Better far than not at all.
        assert_eq!(nodes(anywhere.clone().rack("c"), COUNTRIES), [0, 1, 2]);
        // A transaction stays where it is.
        let in_transaction = nodes_of(&snapshot(anywhere), COUNTRIES, 1, Reads::AtHome);
        assert_eq!(in_transaction, [1]);
    }

    #[test]
    fn stale_reads_go_to_standbys_of_the_owner_and_of_the_named_set() {
        let stale = |policy, sql, tenant| nodes_of(&snapshot(policy), sql, tenant, Reads::Stale);
        let default = ReadPolicy::default;
        assert_eq!(stale(default(), TASKS, 1), [3, 4]);
        assert_eq!(stale(default().rack("b"), TASKS, 1), [4]);
        assert_eq!(stale(default().secondaries("reports"), TASKS, 1), [5]);
        assert_eq!(stale(default().secondaries("none"), TASKS, 1), [1]);
        // Its owner has no standby.
        assert_eq!(stale(default(), TASKS, -1), [2]);
        for writes in ["DELETE FROM tasks", "SELECT id FROM tasks FOR UPDATE"] {
            assert_eq!(stale(default(), writes, 1), [1], "{writes}");
        }
        let by_policy = nodes_of(&snapshot(default()), TASKS, 1, Reads::ByPolicy);
        assert_eq!(by_policy, [1], "only those who asked for it");
    }
}
