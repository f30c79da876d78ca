//! Where a tenant's statement goes, and why.

use std::fmt;

use super::colocation::Shard;
use super::{Node, ShardRange};

/// Where a tenant's statement goes, and why.
#[derive(Clone, Copy, Debug)]
pub struct Route<'topology> {
    index: usize,
    node: &'topology Node,
    reason: RouteReason,
    hash: Option<i32>,
    range: Option<ShardRange>,
    shard: Option<i64>,
}

/// Why a statement goes to the node it goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RouteReason {
    /// Any node can answer, and the [`ReadPolicy`](crate::ReadPolicy) says to take any.
    AnyNode,
    /// The node owns the shard with the tenant's rows.
    Owner,
    /// To the coordinator: the tenant's schema has no table yet.
    NoShard,
    /// To the coordinator: no active node with metadata owns the shard.
    OwnerUnavailable,
    /// A standby of the owner: [`Tenant::stale_reads`](crate::Tenant::stale_reads).
    Secondary,
    /// To the coordinator: the type of the tenant column cannot be hashed exactly here.
    Unhashed,
    /// To the coordinator: it is not known how these tables are distributed.
    UnknownGroup,
    /// To the coordinator: the cluster has no tenant with this schema.
    UnknownSchema,
}

impl RouteReason {
    /// A short name, fit for a log or a metric.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AnyNode => "any_node",
            Self::Owner => "owner",
            Self::NoShard => "no_shard",
            Self::OwnerUnavailable => "owner_unavailable",
            Self::Secondary => "secondary",
            Self::Unhashed => "unhashed",
            Self::UnknownGroup => "unknown_group",
            Self::UnknownSchema => "unknown_schema",
        }
    }
}

impl fmt::Display for RouteReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AnyNode => "any node can answer",
            Self::Owner => "it owns the shard",
            Self::NoShard => "the tenant's schema has no table yet",
            Self::OwnerUnavailable => "no active node with metadata owns the shard",
            Self::Secondary => "it is a standby of the owner",
            Self::Unhashed => "the type of the tenant column cannot be hashed here",
            Self::UnknownGroup => "it is not known how the table is distributed",
            Self::UnknownSchema => "the cluster has no tenant with this schema",
        })
    }
}

impl<'topology> Route<'topology> {
    pub(super) fn owner(index: usize, node: &'topology Node, hash: i32, shard: Shard) -> Self {
        Self {
            hash: Some(hash),
            range: Some(shard.range),
            ..Self::schema(index, node, shard.id)
        }
    }

    /// To the owner of a schema.
    pub(super) fn schema(index: usize, node: &'topology Node, shard: Option<i64>) -> Self {
        Self {
            index,
            node,
            reason: RouteReason::Owner,
            hash: None,
            range: None,
            shard,
        }
    }

    pub(super) fn without_shard(
        index: usize,
        node: &'topology Node,
        reason: RouteReason,
        hash: Option<i32>,
    ) -> Self {
        Self {
            index,
            node,
            reason,
            hash,
            range: None,
            shard: None,
        }
    }

    /// The node's place in [`Topology::nodes`](super::Topology::nodes).
    pub(crate) fn index(&self) -> usize {
        self.index
    }

    /// The node.
    pub fn node(&self) -> &'topology Node {
        self.node
    }

    /// Why it is that node.
    pub fn reason(&self) -> RouteReason {
        self.reason
    }

    /// The tenant's hash, where it could be computed.
    pub fn hash(&self) -> Option<i32> {
        self.hash
    }

    /// `pg_dist_shard.shardid` of one of the tables with the tenant's rows, where it is known; shards
    /// of the others are moved and split together with it.
    pub fn shard(&self) -> Option<i64> {
        self.shard
    }

    /// The hash range of the shard, where it is known.
    pub fn range(&self) -> Option<ShardRange> {
        self.range
    }
}
