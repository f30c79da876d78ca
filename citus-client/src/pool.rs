//! The connections of one node.
//!
//! The pool itself is a crate's: deadpool by default (waiting requests are served in order), or
//! bb8. Both keep [`Connection`]s of ours, because the wrappers that these crates have for
//! tokio-postgres hand out the raw client, keep prepared statements without bounds, and take a
//! connection back in whatever state it is. What comes back is decided in [`Lease`] alone.

#[cfg(feature = "bb8")]
mod bb8;
#[cfg(feature = "deadpool")]
mod deadpool;
mod lease;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub(crate) use lease::Lease;

use crate::config::{Config, PoolKind};
use crate::connection::Connector;
use crate::error::RequestError;

#[cfg(not(any(feature = "deadpool", feature = "bb8")))]
compile_error!("citus-client needs a pool: turn on the feature `deadpool` or `bb8`");

/// Keeps the connections of one node.
#[async_trait]
pub(crate) trait NodePool: fmt::Debug + Send + Sync {
    /// A free connection, or a new one, within the acquire timeout and the connect timeout.
    async fn acquire(&self) -> Result<Lease, RequestError>;

    /// Gives up connections that are closed or were unused for this long.
    fn reap(&self, idle: Duration);

    /// Hands out no connection any more, and drops those that come back.
    fn close(&self);
}

/// A pool of the kind that the configuration asks for. Nothing is connected yet.
pub(crate) fn new(config: &Config, connector: Connector) -> Arc<dyn NodePool> {
    match config.pool {
        #[cfg(feature = "bb8")]
        PoolKind::Bb8 => Arc::new(bb8::Pool::new(config, connector)),
        #[cfg(feature = "deadpool")]
        PoolKind::Deadpool => Arc::new(deadpool::Pool::new(config, connector)),
    }
}
