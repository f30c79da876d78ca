//! A cluster or a node that cannot be reached.

use std::time::{Duration, SystemTime};

use tenant_guard::TenancyError;
use tenant_guard::doctor::{Report, Severity};

use tokio_postgres::error::SqlState;

use super::PgError;
use crate::{ConfigError, NodeAddress};

/// Why [`Cluster::connect`](crate::Cluster::connect) fails, or the topology cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The node has a version of Citus that this driver does not know: 10.2 is the oldest.
    #[error(
        "{node} has Citus {version}, and 10.2 is the oldest that is supported; after an upgrade of \
         the package, `ALTER EXTENSION citus UPDATE` is needed in each database"
    )]
    CitusVersion {
        /// The node.
        node: NodeAddress,
        /// Its version, as `pg_extension` has it.
        version: String,
    },
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The metadata that a node gave are not what was asked for.
    #[error("the metadata of {node} cannot be understood: {reason}")]
    Metadata {
        /// The node.
        node: NodeAddress,
        /// What is wrong.
        reason: String,
    },
    /// A node did not give its metadata.
    #[error("the metadata of {node} cannot be read: {error}")]
    MetadataRead {
        /// The node.
        node: NodeAddress,
        /// What it answered.
        error: PgError,
    },
    /// No node could be reached; the error of the last one that was tried.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// In this schema tenants can meet each other past the guard, and
    /// [`SchemaChecks::Refuse`](crate::SchemaChecks::Refuse) says to stop then.
    #[error("the schema lets tenants meet each other:\n{}", errors(.0))]
    Schema(Box<Report>),
    /// The live tables do not make a tenancy.
    #[error("the tables of the cluster make no tenancy: {0}")]
    Tenancy(#[from] TenancyError),
}

fn errors(report: &Report) -> String {
    let findings = report.findings().iter();
    let errors: Vec<String> = findings
        .filter(|finding| finding.severity() == Severity::Error)
        .map(ToString::to_string)
        .collect();
    errors.join("\n")
}

/// Why there is no connection to a node. Nothing was sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// Whoever was asked for credentials had none; see
    /// [`Config::credentials`](crate::Config::credentials).
    #[error("no connection to {node}: there are no credentials: {reason}")]
    Credentials {
        /// The node.
        node: NodeAddress,
        /// What was said instead.
        reason: String,
    },
    /// It could not be reached before, and is tried again in the background: no request waits for
    /// that.
    #[error("no connection to {node} for {} ({attempts} attempts): {last}", elapsed(*.since))]
    Down {
        /// The node.
        node: NodeAddress,
        /// When it could not be reached for the first time.
        since: SystemTime,
        /// How often it was tried since then.
        attempts: u32,
        /// Why not, the last time.
        last: String,
        /// What the server answered the last time, where it answered.
        sql_state: Option<SqlState>,
    },
    /// It refused the connection, or could not be reached.
    #[error("no connection to {node}: {error}")]
    Refused {
        /// The node.
        node: NodeAddress,
        /// Why.
        error: PgError,
    },
    /// Its sessions have other settings than statements rely on, and with
    /// [`StatementMode::Unnamed`](crate::StatementMode::Unnamed) they have to be the role's own.
    #[error(
        "sessions of {node} do not have the settings of \"{wanted}\"; set them for the role: ALTER ROLE … SET …"
    )]
    Settings {
        /// The node.
        node: NodeAddress,
        /// The settings, as a session could be told them.
        wanted: String,
    },
    /// The name of its host has no address.
    #[error("no connection to {node}: its name cannot be resolved: {reason}")]
    Unresolved {
        /// The node.
        node: NodeAddress,
        /// Why.
        reason: String,
    },
    /// Nothing came back in time.
    #[error("no connection to {node} within {after:?}")]
    Timeout {
        /// The node.
        node: NodeAddress,
        /// How long it was waited for.
        after: Duration,
    },
}

fn elapsed(since: SystemTime) -> String {
    // The clock may have been put back.
    let seconds = since.elapsed().unwrap_or_default().as_secs();
    format!("{seconds}s")
}

impl NodeError {
    /// The node.
    pub fn node(&self) -> &NodeAddress {
        match self {
            Self::Credentials { node, .. }
            | Self::Down { node, .. }
            | Self::Refused { node, .. }
            | Self::Settings { node, .. }
            | Self::Timeout { node, .. }
            | Self::Unresolved { node, .. } => node,
        }
    }

    /// What went wrong, without the node.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Credentials { reason, .. } => format!("there are no credentials: {reason}"),
            Self::Down { last, .. } => last.clone(),
            Self::Refused { error, .. } => error.to_string(),
            Self::Settings { wanted, .. } => format!("its sessions are not as \"{wanted}\" says"),
            Self::Timeout { after, .. } => format!("nothing came back within {after:?}"),
            Self::Unresolved { reason, .. } => format!("its name cannot be resolved: {reason}"),
        }
    }

    /// Whether another attempt may succeed without anybody changing the configuration: not after a wrong
    /// password, for example.
    pub fn is_retryable(&self) -> bool {
        let state = match self {
            Self::Down { sql_state, .. } => sql_state.as_ref(),
            other => other.error().and_then(PgError::sql_state),
        };
        // Authorization, a database or role that is not there, and rights.
        let lasting = ["28", "3D", "42"];
        state.is_none_or(|state| {
            let mut lasting = lasting.iter();
            !lasting.any(|class| state.code().starts_with(class))
        })
    }

    /// What the server or the network said.
    pub fn error(&self) -> Option<&PgError> {
        match self {
            Self::Refused { error, .. } => Some(error),
            Self::Credentials { .. }
            | Self::Down { .. }
            | Self::Settings { .. }
            | Self::Timeout { .. }
            | Self::Unresolved { .. } => None,
        }
    }
}
