//! What can go wrong, one type for each stage: starting, handling a node, handling a database.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::error::SqlState;

/// Why no cluster could be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// No PostgreSQL of a usable version is installed.
    #[error(
        "no PostgreSQL {minimum} or newer was found{}; install one, for example with \
         `apt-get install postgresql`, or name its pg_config in PG_CONFIG, or name a running \
         cluster in CITUS_TEST_URL (looked in: {})",
        .too_old.as_ref().map(|found| format!(" (only {found})")).unwrap_or_default(),
        .looked_in.join(", ")
    )]
    PostgresMissing {
        /// The lowest major version that works.
        minimum: u32,
        /// An older one that was found.
        too_old: Option<String>,
        /// The places that were searched.
        looked_in: Vec<String>,
    },
    /// PostgreSQL is there, but a Citus cluster was asked for and the extension is not installed.
    #[error(
        "PostgreSQL {postgres} has no extension citus; install the package of Citus for its major \
         version (https://docs.citusdata.com/en/stable/installation/multi_node.html)"
    )]
    CitusMissing {
        /// The version of PostgreSQL that was found.
        postgres: String,
    },
    /// `CITUS_TEST_BACKEND` has an unknown value.
    #[error("CITUS_TEST_BACKEND is {name:?}, which is none of: external, docker, citus, postgres")]
    UnknownBackend {
        /// The value.
        name: String,
    },
    /// An external cluster was asked for, and `CITUS_TEST_URL` is not set.
    #[error("CITUS_TEST_URL is not set: it names the coordinator of the external cluster")]
    UrlMissing,
    /// `CITUS_TEST_URL` can't be used. The value is not printed: it can hold a password.
    #[error("CITUS_TEST_URL can't be used: {reason}")]
    Url {
        /// What is wrong with it.
        reason: String,
    },
    /// The external cluster is smaller than what was asked for.
    #[error("the external cluster has {found} workers and {wanted} were asked for")]
    TooFewWorkers {
        /// Workers in the external cluster.
        found: usize,
        /// Workers that were asked for.
        wanted: usize,
    },
    /// Docker was asked for and can't be used.
    #[error("Docker can't be used: {reason}")]
    Docker {
        /// What is missing, or what the engine answered.
        reason: String,
    },
    /// The name or the value of a setting can't stand in `postgresql.conf`.
    #[error("{name:?} is not a setting that can stand in postgresql.conf")]
    Setting {
        /// The name as it was given.
        name: String,
    },
    /// The process runs as root, PostgreSQL refuses that, and there is no other user to run it as.
    #[error("PostgreSQL does not run as root, and there is no user named postgres or nobody")]
    NoUnprivilegedUser,
    /// Reading or writing a file, or starting a program, failed.
    #[error("can't {what} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// The file or program.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// `initdb` failed.
    #[error("initdb failed:\n{output}")]
    Initdb {
        /// What it printed.
        output: String,
    },
    /// A server did not start.
    #[error("a server did not start: {0}")]
    Node(#[from] NodeError),
    /// Forming the Citus cluster, or reading the nodes of an external one, failed.
    #[error("the nodes could not be made a cluster: {0}")]
    Database(#[from] DatabaseError),
    /// Another process holds the lock on the cached data directory for too long.
    #[error("another process has been preparing {} for more than {after:?}", .path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// How long this process waited.
        after: Duration,
    },
}

impl StartError {
    /// The SQLSTATE, where a server sent one.
    pub fn sqlstate(&self) -> Option<&SqlState> {
        match self {
            Self::Database(error) => error.sqlstate(),
            _ => None,
        }
    }

    /// Whether the same call can succeed when it is made again and nothing else changes.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Node(error) => error.is_retryable(),
            Self::Database(error) => error.is_retryable(),
            Self::Locked { .. } => true,
            _ => false,
        }
    }

    pub(crate) fn io(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }
}

/// Why a node could not be stopped, started, paused or resumed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// A scenario names a node that the cluster does not have.
    #[error("the cluster has no node {index}; the coordinator is 0, the first worker 1")]
    Missing {
        /// The node, counted from the coordinator.
        index: usize,
    },
    /// The node belongs to an external cluster.
    #[error("{operation} is not supported on {node}: it belongs to an external cluster")]
    Unsupported {
        /// What was asked for.
        operation: &'static str,
        /// The node, as `host:port`.
        node: String,
    },
    /// The server process ended instead of becoming ready.
    #[error("the server on port {port} ended before it was ready ({status}); its log:\n{log}")]
    Exited {
        /// Its port.
        port: u16,
        /// Its exit status.
        status: String,
        /// The end of its log.
        log: String,
    },
    /// The port is taken by another program.
    #[error("port {port} is taken by another program")]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// The server did not do what it was told in time.
    #[error("the server on port {port} did not {what} within {after:?}; its log:\n{log}")]
    Timeout {
        /// Its port.
        port: u16,
        /// What it was told to do.
        what: &'static str,
        /// How long was waited.
        after: Duration,
        /// The end of its log.
        log: String,
    },
    /// Starting or signalling the process failed.
    #[error("can't {what} the server on port {port}: {source}")]
    Process {
        /// Its port.
        port: u16,
        /// What was tried.
        what: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// The Docker engine refused.
    #[error("Docker: {reason}")]
    Docker {
        /// What the engine answered.
        reason: String,
    },
}

impl NodeError {
    /// Whether the same call can succeed when it is made again and nothing else changes.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::PortTaken { .. } | Self::Timeout { .. })
    }
}

/// Why a database could not be reached, made or migrated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// No connection to a node.
    #[error("can't connect to {node}: {}", said(source))]
    Connect {
        /// The node, as `host:port`.
        node: String,
        /// The cause.
        source: tokio_postgres::Error,
    },
    /// A statement of this crate failed.
    #[error("{what} failed on {node}: {}", said(source))]
    Statement {
        /// What it was for.
        what: &'static str,
        /// The node, as `host:port`.
        node: String,
        /// The cause.
        source: tokio_postgres::Error,
    },
    /// A statement of a migration failed. The statement is not repeated here: it can hold data.
    #[error(
        "the statement in line {line} of the migration failed on {node}: {}",
        said(source)
    )]
    Migration {
        /// The line in which the statement starts, counted from 1.
        line: usize,
        /// The node, as `host:port`.
        node: String,
        /// The cause.
        source: tokio_postgres::Error,
    },
    /// A server did not answer in time.
    #[error("{what} on {node} took longer than {after:?}")]
    Timeout {
        /// What was waited for.
        what: &'static str,
        /// The node, as `host:port`.
        node: String,
        /// How long was waited.
        after: Duration,
    },
}

impl DatabaseError {
    /// The SQLSTATE, where a server sent one.
    pub fn sqlstate(&self) -> Option<&SqlState> {
        match self {
            Self::Connect { source, .. }
            | Self::Statement { source, .. }
            | Self::Migration { source, .. } => source.code(),
            Self::Timeout { .. } => None,
        }
    }

    /// Whether the same call can succeed when it is made again and nothing else changes.
    ///
    /// A migration is never retryable: its first statements may have been carried out.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Timeout { .. } => true,
            Self::Statement { source, .. } => source.is_closed(),
            Self::Migration { .. } => false,
        }
    }
}

/// The server's own words. `Display` of a tokio-postgres error is only its kind ("db error").
fn said(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), std::error::Error::source(error)) {
        (Some(error), _) => format!("{} ({})", error.message(), error.code().code()),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    }
}
