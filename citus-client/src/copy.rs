//! `COPY` for one tenant.

mod copy_in;
mod copy_out;
mod row_ends;
pub(crate) mod target;

use crate::StatementMode;
use crate::cluster::Inner;
use crate::error::RequestError;

pub use copy_in::CopyIn;
pub use copy_out::CopyOut;

/// How rows are written in a `COPY`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CopyFormat {
    /// PostgreSQL's text format: columns divided by tabs, `\N` for NULL.
    Text,
    /// Comma-separated values, an empty unquoted value for NULL.
    Csv {
        /// Whether the first row holds the names of the columns.
        header: bool,
    },
}

impl CopyFormat {
    pub(crate) fn options(self) -> &'static str {
        match self {
            Self::Text => "(FORMAT text)",
            Self::Csv { header: false } => "(FORMAT csv)",
            Self::Csv { header: true } => "(FORMAT csv, HEADER)",
        }
    }
}

/// tokio-postgres prepares a `COPY` by name, which between a pooler's sessions could be another's.
pub(crate) fn needs_names(inner: &Inner) -> Result<(), RequestError> {
    match inner.config().statement_mode {
        StatementMode::Named => Ok(()),
        StatementMode::Unnamed => Err(RequestError::CopyWithoutNames),
    }
}
