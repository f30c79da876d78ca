//! How a transaction begins.

use std::sync::Arc;

use super::{Scope, State, Transaction};
use crate::Tenant;
use crate::error::RequestError;
use crate::observer::Retried;
use crate::retry::{Attempts, Repeatable};
use crate::snapshot::Snapshot;

/// How much of other transactions a transaction sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IsolationLevel {
    /// Each statement sees what was committed before it began.
    ReadCommitted,
    /// The transaction sees what was committed before its first statement.
    RepeatableRead,
    /// As if transactions ran one after the other. With Citus this holds on each node by itself.
    Serializable,
}

/// How a transaction begins; made by [`Tenant::build_transaction`].
///
/// ```no_run
/// # async fn example(tenant: citus_client::Tenant) -> Result<(), citus_client::RequestError> {
/// use citus_client::IsolationLevel;
///
/// let transaction = tenant
///     .build_transaction()
///     .isolation_level(IsolationLevel::RepeatableRead)
///     .read_only(true)
///     .start()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing begins before `start`"]
pub struct TransactionBuilder {
    tenant: Tenant,
    options: BeginOptions,
}

/// The options of `BEGIN`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BeginOptions {
    isolation_level: Option<IsolationLevel>,
    read_only: Option<bool>,
    deferrable: Option<bool>,
}

impl BeginOptions {
    /// Whether all statements see what the first one saw.
    fn has_one_snapshot(self) -> bool {
        match self.isolation_level {
            None | Some(IsolationLevel::ReadCommitted) => false,
            Some(IsolationLevel::RepeatableRead | IsolationLevel::Serializable) => true,
        }
    }

    pub(crate) fn to_sql(self) -> String {
        let mut sql = "BEGIN".to_owned();
        if let Some(level) = self.isolation_level {
            sql.push_str(match level {
                IsolationLevel::ReadCommitted => " ISOLATION LEVEL READ COMMITTED",
                IsolationLevel::RepeatableRead => " ISOLATION LEVEL REPEATABLE READ",
                IsolationLevel::Serializable => " ISOLATION LEVEL SERIALIZABLE",
            });
        }
        if let Some(read_only) = self.read_only {
            sql.push_str(if read_only {
                " READ ONLY"
            } else {
                " READ WRITE"
            });
        }
        if let Some(deferrable) = self.deferrable {
            sql.push_str(if deferrable {
                " DEFERRABLE"
            } else {
                " NOT DEFERRABLE"
            });
        }
        sql
    }
}

impl TransactionBuilder {
    pub(crate) fn new(tenant: Tenant) -> Self {
        Self {
            tenant,
            options: BeginOptions::default(),
        }
    }

    /// The isolation level; the server's default unless said otherwise.
    ///
    /// A transaction that sees one snapshot finds a shard empty that is split after it began (Citus 13.2),
    /// so that after each statement the driver looks whether the shard is still there: an error that says it
    /// is retryable if not. That needs the level to be said here, and not to be a default of
    /// the server.
    pub fn isolation_level(mut self, level: IsolationLevel) -> Self {
        self.options.isolation_level = Some(level);
        self
    }

    /// Whether it may only read.
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.options.read_only = Some(read_only);
        self
    }

    /// Whether a serializable read-only transaction waits for a moment in which it cannot fail.
    pub fn deferrable(mut self, deferrable: bool) -> Self {
        self.options.deferrable = Some(deferrable);
        self
    }

    /// Begins the transaction: on the node of the tenant's rows in the largest colocation group of
    /// the tenancy. Statements on tables of another group are passed on by Citus.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn start(self) -> Result<Transaction<'static>, RequestError> {
        let (state, snapshot) = self.begin().await?;
        Ok(self.transaction(state, snapshot))
    }

    /// Runs a transaction, commits it where `work` ends well, and runs it again where that may help: see
    /// [`Tenant::transaction`].
    ///
    /// # Errors
    /// What `work` gave, or a [`RequestError`] of the transaction itself.
    pub async fn run<T, E, F>(self, mut work: impl FnMut(Transaction<'static>) -> F) -> Result<T, E>
    where
        E: From<RequestError>,
        F: Future<Output = Result<T, E>>,
    {
        let inner = self.tenant.inner();
        let mut attempts: Option<Attempts<'_>> = None;
        loop {
            let failed = match self.attempt(&mut work).await {
                Ok(value) => return Ok(value),
                Err(failed) => failed,
            };
            let attempts =
                attempts.get_or_insert_with(|| Attempts::new(inner.config().retry, &inner.waiting));
            if !failed.worth_repeating || !attempts.next().await {
                return Err(failed.error);
            }
            tracing::debug!("the transaction is repeated");
            inner.config().observers.retry(Retried::Transaction);
        }
    }

    async fn attempt<T, E, F>(
        &self,
        work: &mut impl FnMut(Transaction<'static>) -> F,
    ) -> Result<T, Failed<E>>
    where
        E: From<RequestError>,
        F: Future<Output = Result<T, E>>,
    {
        let (state, snapshot) = self.begin().await.map_err(Failed::of)?;
        let result = work(self.transaction(Arc::clone(&state), snapshot)).await;
        // A failure counts, also one that `work` has swallowed.
        let worth_repeating = state.is_worth_repeating() && !state.is_ended();
        match result {
            Ok(value) if state.is_ended() => Ok(value),
            Ok(value) => match state.commit().await {
                Ok(()) => Ok(value),
                Err(error) => Err(Failed {
                    worth_repeating: error.is_retryable()
                        || worth_repeating && matches!(error, RequestError::Aborted { .. }),
                    error: error.into(),
                }),
            },
            Err(error) => {
                // Where that cannot be done, the connection is given up, and the server does it.
                let _ = state.rollback().await;
                Err(Failed {
                    error,
                    worth_repeating,
                })
            }
        }
    }

    async fn begin(&self) -> Result<(Arc<State>, Arc<Snapshot>), RequestError> {
        let inner = self.tenant.inner();
        let snapshot = inner.snapshot.load_full();
        let node = snapshot.node(&snapshot.home(self.tenant.id()));
        let lease = inner.observe(node.acquire().await)?;
        let state = State::begin(lease, inner, &self.options.to_sql()).await?;
        Ok((Arc::new(state), snapshot))
    }

    fn transaction(&self, state: Arc<State>, snapshot: Arc<Snapshot>) -> Transaction<'static> {
        let tenant = self.tenant.id().clone();
        let one_snapshot = self.options.has_one_snapshot();
        Transaction::new(Scope::Whole(state), tenant, snapshot, one_snapshot)
    }
}

/// A transaction of which nothing is kept, unless its error says otherwise.
struct Failed<E> {
    error: E,
    worth_repeating: bool,
}

impl<E: From<RequestError>> Failed<E> {
    fn of(error: RequestError) -> Self {
        Self {
            worth_repeating: Repeatable::Harmless.after(&error),
            error: error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_written_as_postgresql_reads_them() {
        assert_eq!(BeginOptions::default().to_sql(), "BEGIN");
        let options = BeginOptions {
            isolation_level: Some(IsolationLevel::Serializable),
            read_only: Some(true),
            deferrable: Some(true),
        };
        let expected = "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE";
        assert_eq!(options.to_sql(), expected);
    }
}
