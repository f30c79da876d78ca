//! The connections of one node.
//!
//! What keeps them is a crate's: deadpool by default, or bb8 ([`Store`]). Both keep [`Connection`]s of
//! ours, because the wrappers that these crates have for tokio-postgres hand out the raw client, keep
//! prepared statements without bounds, and take a connection back in whatever state it is. What comes
//! back is decided in [`Lease`] alone. What neither crate has is here as well: a bound over all nodes
//! ([`Capacity`]), and whether and how fast connections to a node are made ([`dialer`]).
//!
//! With either, requests are served in the order in which they came.

#[cfg(feature = "bb8")]
mod bb8;
mod capacity;
#[cfg(feature = "deadpool")]
mod deadpool;
mod dialer;
mod health;
pub(crate) mod keeper;
mod lease;
mod ramp;
mod status;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) use capacity::{Capacity, Permit};
use dialer::Dialer;
pub(crate) use lease::Lease;
pub use status::PoolStatus;
use tokio::runtime::Handle;

use crate::config::{Config, PoolKind, PoolSettings};
use crate::connection::{Connection, Connector};
use crate::error::RequestError;

#[cfg(not(any(feature = "deadpool", feature = "bb8")))]
compile_error!("citus-client needs a pool: turn on the feature `deadpool` or `bb8`");

/// Keeps the connections of one node.
#[derive(Debug)]
pub(crate) struct NodePool(Arc<Shared>);

/// What the pool has in common with those who look after it.
#[derive(Debug)]
pub(crate) struct Shared {
    dialer: Arc<Dialer>,
    store: Store,
    warming: AtomicBool,
}

/// What keeps idle connections, and the line of those who wait for one.
#[derive(Debug)]
enum Store {
    #[cfg(feature = "bb8")]
    Bb8(bb8::Store),
    #[cfg(feature = "deadpool")]
    Deadpool(deadpool::Store),
}

impl NodePool {
    /// A pool of the kind that the configuration asks for. Nothing is connected yet.
    pub(crate) fn new(
        config: &Config,
        settings: &PoolSettings,
        connector: Connector,
        capacity: &Arc<Capacity>,
    ) -> Self {
        let mut id = None;
        let shared = Arc::new_cyclic(|shared| {
            let id = *id.insert(capacity.join(shared.clone(), settings.size));
            let settings = settings.clone();
            let dialer = Arc::new(Dialer::new(config, settings, connector, capacity, id));
            let store = match config.pool {
                #[cfg(feature = "bb8")]
                PoolKind::Bb8 => Store::Bb8(bb8::Store::new(&dialer)),
                #[cfg(feature = "deadpool")]
                PoolKind::Deadpool => Store::Deadpool(deadpool::Store::new(&dialer)),
            };
            Shared {
                dialer,
                store,
                warming: AtomicBool::new(false),
            }
        });
        if let Some(id) = id {
            capacity.joined(id);
        }
        if capacity.is_closed() {
            shared.close();
        }
        Self(shared)
    }

    /// A free connection, or a new one, within the acquire timeout and the connect timeout.
    pub(crate) async fn acquire(&self) -> Result<Lease, RequestError> {
        let slot = match &self.0.store {
            // Boxed, so that its size is not that of every request.
            #[cfg(feature = "bb8")]
            Store::Bb8(store) => Box::pin(store.take()).await?,
            #[cfg(feature = "deadpool")]
            Store::Deadpool(store) => store.take().await?,
        };
        Ok(Lease::new(slot, &self.0.dialer))
    }

    /// How many connections there are, and what they do.
    pub(crate) fn status(&self) -> PoolStatus {
        let dialer = &self.0.dialer;
        let size = dialer.capacity.used(dialer.id);
        let idle = self.0.idle().min(size);
        PoolStatus {
            node: dialer.node().clone(),
            size,
            idle,
            in_use: size - idle,
            waiting: dialer.waiting_count(),
            max: dialer.settings.size,
            connect_failures: dialer.failures(),
            down_since: dialer.health().down_since(),
        }
    }

    /// Hands out no connection any more, and drops those that come back.
    pub(crate) fn close(&self) {
        self.0.close();
    }
}

impl Shared {
    /// How many connections nobody uses.
    pub(crate) fn idle(&self) -> usize {
        let kept = match &self.store {
            #[cfg(feature = "bb8")]
            Store::Bb8(store) => store.idle(),
            #[cfg(feature = "deadpool")]
            Store::Deadpool(store) => store.idle(),
        };
        kept + self.dialer.ready_count()
    }

    /// An idle connection, for good.
    fn take_idle(&self) -> Option<Box<Connection>> {
        let ready = self.dialer.take_ready();
        ready.or_else(|| match &self.store {
            #[cfg(feature = "bb8")]
            Store::Bb8(store) => store.take_idle(),
            #[cfg(feature = "deadpool")]
            Store::Deadpool(store) => store.take_idle(),
        })
    }

    /// Gives up what is too old, or unused for too long. bb8 does the latter by itself.
    fn reap(&self) {
        self.dialer.reap_ready();
        match &self.store {
            #[cfg(feature = "bb8")]
            Store::Bb8(_) => {}
            #[cfg(feature = "deadpool")]
            Store::Deadpool(store) => {
                store.reap(self.idle().saturating_sub(self.dialer.settings.min_idle));
            }
        }
    }

    /// Makes connections ahead, in a task of its own, until enough are idle.
    fn warm(self: &Arc<Self>) {
        let enough = |shared: &Self| shared.idle() >= shared.dialer.settings.min_idle;
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        if enough(self) || self.warming.swap(true, Ordering::AcqRel) {
            return;
        }
        let shared = Arc::clone(self);
        runtime.spawn(async move {
            while !enough(&shared) && shared.dialer.warm().await {}
            shared.warming.store(false, Ordering::Release);
        });
    }

    fn close(&self) {
        self.dialer.close();
        match &self.store {
            #[cfg(feature = "bb8")]
            Store::Bb8(store) => store.close(),
            #[cfg(feature = "deadpool")]
            Store::Deadpool(store) => store.close(),
        }
    }
}

/// A pool that is dropped has nobody left who could use its connections.
impl Drop for NodePool {
    fn drop(&mut self) {
        self.0.close();
    }
}
