//! Why migrations do not make a tenancy.

use std::io;
use std::path::PathBuf;

use super::super::TenancyError;
use super::cursor::Cursor;
use crate::lexer::{Kind, LexError};

/// Why a tenancy cannot be read from migrations.
///
/// `Display` says where, what is wrong and how to fix it, without quoting a string of the SQL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// A file or folder cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file is not UTF-8.
    #[error("{} is not UTF-8: save it as UTF-8", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
    },
    /// There is no migration at this place.
    #[error("{} holds no .sql file that migrates up", path.display())]
    NoMigrations {
        /// The folder.
        path: PathBuf,
    },
    /// A statement that is not understood, or that does not fit what was before it.
    #[error("{file}:{line}: {problem}{}. {}", within(head), problem.fix())]
    Statement {
        /// The file, as it was named.
        file: String,
        /// The line on which the statement starts, from 1.
        line: usize,
        /// How the statement begins, up to its first string constant; empty where the text cannot
        /// be cut into statements.
        head: String,
        /// What is wrong with it.
        problem: Box<MigrationProblem>,
    },
    /// The tables do not fit together.
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

fn within(head: &str) -> String {
    match head {
        "" => String::new(),
        head => format!(", in `{head}`"),
    }
}

/// What is wrong with a statement of a migration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationProblem {
    /// PostgreSQL's lexer does not accept the text.
    #[error("the text cannot be cut into statements: {what}")]
    Lexical {
        /// What is wrong there.
        what: &'static str,
    },
    /// The statement is of a kind that is not known, and so may change tables.
    #[error("this kind of statement is not known, so it may change tables")]
    UnknownStatement,
    /// The statement runs code that may change tables: a `DO` block, a procedure, a function.
    #[error("what {what} does to tables cannot be read")]
    Hidden {
        /// What runs.
        what: String,
    },
    /// A part of the statement cannot be read.
    #[error("{what}")]
    Unread {
        /// What could not be read.
        what: String,
    },
    /// Something that is understood but cannot be guarded.
    #[error("{what} cannot be followed")]
    Unsupported {
        /// What it is.
        what: &'static str,
        /// What to write instead.
        fix: &'static str,
    },
    /// A name with Unicode escapes (`U&"…"`).
    #[error("names with Unicode escapes are not read")]
    UnicodeName,
    /// The statement names a table that no statement before it has made.
    #[error("there is no table {name}")]
    UnknownTable {
        /// The table as it was written.
        name: String,
    },
    /// The statement names a column that its table does not have.
    #[error("table {table} has no column {column}")]
    UnknownColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// The statement makes something that is already there.
    #[error("{name} exists already")]
    Exists {
        /// The table, column or type.
        name: String,
    },
    /// Two of Citus' calls for one table contradict each other, or PostgreSQL's rules.
    #[error("{what}")]
    Citus {
        /// What Citus would say.
        what: String,
    },
    /// An unqualified name depends on a search path that an earlier file, or the database's own
    /// settings, may or may not have put in force: tools differ in when they start a session.
    #[error("which search path is in force depends on the tool that runs the migrations")]
    OpenSearchPath,
    /// An unqualified name while the search path is empty.
    #[error("the search path is empty, so an unqualified name means nothing")]
    EmptySearchPath,
}

impl MigrationProblem {
    /// How to fix it.
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Lexical { .. } => "Check quotes and comments up to this line.",
            Self::UnknownStatement | Self::Unread { .. } => {
                "Write it in a simpler form, or, if it changes no table, column, unique key or \
                 distribution, put the comment `-- tenant-guard: ignore` before it."
            }
            Self::Hidden { .. } => {
                "Write the statements that it runs as plain statements, or, if it changes no \
                 table, column, unique key or distribution, put the comment \
                 `-- tenant-guard: ignore` before it."
            }
            Self::Unsupported { fix, .. } => fix,
            Self::UnicodeName => "Write the name's characters themselves.",
            Self::UnknownTable { .. } => {
                "Check the order of the migrations and the schema that the name is in."
            }
            Self::UnknownColumn { .. } => "Check the column's spelling and case.",
            Self::Exists { .. } => "Drop the older one first, or use IF NOT EXISTS.",
            Self::Citus { .. } => "Call undistribute_table first, or correct the call.",
            Self::OpenSearchPath => {
                "Set the search path in each file that relies on it, or write the schema before the name."
            }
            Self::EmptySearchPath => "Write the schema before each name.",
        }
    }

    /// Something that could not be read, with the place where reading stopped.
    pub(super) fn misread(what: &str, at: Cursor<'_>) -> Self {
        let near = match at.peek() {
            Some(token) if matches!(token.kind, Kind::String | Kind::DollarString) => {
                " before a string".to_owned()
            }
            Some(token) => format!(" before {}", at.slice(token)),
            None => " at the end".to_owned(),
        };
        Self::Unread {
            what: format!("{what}{near}"),
        }
    }
}

impl From<LexError> for MigrationProblem {
    fn from(error: LexError) -> Self {
        Self::Lexical { what: error.what }
    }
}
