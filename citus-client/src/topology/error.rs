//! A topology that cannot be.

/// Why a [`Topology`](crate::Topology) cannot be made by hand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TopologyError {
    /// A node's address is none.
    #[error("not the address of a node (`host:port` or `postgresql://host:port/…` is one)")]
    Address,
    /// There is no node.
    #[error("a topology needs at least one node")]
    NoNodes,
    /// No shard, or more than Citus allows (64,000).
    #[error("the number of shards has to be between 1 and 64000, not {0}")]
    ShardCount(u32),
}
