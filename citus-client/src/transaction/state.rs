//! An open transaction on its connection, whoever's it is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::cluster::Inner;
use crate::connection::Connection;
use crate::error::RequestError;
use crate::pool::Lease;
use crate::retry::Repeatable;

/// An open transaction on its connection.
#[derive(Debug)]
pub(crate) struct State {
    lease: Lease,
    inner: Arc<Inner>,
    /// The server has refused a statement since the last rollback: it refuses all others now.
    failed: AtomicBool,
    /// Committed or rolled back, or tried to be: nothing more is sent.
    ended: AtomicBool,
    /// What failed may succeed when the whole transaction is run again; nothing of it is kept.
    worth_repeating: AtomicBool,
    /// The savepoint that was dropped without an end; it is rolled back before the next statement.
    undo: Mutex<Option<u32>>,
}

impl State {
    /// Begins a transaction on a connection.
    pub(crate) async fn begin(
        lease: Lease,
        inner: &Arc<Inner>,
        begin: &str,
    ) -> Result<Self, RequestError> {
        let limit = inner.config().query_timeout;
        inner.observe(lease.connection()?.begin(begin, limit).await)?;
        Ok(Self {
            lease,
            inner: Arc::clone(inner),
            failed: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            worth_repeating: AtomicBool::new(false),
            undo: Mutex::new(None),
        })
    }

    pub(crate) fn lease(&self) -> &Lease {
        &self.lease
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// The connection, at the point where the next statement belongs.
    pub(crate) async fn connection(&self) -> Result<&Connection, RequestError> {
        if self.is_ended() {
            let node = self.lease.node().clone();
            return Err(RequestError::Closed { node });
        }
        let undo = self
            .undo
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(depth) = undo {
            self.rollback_to(depth).await?;
        }
        self.lease.connection()
    }

    /// Remembers whether a statement has failed the transaction.
    pub(crate) fn noted<T>(&self, result: Result<T, RequestError>) -> Result<T, RequestError> {
        if let Err(error) = &result {
            self.observe(error);
        }
        result
    }

    /// The same for an error.
    pub(crate) fn observe(&self, error: &RequestError) {
        if matches!(
            error,
            RequestError::Server { .. } | RequestError::ShardMoved { .. }
        ) {
            self.failed.store(true, Ordering::Relaxed);
        }
        // A transaction whose connection is lost before COMMIT is sent is rolled back.
        if Repeatable::Harmless.after(error) {
            self.worth_repeating.store(true, Ordering::Relaxed);
        }
        self.inner.hint(error);
    }

    /// Whether it was committed or rolled back, also without success.
    pub(crate) fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Whether what failed may succeed when the whole transaction is run again.
    pub(crate) fn is_worth_repeating(&self) -> bool {
        self.worth_repeating.load(Ordering::Relaxed)
    }

    pub(crate) async fn commit(&self) -> Result<(), RequestError> {
        let connection = self.connection().await?;
        self.ended.store(true, Ordering::Relaxed);
        if self.failed.load(Ordering::Relaxed) {
            connection.end("ROLLBACK", self.limit()).await?;
            return Err(RequestError::Aborted {
                node: connection.node().clone(),
            });
        }
        let result = self
            .inner
            .observe(connection.end("COMMIT", self.limit()).await);
        result.map_err(|error| {
            let is_unknown = match &error {
                RequestError::Lost { .. } | RequestError::Timeout { .. } => true,
                // Another node may have committed before this one's session ended.
                error => error.is_unknown_outcome(),
            };
            if !is_unknown {
                return error;
            }
            RequestError::CommitUnknown {
                node: connection.node().clone(),
                error: Box::new(error),
            }
        })
    }

    pub(crate) async fn rollback(&self) -> Result<(), RequestError> {
        if self.ended.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        self.inner
            .observe(self.lease.connection()?.end("ROLLBACK", self.limit()).await)
    }

    pub(crate) async fn savepoint(&self, depth: u32) -> Result<(), RequestError> {
        let connection = self.connection().await?;
        let script = format!("SAVEPOINT {}", name(depth));
        self.noted(connection.run(&script, self.limit()).await)
    }

    pub(crate) async fn release(&self, depth: u32) -> Result<(), RequestError> {
        let connection = self.connection().await?;
        if self.failed.load(Ordering::Relaxed) {
            self.rollback_to(depth).await?;
            return Err(RequestError::Aborted {
                node: connection.node().clone(),
            });
        }
        let script = format!("RELEASE SAVEPOINT {}", name(depth));
        self.noted(connection.run(&script, self.limit()).await)
    }

    pub(crate) async fn rollback_to(&self, depth: u32) -> Result<(), RequestError> {
        // Whatever was to be undone lies within.
        self.undo
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let connection = self.lease.connection()?;
        let name = name(depth);
        let script = format!("ROLLBACK TO SAVEPOINT {name}; RELEASE SAVEPOINT {name}");
        self.noted(connection.run(&script, self.limit()).await)?;
        self.failed.store(false, Ordering::Relaxed);
        self.worth_repeating.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// A savepoint is dropped without an end.
    pub(super) fn undo_later(&self, depth: u32) {
        // An inner one that was to be undone lies within.
        *self.undo.lock().unwrap_or_else(PoisonError::into_inner) = Some(depth);
    }

    fn limit(&self) -> Duration {
        self.inner.config().query_timeout
    }
}

/// Savepoints of one depth never exist at the same time, so that the depth is name enough.
fn name(depth: u32) -> String {
    format!("citus_client_{depth}")
}
