//! Which node holds which tenant: one immutable value, read whole and replaced whole.
//!
//! Nothing here is per tenant, where tenants are told by a column. A colocation group is a sorted list of hash ranges, and a tenant is
//! found in it by its hash; a million tenants cost what one costs. Of tenants with a schema each there
//! is one entry for each, as Citus has it.

mod colocation;
mod error;
mod fixed;
mod node;
mod route;

use std::collections::{BTreeMap, HashMap};

use tenant_guard::{Ident, TableName, Tenancy, TenantType};

pub use colocation::{Colocation, ShardRange};
pub use error::TopologyError;
pub use node::{Node, NodeAddress, NodeRole};
pub use route::{Route, RouteReason};

use crate::TenantId;
use crate::tenant_id::{ColumnValue, TenantIdError};

/// The nodes of a cluster and the hash ranges they own, as they were at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Topology {
    kind: TopologyKind,
    nodes: Vec<Node>,
    coordinator: usize,
    colocations: Vec<Colocation>,
    /// The distributed tables, and the place of their group in `colocations`, where it has one.
    tables: BTreeMap<TableName, DistributedTable>,
    /// The schemas that are tenants, by their stored names.
    schemas: HashMap<Ident, SchemaShard, foldhash::fast::RandomState>,
    /// What the names of colocation groups in the tenancy stand for.
    names: HashMap<Ident, usize, foldhash::fast::RandomState>,
    /// Whether the server holds texts as the bytes that are hashed here.
    utf8: bool,
}

/// What kind of cluster it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TopologyKind {
    /// Citus of this version. Any node forwards a statement to the node that owns its rows.
    Citus {
        /// The extension's version, for example `13.2-2`.
        version: String,
    },
    /// PostgreSQL servers that know nothing of each other, made by [`Topology::fixed`].
    Fixed,
    /// One PostgreSQL server without Citus.
    Postgres,
}

/// A table that Citus has distributed by the hash of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DistributedTable {
    pub(crate) column: Ident,
    pub(crate) tenant_type: TenantType,
    pub(crate) colocation: Option<usize>,
}

/// Where the tables of a schema are that is a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SchemaShard {
    /// The place of the owner among the nodes, where one is known.
    pub(crate) owner: Option<usize>,
    /// `pg_dist_shard.shardid` of one of its tables, if it has one.
    pub(crate) id: Option<i64>,
}

/// What a topology is made of, as its source found it.
#[derive(Debug)]
pub(crate) struct TopologyParts {
    pub(crate) kind: TopologyKind,
    pub(crate) nodes: Vec<Node>,
    pub(crate) coordinator: usize,
    pub(crate) colocations: Vec<Colocation>,
    pub(crate) tables: BTreeMap<TableName, DistributedTable>,
    pub(crate) schemas: HashMap<Ident, SchemaShard, foldhash::fast::RandomState>,
    pub(crate) utf8: bool,
}

impl Topology {
    pub(crate) fn new(parts: TopologyParts) -> Self {
        let TopologyParts {
            kind,
            nodes,
            coordinator,
            colocations,
            tables,
            schemas,
            utf8,
        } = parts;
        Self {
            kind,
            nodes,
            coordinator,
            colocations,
            tables,
            schemas,
            names: HashMap::default(),
            utf8,
        }
    }

    /// What kind of cluster it is.
    pub fn kind(&self) -> &TopologyKind {
        &self.kind
    }

    /// All nodes, also those to which nothing is routed.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node that takes what cannot be routed. Where a cluster has not told its coordinator's
    /// address, it is the node that was connected to.
    pub fn coordinator(&self) -> &Node {
        &self.nodes[self.coordinator]
    }

    /// The groups of tables that are distributed alike.
    pub fn colocations(&self) -> &[Colocation] {
        &self.colocations
    }

    /// Whether a node that does not own a row passes the statement on to the node that does.
    pub fn forwards(&self) -> bool {
        matches!(self.kind, TopologyKind::Citus { .. })
    }

    /// The node for a tenant's statements on the tables of one colocation group of the tenancy.
    /// Pure: nothing is sent, nothing is allocated for the types that are hashed here.
    ///
    /// # Errors
    /// The tenant's value is none of the tenant column's type.
    ///
    /// ```
    /// use citus_client::{TenantId, TenantType, Topology};
    ///
    /// let topology = Topology::fixed(["db1:5432", "db2:5432"], 32)?;
    /// let tenant = TenantId::from(42);
    /// let route = topology.route(&"default".into(), &TenantType::Int8, &tenant)?;
    /// assert_eq!(route.node().address().to_string(), "db2:5432");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn route(
        &self,
        colocation: &Ident,
        tenant_type: &TenantType,
        tenant: &TenantId,
    ) -> Result<Route<'_>, TenantIdError> {
        Ok(self.route_value(colocation, &ColumnValue::new(tenant, tenant_type)?))
    }

    pub(crate) fn route_value(&self, colocation: &Ident, value: &ColumnValue<'_>) -> Route<'_> {
        let hash = value.hash().filter(|_| self.utf8 || value.is_ascii());
        let Some(hash) = hash else {
            return self.to_coordinator(RouteReason::Unhashed, None);
        };
        let colocation = match self.names.get(colocation.as_str()) {
            Some(&index) => self.colocations.get(index),
            // Servers that know nothing of each other have the same ranges for every group.
            None if !self.forwards() => self.colocations.first(),
            None => None,
        };
        let Some(shard) = colocation.and_then(|colocation| colocation.shard(hash)) else {
            return self.to_coordinator(RouteReason::UnknownGroup, Some(hash));
        };
        let owner = shard
            .owner
            .and_then(|owner| Some((owner, self.nodes.get(owner)?)));
        match owner.filter(|(_, node)| node.is_routable()) {
            Some((index, node)) => Route::owner(index, node, hash, shard),
            None => self.to_coordinator(RouteReason::OwnerUnavailable, Some(hash)),
        }
    }

    /// The node for the statements of a tenant that has this schema, by its stored name; `None` where
    /// Citus has no such tenant.
    ///
    /// Servers without Citus have such tenants by the hash of the name.
    pub fn route_schema(&self, schema: &str) -> Option<Route<'_>> {
        if !self.forwards() {
            let name = TenantId::from(schema);
            let route = self.route(&Ident::new(""), &TenantType::Text, &name);
            return route.ok();
        }
        let SchemaShard { owner, id } = *self.schemas.get(schema)?;
        let node = owner.and_then(|owner| Some((owner, self.nodes.get(owner)?)));
        Some(match node.filter(|(_, node)| node.is_routable()) {
            Some((index, node)) => Route::schema(index, node, id),
            None if id.is_none() => self.to_coordinator(RouteReason::NoShard, None),
            None => self.to_coordinator(RouteReason::OwnerUnavailable, None),
        })
    }

    /// The names of the schemas that are tenants, as Citus has them; in no order.
    pub fn schemas(&self) -> impl Iterator<Item = &Ident> {
        self.schemas.keys()
    }

    /// The ids of the nodes that own these schemas.
    pub(crate) fn schema_owners(&self) -> impl Iterator<Item = (&Ident, Option<i32>)> {
        let schemas = self.schemas.iter();
        schemas.map(|(name, shard)| (name, shard.owner.map(|owner| self.nodes[owner].id())))
    }

    /// The ids of the nodes that own the ranges of a group of this topology.
    pub(crate) fn owners(&self, colocation: &Colocation) -> impl Iterator<Item = Option<i32>> {
        colocation
            .owners()
            .map(|owner| owner.map(|owner| self.nodes[owner].id()))
    }

    pub(crate) fn to_node(&self, index: usize, reason: RouteReason) -> Route<'_> {
        Route::without_shard(index, &self.nodes[index], reason, None)
    }

    pub(crate) fn to_coordinator(&self, reason: RouteReason, hash: Option<i32>) -> Route<'_> {
        Route::without_shard(self.coordinator, self.coordinator(), reason, hash)
    }

    /// Gives the colocation groups the names that they have in this tenancy.
    ///
    /// A group of the tenancy is known by its tables: all of them that the cluster has must be
    /// distributed there by the same column, of the same type, and in one group. Of another group
    /// the shards are not known, so its statements go to the coordinator.
    pub(crate) fn named_by(mut self, tenancy: &Tenancy) -> Self {
        if !self.forwards() {
            return self;
        }
        let mut found: BTreeMap<&Ident, Option<usize>> = BTreeMap::new();
        for table in tenancy.tables() {
            let Some(distribution) = table.distribution() else {
                continue;
            };
            let Some(live) = self.tables.get(table.name()) else {
                continue;
            };
            let agrees =
                live.column == distribution.column && live.tenant_type == distribution.tenant_type;
            if !agrees {
                tracing::warn!(
                    table = %table.name(),
                    "the table is distributed by another column than the tenancy says: its \
                     statements go to the coordinator"
                );
            }
            let colocation = live.colocation.filter(|_| agrees);
            found
                .entry(&distribution.colocation)
                .and_modify(|known| *known = known.filter(|_| *known == colocation))
                .or_insert(colocation);
        }
        self.names = found
            .into_iter()
            .filter_map(|(name, colocation)| Some((name.clone(), colocation?)))
            .collect();
        self
    }

    /// How Citus has distributed a table, when it has.
    #[cfg(test)]
    pub(crate) fn table(&self, name: &TableName) -> Option<&DistributedTable> {
        self.tables.get(name)
    }
}

#[cfg(test)]
mod tests {
    use tenant_guard::Table;

    use super::*;

    fn node(id: i32, routable: bool) -> Node {
        let address = NodeAddress::new(format!("n{id}"), 5432);
        Node::new(id, id, address, id == 0, routable)
    }

    fn citus(second_is_routable: bool) -> Topology {
        let halves = |id| {
            Colocation::new(
                id,
                vec![(i32::MIN, Some(1), Some(id.into())), (0, Some(2), None)],
            )
            .unwrap()
        };
        let table = |tenant_type, colocation| DistributedTable {
            column: "tenant_id".into(),
            tenant_type,
            colocation: Some(colocation),
        };
        let tables = [
            (
                TableName::new("public", "tasks"),
                table(TenantType::Int8, 0),
            ),
            (
                TableName::new("public", "notes"),
                table(TenantType::Int8, 1),
            ),
        ];
        Topology::new(TopologyParts {
            kind: TopologyKind::Citus {
                version: "13.2-2".into(),
            },
            nodes: vec![node(0, true), node(1, true), node(2, second_is_routable)],
            coordinator: 0,
            colocations: vec![halves(7), halves(8)],
            tables: BTreeMap::from(tables),
            schemas: HashMap::default(),
            utf8: true,
        })
    }

    fn tenancy(tables: impl IntoIterator<Item = (&'static str, &'static str)>) -> Tenancy {
        let tables = tables.into_iter().map(|(name, column)| {
            Table::distributed(name, column, TenantType::Int8).columns([column, "id"])
        });
        Tenancy::builder().tables(tables).build().unwrap()
    }

    fn node_of(topology: &Topology, tenant: i64) -> (i32, RouteReason) {
        let route = topology
            .route(
                &"default".into(),
                &TenantType::Int8,
                &TenantId::from(tenant),
            )
            .unwrap();
        (route.node().id(), route.reason())
    }

    #[test]
    fn a_tenant_goes_to_the_owner_of_its_hash() {
        let topology = citus(true).named_by(&tenancy([("tasks", "tenant_id")]));
        // 1 hashes to -1905060026, -1 to 385747274.
        assert_eq!(node_of(&topology, 1), (1, RouteReason::Owner));
        assert_eq!(node_of(&topology, -1), (2, RouteReason::Owner));
    }

    #[test]
    fn an_owner_without_metadata_is_never_routed_to() {
        let topology = citus(false).named_by(&tenancy([("tasks", "tenant_id")]));
        assert_eq!(node_of(&topology, -1), (0, RouteReason::OwnerUnavailable));
    }

    #[test]
    fn a_group_that_is_not_one_in_the_cluster_goes_to_the_coordinator() {
        let mixed = tenancy([("tasks", "tenant_id"), ("notes", "tenant_id")]);
        assert_eq!(
            node_of(&citus(true).named_by(&mixed), 1),
            (0, RouteReason::UnknownGroup)
        );
        let other_column = tenancy([("tasks", "org_id")]);
        let topology = citus(true).named_by(&other_column);
        assert_eq!(node_of(&topology, 1), (0, RouteReason::UnknownGroup));
    }

    #[test]
    fn text_that_another_encoding_stores_otherwise_is_not_hashed() {
        let mut topology = Topology::fixed(["a:1", "b:1"], 2).unwrap();
        topology.utf8 = false;
        let reason = |tenant: &str| {
            let tenant = TenantId::from(tenant);
            topology
                .route(&"g".into(), &TenantType::Text, &tenant)
                .unwrap()
                .reason()
        };
        assert_eq!(reason("acme"), RouteReason::Owner);
        assert_eq!(reason("ärzte"), RouteReason::Unhashed);
    }

    #[test]
    fn routing_allocates_nothing() {
        let topology = Topology::fixed(["a:1", "b:1"], 32).unwrap();
        let (group, tenants) = (
            Ident::new("default"),
            [
                (TenantType::Int8, TenantId::from(42)),
                (TenantType::Text, TenantId::from("acme")),
                (TenantType::Uuid, TenantId::from(uuid::Uuid::from_u128(7))),
            ],
        );
        let allocations = allocation_counter::measure(|| {
            for (tenant_type, tenant) in &tenants {
                let route = topology.route(&group, tenant_type, tenant).unwrap();
                assert_eq!(route.reason(), RouteReason::Owner);
            }
        });
        assert_eq!(allocations.count_total, 0);
    }
}
