//! An error of the driver below, made fit for a log.

use std::error::Error;
use std::fmt;

use tokio_postgres::error::{DbError, SqlState};

/// An error of tokio-postgres, shown without values: of what a server answered, the SQLSTATE, the
/// names of what is concerned, and the message where its kind never holds a value.
pub struct PgError {
    error: tokio_postgres::Error,
    /// While a connection is made no tenant's data are around, so that all can be told.
    connecting: bool,
}

impl PgError {
    pub(crate) fn new(error: tokio_postgres::Error) -> Self {
        Self {
            error,
            connecting: false,
        }
    }

    pub(crate) fn connecting(error: tokio_postgres::Error) -> Self {
        Self {
            error,
            connecting: true,
        }
    }

    /// What the server answered, with its message, detail and hint. These can hold a tenant's data.
    pub fn db_error(&self) -> Option<&DbError> {
        self.error.as_db_error()
    }

    /// The server's SQLSTATE, where it answered at all.
    pub fn sql_state(&self) -> Option<&SqlState> {
        self.error.code()
    }

    pub(crate) fn into_inner(self) -> tokio_postgres::Error {
        self.error
    }

    /// Whether the server answered the statement and goes on with the session.
    pub(crate) fn is_answer(&self) -> bool {
        self.db_error().is_some_and(|error| {
            // Severities in the language of the server are not compared.
            use tokio_postgres::error::Severity;
            matches!(error.parsed_severity(), Some(Severity::Error))
        })
    }

    /// Whether a parameter could not be turned into what the statement takes. It was not sent then.
    pub(crate) fn is_parameter(&self) -> bool {
        // The kinds of tokio-postgres' errors are private. What has a cause that is neither the
        // server's answer nor the socket's is the error of a `ToSql`.
        self.error
            .source()
            .is_some_and(|source| !source.is::<DbError>() && !source.is::<std::io::Error>())
    }

    /// Whether the server found the text wrong for the tables and types that there are, which it does
    /// before carrying anything out.
    pub(crate) fn is_about_the_text(&self) -> bool {
        let state = self.sql_state();
        state.is_some_and(|state| state.code().starts_with("42"))
    }

    /// Whether the statement's plan was made for tables that have changed since, or the statement
    /// is not there any more. Both are found out before anything is carried out.
    pub(crate) fn is_stale_statement(&self) -> bool {
        let Some(error) = self.db_error() else {
            return false;
        };
        match *error.code() {
            SqlState::INVALID_SQL_STATEMENT_NAME => true,
            // The message is translated, so the function is looked at.
            SqlState::FEATURE_NOT_SUPPORTED => error.routine() == Some("RevalidateCachedQuery"),
            _ => false,
        }
    }
}

impl fmt::Display for PgError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(error) = self.db_error() else {
            write!(f, "{}", self.error)?;
            return match self.error.source() {
                Some(source) if self.connecting || source.is::<std::io::Error>() => {
                    write!(f, ": {source}")
                }
                _ => Ok(()),
            };
        };
        write!(f, "SQLSTATE {}", error.code().code())?;
        let names = [
            ("table", error.table()),
            ("column", error.column()),
            ("constraint", error.constraint()),
        ];
        for (kind, name) in names {
            if let Some(name) = name {
                write!(f, ", {kind} {name}")?;
            }
        }
        if self.connecting || has_harmless_message(error.code()) {
            write!(f, ": {}", error.message())?;
        }
        Ok(())
    }
}

impl fmt::Debug for PgError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PgError({self})")
    }
}

/// Whether messages of this kind speak of names and states only. Others quote the value that could
/// not be read, or a piece of the statement.
fn has_harmless_message(state: &SqlState) -> bool {
    // Connections, transactions, integrity, rights, serialization, resources, limits, prerequisites,
    // operator's interventions, and the system.
    let classes = [
        "08", "0A", "23", "25", "28", "40", "53", "54", "55", "57", "58",
    ];
    let states = [
        SqlState::UNDEFINED_COLUMN,
        SqlState::UNDEFINED_FUNCTION,
        SqlState::UNDEFINED_TABLE,
        SqlState::INSUFFICIENT_PRIVILEGE,
    ];
    classes.iter().any(|class| state.code().starts_with(class)) || states.contains(state)
}
