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

use std::time::Duration;

pub(crate) use lease::Lease;

use crate::config::{Config, PoolKind};
use crate::connection::Connector;
use crate::error::RequestError;

#[cfg(not(any(feature = "deadpool", feature = "bb8")))]
compile_error!("citus-client needs a pool: turn on the feature `deadpool` or `bb8`");

/// Keeps the connections of one node.
#[derive(Debug)]
pub(crate) enum NodePool {
    #[cfg(feature = "bb8")]
    Bb8(bb8::Pool),
    #[cfg(feature = "deadpool")]
    Deadpool(deadpool::Pool),
}

impl NodePool {
    /// A pool of the kind that the configuration asks for. Nothing is connected yet.
    pub(crate) fn new(config: &Config, connector: Connector) -> Self {
        match config.pool {
            #[cfg(feature = "bb8")]
            PoolKind::Bb8 => Self::Bb8(bb8::Pool::new(config, connector)),
            #[cfg(feature = "deadpool")]
            PoolKind::Deadpool => Self::Deadpool(deadpool::Pool::new(config, connector)),
        }
    }

    /// A free connection, or a new one, within the acquire timeout and the connect timeout.
    pub(crate) async fn acquire(&self) -> Result<Lease, RequestError> {
        match self {
            // Boxed, so that its size is not that of every request.
            #[cfg(feature = "bb8")]
            Self::Bb8(pool) => Box::pin(pool.acquire()).await,
            #[cfg(feature = "deadpool")]
            Self::Deadpool(pool) => pool.acquire().await,
        }
    }

    /// Gives up connections that are closed or were unused for this long. bb8 does so by itself.
    #[cfg_attr(
        not(feature = "deadpool"),
        allow(unused_variables, reason = "bb8 has its own")
    )]
    pub(crate) fn reap(&self, idle: Duration) {
        match self {
            #[cfg(feature = "bb8")]
            Self::Bb8(_) => {}
            #[cfg(feature = "deadpool")]
            Self::Deadpool(pool) => pool.reap(idle),
        }
    }

    /// Hands out no connection any more, and drops those that come back.
    pub(crate) fn close(&self) {
        match self {
            #[cfg(feature = "bb8")]
            Self::Bb8(pool) => pool.close(),
            #[cfg(feature = "deadpool")]
            Self::Deadpool(pool) => pool.close(),
        }
    }
}
