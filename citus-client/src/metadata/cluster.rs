//! The nodes and shards, as Citus' catalogs have them.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use tenant_guard::{Ident, TableName, TenantType};

use crate::config::Config;
use crate::topology::{
    Colocation, DistributedTable, Node, NodeAddress, NodeRole, SchemaShard, Topology, TopologyKind,
    TopologyParts,
};

/// All hashes.
const HASHES: i64 = 1 << 32;

/// The answer. Empty lists are `null` in it.
#[derive(Debug, Deserialize)]
pub(crate) struct ClusterMetadata {
    /// See [`changes`](super::changes).
    fingerprint: String,
    /// As it stands in `pg_extension`.
    #[serde(skip)]
    version: String,
    /// The group of the node that answered; 0 is the coordinator.
    me: i32,
    nodes: Option<Vec<NodeRow>>,
    tables: Option<Vec<TableRow>>,
    groups: Option<Vec<GroupRow>>,
    #[serde(default)]
    schemas: Option<Vec<SchemaRow>>,
    #[serde(default)]
    schema_tables: Option<Vec<(String, Vec<String>)>>,
}

/// A row of `pg_dist_node`.
#[derive(Debug, Deserialize)]
struct NodeRow {
    id: i32,
    group: i32,
    host: String,
    port: u16,
    rack: String,
    role: String,
    cluster: String,
    is_active: bool,
    /// And they are up to date.
    has_metadata: bool,
}

/// The name of a schema that is a tenant, the groups of nodes with a placement of it, and one of its
/// shards.
#[derive(Debug, Deserialize)]
struct SchemaRow(String, Option<String>, Option<i64>);

/// Schema, name, `partmethod`, `repmodel`, colocation, tenant column, its type, whether that is one
/// of PostgreSQL's own.
#[derive(Debug, Deserialize)]
struct TableRow(
    String,
    String,
    String,
    String,
    u32,
    Option<String>,
    Option<String>,
    Option<bool>,
);

/// Colocation, the lower bounds, the groups of nodes with a placement of each, how many hashes the
/// ranges hold, and the shards of one of its tables.
#[derive(Debug, Deserialize)]
struct GroupRow(u32, String, String, i64, String);

/// A table that is on all nodes in some way.
#[derive(Debug)]
pub(super) enum LiveTable {
    Distributed {
        column: Ident,
        tenant_type: TenantType,
        /// The name of its colocation group in the tenancy.
        group: String,
        /// `None` when it is not distributed by hash.
        colocation: Option<u32>,
    },
    Reference,
}

impl ClusterMetadata {
    pub(super) fn of_version(self, version: String) -> Self {
        Self { version, ..self }
    }

    /// The tables that tenants have in schemas of their own, with all columns that one of them has;
    /// empty where tenants are told by a column.
    pub(super) fn schema_tables(&self) -> &[(String, Vec<String>)] {
        self.schema_tables.as_deref().unwrap_or_default()
    }

    /// Whether the coordinator answered.
    pub(crate) fn is_of_coordinator(&self) -> bool {
        self.me == 0
    }

    /// What the coordinator's fingerprint was when the rest was read. Those of other nodes are their
    /// own.
    pub(crate) fn fingerprint(&self) -> Option<&str> {
        self.is_of_coordinator().then_some(&self.fingerprint)
    }

    /// The tables that are distributed by a column, and the reference tables.
    pub(super) fn live_tables(&self) -> BTreeMap<TableName, LiveTable> {
        self.tables
            .iter()
            .flatten()
            .filter_map(TableRow::live)
            .collect()
    }

    /// The topology, as the node at `asked` told it. `before` is what was known: the coordinator
    /// keeps the address by which it was reached.
    pub(crate) fn topology(
        &self,
        config: &Config,
        asked: &NodeAddress,
        before: Option<&Topology>,
        utf8: bool,
    ) -> Topology {
        let (nodes, coordinator) = self.nodes(config, asked, before);
        let rack = config.reads.rack.as_deref();
        let mut places = BTreeMap::new();
        let mut colocations = Vec::new();
        for group in self.groups.iter().flatten() {
            let Some(colocation) = group.colocation(&nodes, rack) else {
                tracing::warn!(colocation = group.0, "its ranges do not cover all hashes");
                continue;
            };
            places.insert(group.0, colocations.len());
            colocations.push(colocation);
        }
        let tables = self
            .live_tables()
            .into_iter()
            .filter_map(|(name, table)| match table {
                LiveTable::Distributed {
                    column,
                    tenant_type,
                    colocation,
                    ..
                } => {
                    let colocation = colocation.and_then(|id| places.get(&id).copied());
                    Some((
                        name,
                        DistributedTable {
                            column,
                            tenant_type,
                            colocation,
                        },
                    ))
                }
                LiveTable::Reference => None,
            });
        Topology::new(TopologyParts {
            kind: TopologyKind::Citus {
                version: self.version.clone(),
            },
            schemas: self.schemas(&nodes, rack),
            tables: tables.collect(),
            nodes,
            coordinator,
            colocations,
            utf8,
        })
    }

    fn nodes(
        &self,
        config: &Config,
        asked: &NodeAddress,
        before: Option<&Topology>,
    ) -> (Vec<Node>, usize) {
        let coordinator_before = before.map(Topology::coordinator);
        let mut nodes: Vec<Node> = Vec::new();
        let mut coordinator = None;
        for row in self.nodes.iter().flatten() {
            let role = NodeRole::read(&row.role);
            let is_primary = role == NodeRole::Primary;
            let is_coordinator = row.group == 0 && is_primary && coordinator.is_none();
            let known = coordinator_before.filter(|node| is_coordinator && node.id() == row.id);
            let address = match known {
                _ if is_coordinator && self.is_of_coordinator() => asked.clone(),
                Some(node) => node.address().clone(),
                None => config.translated(NodeAddress::new(&row.host, row.port)),
            };
            if is_coordinator {
                coordinator = Some(nodes.len());
            }
            let is_routable = is_primary && row.is_active && row.has_metadata;
            let node = Node::new(row.id, row.group, address, is_coordinator, is_routable);
            nodes.push(node.described(role, &row.rack, &row.cluster, row.is_active));
        }
        let coordinator = coordinator.unwrap_or_else(|| {
            // The coordinator is not among the nodes before `citus_set_coordinator_host`. A node
            // that answers can stand in for it.
            let stand_in = match coordinator_before {
                Some(node) => node.clone(),
                None => Node::new(0, self.me, asked.clone(), true, false),
            };
            nodes.push(stand_in);
            nodes.len() - 1
        });
        (nodes, coordinator)
    }

    fn schemas(
        &self,
        nodes: &[Node],
        rack: Option<&str>,
    ) -> HashMap<Ident, SchemaShard, foldhash::fast::RandomState> {
        let rows = self.schemas.iter().flatten();
        let places = rows.map(|SchemaRow(name, owners, id)| {
            let owner = owners
                .as_deref()
                .and_then(|groups| owner(groups, nodes, rack));
            (name.as_str().into(), SchemaShard { owner, id: *id })
        });
        places.collect()
    }
}

impl TableRow {
    fn live(&self) -> Option<(TableName, LiveTable)> {
        let Self(schema, name, method, replication, colocation, column, type_name, is_builtin) =
            self;
        let name = TableName::new(schema.as_str(), name.as_str());
        match (method.as_str(), column) {
            ("n", _) if replication == "t" => Some((name, LiveTable::Reference)),
            ("h" | "r" | "a", Some(column)) => {
                let type_name = type_name.as_deref().unwrap_or_default();
                let tenant_type = match is_builtin {
                    Some(true) => TenantType::from_sql(type_name),
                    // A domain or another type of theirs, whatever its name.
                    _ => TenantType::Other(type_name.to_owned()),
                };
                let hashed = (method == "h" && *colocation > 0).then_some(*colocation);
                let group = match hashed {
                    Some(id) => id.to_string(),
                    None => format!("of {name}"),
                };
                let column = column.as_str().into();
                let colocation = hashed;
                Some((
                    name,
                    LiveTable::Distributed {
                        column,
                        tenant_type,
                        group,
                        colocation,
                    },
                ))
            }
            // Local to the coordinator, or of one shard.
            _ => None,
        }
    }
}

impl GroupRow {
    fn colocation(&self, nodes: &[Node], rack: Option<&str>) -> Option<Colocation> {
        let Self(id, bounds, owners, covered, shards) = self;
        if *covered != HASHES {
            return None;
        }
        let bounds: Vec<i32> = numbers(bounds)?;
        let shards: Vec<i64> = numbers(shards)?;
        let owners: Vec<Option<usize>> = owners
            .split(' ')
            .map(|groups| owner(groups, nodes, rack))
            .collect();
        if bounds.len() != owners.len() || bounds.len() != shards.len() {
            return None;
        }
        let ranges = bounds.into_iter().zip(owners).zip(shards);
        let shards = ranges.map(|((min, owner), id)| (min, owner, Some(id)));
        Colocation::new(*id, shards.collect())
    }
}

fn numbers<N: std::str::FromStr>(list: &str) -> Option<Vec<N>> {
    list.split(',').map(|number| number.parse().ok()).collect()
}

/// The node of the first placement to which something may be sent, of the own rack where there is one;
/// else of the first placement.
fn owner(groups: &str, nodes: &[Node], rack: Option<&str>) -> Option<usize> {
    let places = groups.split(',').filter_map(|group| {
        let group: i32 = group.parse().ok()?;
        let of_group = |node: &Node| node.group() == group && node.role() == NodeRole::Primary;
        nodes.iter().position(of_group)
    });
    let places: Vec<usize> = places.collect();
    let mut routable = places.iter().filter(|place| nodes[**place].is_routable());
    let near = routable
        .clone()
        .find(|place| Some(nodes[**place].rack()) == rack);
    near.or_else(|| routable.next()).or(places.first()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::RouteReason;

    fn metadata(me: i32, nodes: &str) -> ClusterMetadata {
        serde_json::from_str(&format!(
            r#"{{"fingerprint":"1 2","me":{me},"nodes":{nodes},
                "tables":[["public","tasks","h","s",7,"tenant_id","bigint",true],
                          ["public","odd","h","s",8,"k","tenantid",false],
                          ["public","countries","n","t",3,null,null,null],
                          ["public","settings","n","s",0,null,null,null]],
                "groups":[[7,"-2147483648,0","1 2",4294967296,"102,103"],
                          [8,"-2147483648,5","1 1",4294967290,"104,105"]],
                "schemas":[["acme","1",110],["new",null,null]]}}"#
        ))
        .unwrap()
    }

    fn topology(me: i32, nodes: &str) -> Topology {
        let config = Config::new("postgresql://me@asked:1/app").unwrap();
        let asked = NodeAddress::new("asked", 1);
        metadata(me, nodes).topology(&config, &asked, None, true)
    }

    const NODES: &str = r#"[
        {"id":1,"group":0,"host":"c","port":5432,"rack":"r1","role":"primary","cluster":"default",
         "is_active":true,"has_metadata":true},
        {"id":2,"group":1,"host":"w1","port":5432,"rack":"r1","role":"primary","cluster":"default",
         "is_active":true,"has_metadata":true},
        {"id":3,"group":2,"host":"w2","port":5432,"rack":"r2","role":"primary","cluster":"default",
         "is_active":true,"has_metadata":false},
        {"id":4,"group":1,"host":"w1b","port":5432,"rack":"r2","role":"secondary","cluster":"reads",
         "is_active":true,"has_metadata":true}]"#;

    #[test]
    fn the_coordinator_keeps_the_address_by_which_it_was_reached() {
        assert_eq!(topology(0, NODES).coordinator().address().host, "asked");
        assert_eq!(topology(1, NODES).coordinator().address().host, "c");
    }

    #[test]
    fn nodes_are_described_and_only_primaries_with_metadata_are_routed_to() {
        let topology = topology(0, NODES);
        let routable = topology.nodes().iter().map(Node::is_routable);
        assert_eq!(routable.collect::<Vec<_>>(), [true, true, false, false]);
        let secondary = &topology.nodes()[3];
        assert_eq!(secondary.role(), NodeRole::Secondary);
        assert_eq!((secondary.rack(), secondary.cluster()), ("r2", "reads"));
    }

    #[test]
    fn of_several_placements_one_in_the_own_rack_is_taken() {
        let topology = topology(0, NODES);
        let place = |groups, rack| owner(groups, topology.nodes(), rack);
        assert_eq!(place("0,1", None), Some(0));
        assert_eq!(place("2,1", None), Some(1), "the first has no metadata");
        assert_eq!(place("0,1", Some("r2")), Some(0));
        assert_eq!(place("2", Some("r2")), Some(2));
        assert_eq!(place("7", None), None);
        let mut nodes = topology.nodes().to_vec();
        nodes[1] = nodes[1]
            .clone()
            .described(NodeRole::Primary, "r2", "default", true);
        assert_eq!(owner("0,1", &nodes, Some("r2")), Some(1));
    }

    #[test]
    fn schemas_are_where_their_shards_are() {
        let topology = topology(0, NODES);
        let route = topology.route_schema("acme").unwrap();
        assert_eq!((route.node().id(), route.shard()), (2, Some(110)));
        let route = topology.route_schema("new").unwrap();
        assert_eq!(route.reason(), RouteReason::NoShard);
        assert!(route.node().is_coordinator());
        assert!(topology.route_schema("other").is_none());
    }

    #[test]
    fn a_coordinator_that_is_no_node_is_known_all_the_same() {
        let topology = topology(0, "null");
        assert_eq!(topology.coordinator().address().host, "asked");
        assert!(topology.coordinator().is_coordinator());
    }

    #[test]
    fn ranges_that_do_not_cover_all_hashes_are_not_used() {
        let topology = topology(0, NODES);
        assert_eq!(topology.colocations().len(), 1);
        let odd = topology.table(&TableName::new("public", "odd")).unwrap();
        assert_eq!(odd.colocation, None);
        assert_eq!(odd.tenant_type, TenantType::Other("tenantid".into()));
    }

    #[test]
    fn tables_are_of_their_kinds() {
        let tables = metadata(0, NODES).live_tables();
        let kind = |name| tables.get(&TableName::new("public", name));
        assert!(matches!(kind("tasks"), Some(LiveTable::Distributed { .. })));
        assert!(matches!(kind("countries"), Some(LiveTable::Reference)));
        assert!(kind("settings").is_none());
    }
}
