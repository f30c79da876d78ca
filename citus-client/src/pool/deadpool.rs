//! deadpool as what keeps the connections of a node.

use std::sync::Arc;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{
    self, Metrics, PoolError, QueueMode, RecycleError, RecycleResult, TimeoutType, Timeouts,
};

use super::dialer::Dialer;
use super::lease::Slot;
use crate::connection::Connection;
use crate::error::RequestError;

const AT_ONCE: Timeouts = Timeouts {
    wait: Some(Duration::ZERO),
    create: None,
    recycle: None,
};

/// Connections are made and checked here; whether one may come back is the lease's to say.
#[derive(Debug)]
pub(super) struct Manager {
    dialer: Arc<Dialer>,
}

impl managed::Manager for Manager {
    // Boxed, as it is moved on every loan.
    type Type = Box<Connection>;
    type Error = RequestError;

    async fn create(&self) -> Result<Box<Connection>, RequestError> {
        // Boxed, so that taking a connection that is there does not carry the making of one along.
        Box::pin(self.dialer.dial()).await
    }

    async fn recycle(
        &self,
        connection: &mut Box<Connection>,
        _: &Metrics,
    ) -> RecycleResult<RequestError> {
        if self.dialer.trusts(connection) {
            Ok(())
        } else {
            Err(RecycleError::message("closed or too old"))
        }
    }
}

#[derive(Debug)]
pub(super) struct Store {
    /// Always there: only timeouts without a runtime make none.
    inner: Option<managed::Pool<Manager>>,
    dialer: Arc<Dialer>,
}

impl Store {
    pub(super) fn new(dialer: &Arc<Dialer>) -> Self {
        let manager = Manager {
            dialer: Arc::clone(dialer),
        };
        let mut pool = managed::PoolConfig::new(dialer.settings.size);
        // The one that was used last is used next, so that those that are too many grow old unused.
        pool.queue_mode = QueueMode::Lifo;
        // Making a connection is bounded by the dialer.
        pool.timeouts = Timeouts {
            wait: Some(dialer.settings.acquire_timeout),
            create: None,
            recycle: None,
        };
        let builder = managed::Pool::builder(manager)
            .config(pool)
            .runtime(Runtime::Tokio1);
        Self {
            inner: builder.build().ok(),
            dialer: Arc::clone(dialer),
        }
    }

    pub(super) async fn take(&self) -> Result<Slot, RequestError> {
        let got = match &self.inner {
            // Most often one is free, and needs no timer. Those who wait are served before.
            Some(pool) => match pool.timeout_get(&AT_ONCE).await {
                Err(PoolError::Timeout(TimeoutType::Wait)) => Box::pin(self.wait(pool)).await,
                got => got,
            },
            None => Err(PoolError::Closed),
        };
        match got {
            Ok(object) => Ok(Slot::Deadpool(object)),
            Err(PoolError::Backend(error)) => Err(error),
            Err(_) => Err(self.dialer.none_free()),
        }
    }

    async fn wait(
        &self,
        pool: &managed::Pool<Manager>,
    ) -> Result<managed::Object<Manager>, PoolError<RequestError>> {
        let _waiting = self.dialer.waiting();
        pool.get().await
    }

    /// The one that was not used for longest, for good.
    pub(super) fn take_idle(&self) -> Option<Box<Connection>> {
        let mut taken = false;
        let pool = self.inner.as_ref()?;
        let removed = pool.retain(|_, _| std::mem::replace(&mut taken, true));
        removed.removed.into_iter().next()
    }

    pub(super) fn idle(&self) -> usize {
        let status = self.inner.as_ref().map(managed::Pool::status);
        status.map_or(0, |status| status.available)
    }

    /// Gives up connections that cannot be used any more, and of the others those that were unused
    /// for too long, until only so many are left.
    pub(super) fn reap(&self, mut spare: usize) {
        let Some(pool) = &self.inner else { return };
        let limit = self.dialer.settings.idle_timeout;
        // Those that were not used for longest come first.
        pool.retain(|connection, metrics| {
            if !self.dialer.trusts(connection) {
                spare = spare.saturating_sub(1);
                return false;
            }
            if spare > 0 && metrics.last_used() >= limit {
                spare -= 1;
                return false;
            }
            true
        });
    }

    pub(super) fn close(&self) {
        if let Some(pool) = &self.inner {
            pool.close();
        }
    }
}
