//! A statement or a transaction that failed.

use std::time::Duration;

use tenant_guard::{Refusal, TenantSchemaError};
use tokio_postgres::error::{DbError, SqlState};

use super::{NodeError, PgError};
use crate::{NodeAddress, TenantIdError};

/// Why a request failed. [`RequestError::was_sent`] and [`RequestError::is_retryable`] say what
/// that means for the rows.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// `COMMIT` was asked for, but a statement of the transaction had failed: it was rolled back.
    #[error("the transaction on {node} was rolled back, because a statement in it had failed")]
    Aborted {
        /// The node.
        node: NodeAddress,
    },
    /// The transaction's connection was given up after an earlier error.
    #[error("the transaction on {node} ended with an earlier error")]
    Closed {
        /// The node.
        node: NodeAddress,
    },
    /// [`Cluster::close`](crate::Cluster::close) was called: nothing is sent any more.
    #[error("the cluster was closed by this application")]
    ClusterClosed,
    /// `COMMIT` was sent, and no answer came: nobody knows whether the transaction is there.
    #[error("whether the transaction on {node} was committed is not known: {error}")]
    CommitUnknown {
        /// The node.
        node: NodeAddress,
        /// What happened instead of an answer.
        error: Box<RequestError>,
    },
    /// A row cannot be copied. Nothing of the copy is kept.
    #[error("row {row} cannot be copied: {problem}")]
    CopyRow {
        /// Its number, from 1.
        row: u64,
        /// What is wrong.
        problem: &'static str,
    },
    /// `COPY` needs statements with names: see [`StatementMode::Unnamed`](crate::StatementMode::Unnamed).
    #[error("COPY needs statements with names, which this configuration does without")]
    CopyWithoutNames,
    /// The connection ended before the answer: nobody knows whether the statement was carried out.
    #[error("the connection to {node} was lost while a statement was running: {error}")]
    Lost {
        /// The node.
        node: NodeAddress,
        /// What happened.
        error: PgError,
    },
    /// There is no connection to the node.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The node has left the cluster, was disabled, or listens elsewhere now. Another request goes
    /// where the tenant's rows are now; of a transaction nothing is kept.
    #[error("{node} is no part of the cluster any more")]
    NodeLeft {
        /// The node.
        node: NodeAddress,
    },
    /// Only what reads can be copied out.
    #[error("the statement writes or locks rows, and only what reads can be copied out")]
    NotARead,
    /// The tenant column's type has no form in which rows could be loaded in bulk.
    #[error("tenants of this type cannot be loaded in bulk; use COPY for one tenant, or INSERT")]
    NoBinaryForm,
    /// A statement in a transaction on a plain server belongs to another server.
    #[error("the transaction is on {node}, and the statement's rows are not")]
    OtherNode {
        /// The transaction's node.
        node: NodeAddress,
    },
    /// A parameter cannot be turned into what the statement takes.
    #[error("a parameter of the statement cannot be used: {error}")]
    Parameter {
        /// The node.
        node: NodeAddress,
        /// Which one.
        error: PgError,
    },
    /// The statement takes another number of parameters.
    #[error("the statement takes {expected} parameters, and {given} are given")]
    ParameterCount {
        /// How many the statement takes, without the tenant.
        expected: usize,
        /// How many were given.
        given: usize,
    },
    /// All connections to the node were in use for too long.
    #[error("no connection to {node} became free within {after:?}")]
    PoolTimeout {
        /// The node.
        node: NodeAddress,
        /// How long it was waited for.
        after: Duration,
    },
    /// The guard does not accept the statement.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// One row was asked for, and there are more or fewer.
    #[error("the statement gave {} rows, and {expected} was asked for", if *.found == 0 { "no" } else { "several" })]
    RowCount {
        /// How many were asked for, in words.
        expected: &'static str,
        /// 0, or 2 for any larger number.
        found: usize,
    },
    /// The server answered with an error.
    #[error("{node} answered with an error: {error}")]
    Server {
        /// The node.
        node: NodeAddress,
        /// What it answered.
        error: PgError,
    },
    /// The tenant's shard was moved or split while the statement ran, so that its answer cannot be
    /// believed. Nothing was done, or in a transaction nothing is kept.
    #[error("a shard of {node} was moved or split while a statement ran on it")]
    ShardMoved {
        /// The node.
        node: NodeAddress,
    },
    /// The statement was guarded under another tenancy: the schema has changed since, or it is
    /// another cluster's.
    #[error("the statement was guarded for another schema; guard it again")]
    StaleStatement,
    /// The tenant's value is none of the tenant column's type.
    #[error(transparent)]
    Tenant(#[from] TenantIdError),
    /// The statement is about tables in the tenant's own schema, and the tenant is told by a value of
    /// a column.
    #[error("the statement is for tenants with a schema each; Cluster::schema_tenant makes them")]
    TenantSchema,
    /// The name cannot be that of a tenant's schema.
    #[error(transparent)]
    TenantSchemaName(#[from] TenantSchemaError),
    /// The answer did not come in time. The statement was told to stop; whether it was carried out
    /// before is not known.
    #[error("no answer from {node} within {after:?}")]
    Timeout {
        /// The node.
        node: NodeAddress,
        /// How long it was waited for.
        after: Duration,
    },
    /// The cluster has no tenant with this schema, as far as is known: one that was just made is known
    /// within about a second, or after [`Cluster::refresh`](crate::Cluster::refresh).
    #[error("the cluster has no tenant with this schema")]
    UnknownSchema,
}

impl RequestError {
    /// Whether the statement reached the server, or may have: only then can it have had an effect.
    pub fn was_sent(&self) -> bool {
        match self {
            Self::Aborted { .. }
            | Self::CommitUnknown { .. }
            | Self::Lost { .. }
            | Self::RowCount { .. }
            | Self::Server { .. }
            | Self::ShardMoved { .. }
            | Self::Timeout { .. } => true,
            Self::Closed { .. }
            | Self::ClusterClosed
            | Self::CopyRow { .. }
            | Self::CopyWithoutNames
            | Self::Node(_)
            | Self::NodeLeft { .. }
            | Self::NoBinaryForm
            | Self::NotARead
            | Self::OtherNode { .. }
            | Self::Parameter { .. }
            | Self::ParameterCount { .. }
            | Self::PoolTimeout { .. }
            | Self::Refused(_)
            | Self::StaleStatement
            | Self::Tenant(_)
            | Self::TenantSchema
            | Self::TenantSchemaName(_)
            | Self::UnknownSchema => false,
        }
    }

    /// Whether the same request may succeed when it is made again, and nothing was done by this
    /// one for certain. In a transaction it is the whole transaction that is to be made again.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Node(error) => error.is_retryable(),
            Self::NodeLeft { .. } | Self::PoolTimeout { .. } | Self::ShardMoved { .. } => true,
            Self::Server { error, .. } => error.db_error().is_some_and(rolled_back_for_a_while),
            _ => false,
        }
    }

    /// Whether somebody said that locks are not to be waited for.
    pub(crate) fn is_lock_not_available(&self) -> bool {
        self.sql_state() == Some(&SqlState::LOCK_NOT_AVAILABLE)
    }

    /// Whether the server ended the session, or could not reach another node: nobody knows what was done.
    pub(crate) fn is_unknown_outcome(&self) -> bool {
        let states = [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CONNECTION_FAILURE,
        ];
        self.sql_state().is_some_and(|state| states.contains(state))
    }

    /// A word for what happened, fit for a metric: the SQLSTATE where the server answered.
    ///
    /// ```
    /// let error = citus_client::RequestError::ClusterClosed;
    /// assert_eq!(error.kind(), "cluster_closed");
    /// ```
    pub fn kind(&self) -> &str {
        if let Some(state) = self.sql_state() {
            return state.code();
        }
        match self {
            Self::Aborted { .. } => "aborted",
            Self::Closed { .. } => "closed",
            Self::ClusterClosed => "cluster_closed",
            Self::CommitUnknown { .. } => "commit_unknown",
            Self::CopyRow { .. } => "copy_row",
            Self::CopyWithoutNames => "copy_without_names",
            Self::Lost { .. } => "lost",
            Self::NoBinaryForm => "no_binary_form",
            Self::Node(_) => "no_connection",
            Self::NodeLeft { .. } => "node_left",
            Self::NotARead => "not_a_read",
            Self::OtherNode { .. } => "other_node",
            Self::Parameter { .. } => "parameter",
            Self::ParameterCount { .. } => "parameter_count",
            Self::PoolTimeout { .. } => "pool_timeout",
            Self::Refused(_) => "refused",
            Self::RowCount { .. } => "row_count",
            Self::Server { .. } => "server",
            Self::ShardMoved { .. } => "shard_moved",
            Self::StaleStatement => "stale_statement",
            Self::Tenant(_) => "tenant",
            Self::TenantSchema => "tenant_schema",
            Self::TenantSchemaName(_) => "tenant_schema_name",
            Self::UnknownSchema => "unknown_schema",
            Self::Timeout { .. } => "timeout",
        }
    }

    /// The server's SQLSTATE, where it answered.
    pub fn sql_state(&self) -> Option<&SqlState> {
        self.pg_error().and_then(PgError::sql_state)
    }

    /// What the server answered, in full. Its message and detail can hold a tenant's data.
    pub fn db_error(&self) -> Option<&DbError> {
        self.pg_error().and_then(PgError::db_error)
    }

    /// The node, where one was chosen.
    pub fn node(&self) -> Option<&NodeAddress> {
        match self {
            Self::Aborted { node }
            | Self::Closed { node }
            | Self::CommitUnknown { node, .. }
            | Self::Lost { node, .. }
            | Self::NodeLeft { node }
            | Self::OtherNode { node }
            | Self::Parameter { node, .. }
            | Self::PoolTimeout { node, .. }
            | Self::Server { node, .. }
            | Self::ShardMoved { node }
            | Self::Timeout { node, .. } => Some(node),
            Self::Node(error) => Some(error.node()),
            Self::ClusterClosed
            | Self::CopyRow { .. }
            | Self::CopyWithoutNames
            | Self::NoBinaryForm
            | Self::NotARead
            | Self::ParameterCount { .. }
            | Self::Refused(_)
            | Self::RowCount { .. }
            | Self::StaleStatement
            | Self::Tenant(_)
            | Self::TenantSchema
            | Self::TenantSchemaName(_)
            | Self::UnknownSchema => None,
        }
    }

    fn pg_error(&self) -> Option<&PgError> {
        match self {
            Self::Lost { error, .. }
            | Self::Parameter { error, .. }
            | Self::Server { error, .. } => Some(error),
            Self::Node(error) => error.error(),
            Self::CommitUnknown { error, .. } => error.pg_error(),
            _ => None,
        }
    }

    /// Whether the topology may have changed: it is then read anew at once.
    pub(crate) fn hints_at_change(&self) -> bool {
        match self {
            Self::Node(_)
            | Self::Lost { .. }
            | Self::ShardMoved { .. }
            | Self::Timeout { .. }
            | Self::CommitUnknown { .. } => true,
            Self::Server { error, .. } => error.db_error().is_some_and(|error| {
                let state = error.code();
                *state == SqlState::UNDEFINED_TABLE
                    || *state == SqlState::ADMIN_SHUTDOWN
                    || *state == SqlState::CANNOT_CONNECT_NOW
                    // A Citus node that cannot reach another.
                    || *state == SqlState::CONNECTION_FAILURE
                    || is_shard_gone(error)
            }),
            _ => false,
        }
    }
}

/// Errors that a statement meets while others do something that ends soon; it was rolled back.
fn rolled_back_for_a_while(error: &DbError) -> bool {
    let states = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::TOO_MANY_CONNECTIONS,
        SqlState::CANNOT_CONNECT_NOW,
    ];
    states.contains(error.code()) || is_shard_gone(error)
}

/// A statement that was planned just before a shard was split or moved (Citus 13.2): 40001 `shard
/// for the given value does not exist`, or XX000 `could not find valid entry for shard`. Citus
/// does not translate its messages.
fn is_shard_gone(error: &DbError) -> bool {
    let gone = [
        "could not find valid entry for shard",
        "shard for the given value does not exist",
    ];
    gone.iter()
        .any(|message| error.message().starts_with(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_small_enough_to_be_passed_on() {
        assert!(
            size_of::<RequestError>() <= 128,
            "{}",
            size_of::<RequestError>()
        );
    }

    #[test]
    fn what_was_not_sent_can_be_sent_again() {
        let node = NodeAddress::new("db1", 5432);
        let error = RequestError::PoolTimeout {
            node,
            after: Duration::from_secs(1),
        };
        assert!(error.is_retryable() && !error.was_sent());
        assert_eq!(
            error.to_string(),
            "no connection to db1:5432 became free within 1s"
        );
    }

    #[test]
    fn what_may_have_been_done_is_not_retryable() {
        let node = NodeAddress::new("db1", 5432);
        let error = RequestError::Timeout {
            node,
            after: Duration::from_secs(1),
        };
        assert!(!error.is_retryable() && error.was_sent());
    }
}
