//! bb8 as the pool of a node.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bb8::{ErrorSink, ManageConnection, RunError};
use tokio::sync::Notify;

use super::lease::{Lease, Slot};
use crate::config::Config;
use crate::connection::{Connection, Connector};
use crate::error::{NodeError, RequestError};

/// Connections are made and checked here; whether one may come back is the lease's to say.
#[derive(Debug)]
pub(super) struct Manager {
    connector: Connector,
}

impl ManageConnection for Manager {
    type Connection = Box<Connection>;
    type Error = NodeError;

    async fn connect(&self) -> Result<Box<Connection>, NodeError> {
        self.connector.connect().await.map(Box::new)
    }

    async fn is_valid(&self, connection: &mut Box<Connection>) -> Result<(), NodeError> {
        if connection.is_fresh() {
            Ok(())
        } else {
            // It says only that another one is to be taken; see `Failures`.
            let after = Duration::ZERO;
            Err(NodeError::Timeout {
                node: self.connector.node().clone(),
                after,
            })
        }
    }

    fn has_broken(&self, connection: &mut Box<Connection>) -> bool {
        !connection.is_usable()
    }
}

/// bb8 connects in a task of its own, and tells nobody who waits that it failed. Here those who
/// wait are told, so that a node that is down costs them no whole timeout.
#[derive(Clone, Debug, Default)]
struct Failures(Arc<FailuresInner>);

#[derive(Debug, Default)]
struct FailuresInner {
    last: Mutex<Option<NodeError>>,
    happened: Notify,
}

impl ErrorSink<NodeError> for Failures {
    fn sink(&self, error: NodeError) {
        if matches!(&error, NodeError::Timeout { after, .. } if after.is_zero()) {
            return;
        }
        *self.0.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        self.0.happened.notify_waiters();
    }

    fn boxed_clone(&self) -> Box<dyn ErrorSink<NodeError>> {
        Box::new(self.clone())
    }
}

#[derive(Debug)]
pub(crate) struct Pool {
    inner: bb8::Pool<Manager>,
    connector: Arc<Connector>,
    failures: Failures,
    closed: AtomicBool,
    acquire_timeout: Duration,
    clean_timeout: Duration,
}

impl Pool {
    pub(super) fn new(config: &Config, connector: Connector) -> Self {
        let failures = Failures::default();
        // bb8 panics for a time of zero.
        let positive = |time: Duration| time.max(Duration::from_millis(1));
        let inner = bb8::Pool::builder()
            .max_size(u32::try_from(config.pool_size).unwrap_or(u32::MAX))
            .connection_timeout(positive(config.acquire_timeout))
            .max_lifetime(positive(config.max_lifetime))
            .idle_timeout(positive(config.idle_timeout))
            .retry_connection(false)
            .error_sink(Box::new(failures.clone()))
            .build_unchecked(Manager {
                connector: connector.clone(),
            });
        Self {
            inner,
            connector: Arc::new(connector),
            failures,
            closed: AtomicBool::new(false),
            acquire_timeout: config.acquire_timeout,
            clean_timeout: config.connect_timeout,
        }
    }

    fn timed_out(&self) -> RequestError {
        let node = self.connector.node().clone();
        RequestError::PoolTimeout {
            node,
            after: self.acquire_timeout,
        }
    }

    pub(super) async fn acquire(&self) -> Result<Lease, RequestError> {
        if self.closed.load(Ordering::Relaxed) {
            return Err(self.timed_out());
        }
        let failed = self.failures.0.happened.notified();
        tokio::select! {
            biased;
            got = self.inner.get_owned() => match got {
                Ok(connection) => {
                    Ok(Lease::new(Slot::Bb8(connection), &self.connector, self.clean_timeout))
                }
                Err(RunError::User(error)) => Err(error.into()),
                Err(RunError::TimedOut) => Err(self.timed_out()),
            },
            () = failed => {
                let last = self.failures.0.last.lock().unwrap_or_else(PoisonError::into_inner).take();
                match last {
                    Some(error) => Err(error.into()),
                    // Another one who waited has it.
                    None => Err(self.timed_out()),
                }
            }
        }
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }
}
