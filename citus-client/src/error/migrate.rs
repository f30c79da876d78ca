//! Migrations that failed.

use std::time::Duration;

use tenant_guard::{MigrationError, SplitError};

use super::RequestError;

/// Why [`Migrator`](crate::Migrator) failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// A file was changed after it had been run.
    #[error(
        "{file} was changed after it had been run: put it back, and write the change into a new file"
    )]
    Changed {
        /// The file.
        file: String,
    },
    /// The files cannot be read.
    #[error(transparent)]
    Files(#[from] MigrationError),
    /// A file that was run is not there any more.
    #[error("{file} was run, and is not among the files any more: put it back")]
    Gone {
        /// The file.
        file: String,
    },
    /// The table of what was run is not what it was made as.
    #[error("the table citus_client_migrations cannot be read: its columns were changed")]
    Ledger,
    /// Another process migrates.
    #[error("another process migrates, and did not end within {after:?}")]
    Locked {
        /// How long it was waited for.
        after: Duration,
    },
    /// The coordinator did not do what was asked.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A file cannot be cut into statements.
    #[error("{file}:{line}: {error}")]
    Split {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        error: SplitError,
    },
    /// A statement failed. Of a file that is one transaction nothing is kept; another goes on at this
    /// statement the next time.
    #[error("{file}:{line}: {error}")]
    Statement {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What happened.
        error: Box<RequestError>,
    },
}

impl MigrateError {
    pub(crate) fn ledger(_: tokio_postgres::Error) -> Self {
        Self::Ledger
    }
}
