//! What the nodes of a cluster are.

use std::env;
use std::fmt;

use crate::StartError;

/// What the nodes of a running [`TestCluster`](crate::TestCluster) are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backend {
    /// A cluster that was running already, named by `CITUS_TEST_URL`. Its nodes are not ours to
    /// stop.
    External,
    /// Containers of the `citusdata/citus` image.
    Docker,
    /// Local processes that form a real Citus cluster.
    #[non_exhaustive]
    Citus {
        /// The version of Citus, such as `13.2.2`.
        version: String,
    },
    /// Local processes of plain PostgreSQL that know nothing of each other.
    #[non_exhaustive]
    Postgres {
        /// The version of PostgreSQL, such as `15.20`.
        version: String,
    },
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::External => f.write_str("external cluster"),
            Self::Docker => f.write_str("Citus in Docker"),
            Self::Citus { version } => write!(f, "Citus {version}"),
            Self::Postgres { version } => write!(f, "PostgreSQL {version} without Citus"),
        }
    }
}

/// Which backend to take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BackendChoice {
    /// What `CITUS_TEST_BACKEND` says, and without it the first that is there, in the order of the
    /// [crate's documentation](crate).
    #[default]
    Auto,
    /// The cluster that `CITUS_TEST_URL` names.
    External,
    /// Docker. Needs the feature `docker`.
    Docker,
    /// A local PostgreSQL with the extension `citus`.
    Citus,
    /// A local PostgreSQL, without Citus even where that is installed.
    Postgres,
}

impl BackendChoice {
    /// Reads `CITUS_TEST_BACKEND` when nothing else was chosen.
    pub(crate) fn or_environment(self) -> Result<Self, StartError> {
        if self != Self::Auto {
            return Ok(self);
        }
        match env::var("CITUS_TEST_BACKEND") {
            Ok(name) => Self::named(&name).ok_or(StartError::UnknownBackend { name }),
            Err(_) => Ok(Self::Auto),
        }
    }

    fn named(name: &str) -> Option<Self> {
        match name {
            "" | "auto" => Some(Self::Auto),
            "external" => Some(Self::External),
            "docker" => Some(Self::Docker),
            "citus" => Some(Self::Citus),
            "postgres" => Some(Self::Postgres),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_environment() {
        assert_eq!(BackendChoice::named("citus"), Some(BackendChoice::Citus));
        assert_eq!(BackendChoice::named(""), Some(BackendChoice::Auto));
        assert_eq!(BackendChoice::named("oracle"), None);
    }

    #[test]
    fn the_log_line_names_the_version() {
        let backend = Backend::Citus {
            version: "13.2.2".to_owned(),
        };
        assert_eq!(backend.to_string(), "Citus 13.2.2");
    }
}
