//! What a pool looks like from outside.

use std::time::SystemTime;

use crate::NodeAddress;

/// The connections to one node at this moment; made by [`Cluster::pools`](crate::Cluster::pools).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStatus {
    /// The node.
    pub node: NodeAddress,
    /// How many connections there are, with those that are being made.
    pub size: usize,
    /// How many of them nobody uses. With bb8 some of these may have been closed by the server.
    pub idle: usize,
    /// How many requests have one, or wait for one that is being made for them.
    pub in_use: usize,
    /// How many requests wait for one.
    pub waiting: usize,
    /// How many there may be.
    pub max: usize,
    /// How often a connection could not be made, since the pool is there.
    pub connect_failures: u64,
    /// Since when none can be made.
    pub down_since: Option<SystemTime>,
}
