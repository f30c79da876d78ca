//! How a transaction begins.

use super::{Scope, State, Transaction};
use crate::Tenant;
use crate::error::RequestError;

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
        let inner = self.tenant.inner();
        let snapshot = inner.snapshot.load_full();
        let node = snapshot.node(&snapshot.home(self.tenant.id()));
        let lease = inner.observe(node.acquire().await)?;
        let state = State::begin(lease, inner, &self.options.to_sql()).await?;
        let scope = Scope::Whole(Box::new(state));
        Ok(Transaction::new(scope, self.tenant.id().clone(), snapshot))
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
