//! deadpool as the pool of a node.

use std::sync::Arc;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{
    self, Metrics, PoolError, RecycleError, RecycleResult, TimeoutType, Timeouts,
};

use super::lease::{Lease, Slot};
use crate::config::Config;
use crate::connection::{Connection, Connector};
use crate::error::{NodeError, RequestError};

const AT_ONCE: Timeouts = Timeouts {
    wait: Some(Duration::ZERO),
    create: None,
    recycle: None,
};

/// Connections are made and checked here; whether one may come back is the lease's to say.
#[derive(Debug)]
pub(super) struct Manager {
    connector: Connector,
}

impl managed::Manager for Manager {
    // Boxed, as it is moved on every loan.
    type Type = Box<Connection>;
    type Error = NodeError;

    async fn create(&self) -> Result<Box<Connection>, NodeError> {
        // Boxed, so that taking a connection that is there does not carry the making of one along.
        Box::pin(self.connector.connect()).await.map(Box::new)
    }

    async fn recycle(
        &self,
        connection: &mut Box<Connection>,
        _: &Metrics,
    ) -> RecycleResult<NodeError> {
        if connection.is_fresh() {
            Ok(())
        } else {
            Err(RecycleError::message("closed or too old"))
        }
    }
}

#[derive(Debug)]
pub(crate) struct Pool {
    /// Always there: only timeouts without a runtime make none.
    inner: Option<managed::Pool<Manager>>,
    connector: Arc<Connector>,
    config: PoolTimes,
}

/// The times that a lease and its errors need.
#[derive(Clone, Copy, Debug)]
struct PoolTimes {
    acquire: Duration,
    clean: Duration,
}

impl Pool {
    pub(super) fn new(config: &Config, connector: Connector) -> Self {
        let manager = Manager {
            connector: connector.clone(),
        };
        let mut pool = managed::PoolConfig::new(config.pool_size);
        // Making a connection is bounded by the connector.
        pool.timeouts = Timeouts {
            wait: Some(config.acquire_timeout),
            create: None,
            recycle: None,
        };
        let builder = managed::Pool::builder(manager)
            .config(pool)
            .runtime(Runtime::Tokio1);
        Self {
            inner: builder.build().ok(),
            connector: Arc::new(connector),
            config: PoolTimes {
                acquire: config.acquire_timeout,
                clean: config.connect_timeout,
            },
        }
    }

    pub(super) async fn acquire(&self) -> Result<Lease, RequestError> {
        let got = match &self.inner {
            // Most often one is free, and needs no timer. Those who wait are served before.
            Some(pool) => match pool.timeout_get(&AT_ONCE).await {
                Err(PoolError::Timeout(TimeoutType::Wait)) => Box::pin(pool.get()).await,
                got => got,
            },
            None => Err(PoolError::Closed),
        };
        match got {
            Ok(object) => Ok(Lease::new(
                Slot::Deadpool(object),
                &self.connector,
                self.config.clean,
            )),
            Err(PoolError::Backend(error)) => Err(error.into()),
            // Closed: the node has left the cluster in this moment.
            Err(_) => Err(RequestError::PoolTimeout {
                node: self.connector.node().clone(),
                after: self.config.acquire,
            }),
        }
    }

    pub(super) fn reap(&self, idle: Duration) {
        let Some(pool) = &self.inner else { return };
        pool.retain(|connection, metrics| connection.is_fresh() && metrics.last_used() < idle);
    }

    pub(super) fn close(&self) {
        if let Some(pool) = &self.inner {
            pool.close();
        }
    }
}
