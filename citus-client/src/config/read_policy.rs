//! Which node answers a read, where several can.

/// Which node answers a read, where several can. By default it is the one with the tenant's rows.
///
/// ```
/// use citus_client::{Config, ReadPolicy, ReferenceReads};
///
/// let policy = ReadPolicy::default()
///     .rack("eu-1a")
///     .reference_tables(ReferenceReads::AnyNode);
/// let config = Config::new("postgresql://app@coordinator.example/app")?.read_policy(policy);
/// # let _ = config;
/// # Ok::<(), citus_client::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct ReadPolicy {
    pub(crate) rack: Option<Box<str>>,
    pub(crate) secondaries: Box<str>,
    pub(crate) reference_tables: ReferenceReads,
}

/// Which node answers statements that read reference tables alone, or no table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReferenceReads {
    /// Each time another of the nodes that take tenants' statements: the load is spread.
    AnyNode,
    /// The one with the tenant's rows: fewer connections are needed.
    #[default]
    TenantNode,
}

impl Default for ReadPolicy {
    fn default() -> Self {
        Self {
            rack: None,
            secondaries: "default".into(),
            reference_tables: ReferenceReads::default(),
        }
    }
}

impl ReadPolicy {
    /// Where this process runs: of several nodes that can answer, those with this `pg_dist_node.noderack`
    /// are preferred. That concerns secondary nodes, reference tables on any node, and shards with several
    /// placements.
    pub fn rack(mut self, rack: impl Into<Box<str>>) -> Self {
        self.rack = Some(rack.into());
        self
    }

    /// Which secondary nodes answer [`Tenant::stale_reads`](crate::Tenant::stale_reads): those with this
    /// `pg_dist_node.nodecluster`, which is `default` unless somebody said otherwise.
    pub fn secondaries(mut self, cluster: impl Into<Box<str>>) -> Self {
        self.secondaries = cluster.into();
        self
    }

    /// Which node answers statements that read reference tables alone.
    pub fn reference_tables(mut self, reads: ReferenceReads) -> Self {
        self.reference_tables = reads;
        self
    }
}
