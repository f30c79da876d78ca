//! Reading a tenancy from SQL migrations.

mod alter_table;
mod block;
mod build;
mod call;
mod citus;
mod colocation;
mod create_table;
mod cursor;
mod definition;
mod details;
mod error;
mod facts;
mod files;
mod index;
mod key;
mod literal;
mod on_table;
mod schema;
mod search_path;
mod split;
mod statement;
mod types;
mod up;
mod view;

use std::path::Path;

use super::Tenancy;
use crate::lexer::{Kind, Token};
pub(crate) use cursor::Cursor;
use error::MigrationProblem as Problem;
pub use error::{MigrationError, MigrationProblem};
pub use files::{MigrationFile, migration_files};
use schema::Schema;
use split::Piece;
pub use split::{SplitError, split_statements};

impl Tenancy {
    /// Reads the schema from a file of SQL, or from a folder of migrations in their order (see
    /// [`migration_files`] for the layouts).
    ///
    /// Followed are tables, their columns, unique keys and partitions, indexes, enum and composite
    /// types, the names of functions, `search_path`, transactions, and Citus' calls such as
    /// `SELECT create_distributed_table('tasks', 'tenant_id')`. A table that is never distributed is
    /// [local](crate::TableKind::Local); tables of other tools are not in the tenancy. Views are
    /// followed until something changes that a name in their query could mean; then, as
    /// materialized views and foreign tables, they are [opaque](crate::TableKind::Opaque).
    /// Tables are put into colocation groups as Citus does. The tenancy's search path is the last
    /// that was set other than for one transaction, or `public`.
    ///
    /// What is known to change none of that is passed over. Everything else is an error: a
    /// statement that cannot be read is never lost silently. Such a statement can be declared
    /// harmless by the comment `-- tenant-guard: ignore` on a line before it.
    ///
    /// # Errors
    /// [`MigrationError`], with file, line and a way to fix it.
    pub fn from_migrations(path: impl AsRef<Path>) -> Result<Self, MigrationError> {
        let files = migration_files(path)?;
        Ok(read_files(&files)?.build()?)
    }

    /// Like [`Tenancy::from_migrations`], from one text.
    ///
    /// # Errors
    /// As [`Tenancy::from_migrations`]; the file is called `<sql>`.
    ///
    /// ```
    /// use tenant_guard::{TableKind, Tenancy};
    ///
    /// let tenancy = Tenancy::from_sql(
    ///     "CREATE TABLE tasks (tenant_id bigint, id bigint, PRIMARY KEY (tenant_id, id));
    ///      SELECT create_distributed_table('tasks', 'tenant_id');",
    /// )?;
    /// let tasks = tenancy.resolve(None, "tasks").unwrap();
    /// assert!(matches!(tasks.kind(), TableKind::Distributed(_)));
    /// # Ok::<(), tenant_guard::MigrationError>(())
    /// ```
    pub fn from_sql(sql: &str) -> Result<Self, MigrationError> {
        Self::from_sources([("<sql>", sql)])
    }

    /// Like [`Tenancy::from_migrations`], from texts that are at hand: each with the name that an
    /// error says, in the order in which they run.
    ///
    /// # Errors
    /// As [`Tenancy::from_migrations`].
    pub fn from_sources<'a>(
        sources: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, MigrationError> {
        Ok(read_schema(sources)?.build()?)
    }
}

fn read_files(files: &[MigrationFile]) -> Result<Schema, MigrationError> {
    let names: Vec<String> = files
        .iter()
        .map(|file| file.path().display().to_string())
        .collect();
    let texts = files.iter().map(MigrationFile::text);
    read_schema(names.iter().map(String::as_str).zip(texts))
}

/// The schema that these sources make, each with its name.
fn read_schema<'a>(
    sources: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Schema, MigrationError> {
    let mut schema = Schema::default();
    for (name, text) in sources {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        read_file(&mut schema, name, &up::up_part(text))?;
    }
    Ok(schema)
}

fn read_file(schema: &mut Schema, name: &str, text: &str) -> Result<(), MigrationError> {
    let pieces = split::split(text).map_err(|error| MigrationError::Statement {
        file: name.to_owned(),
        line: line(text, error.at),
        head: String::new(),
        problem: Box::new(error.into()),
    })?;
    schema.path.start_file();
    let mut before_transaction = None;
    for piece in &pieces {
        run(schema, &mut before_transaction, text, piece).map_err(|problem| {
            let start = piece.tokens.first().map_or(0, |token| token.start);
            let string = |token: &&Token| matches!(token.kind, Kind::String | Kind::DollarString);
            let end = match piece.tokens.iter().find(string) {
                Some(string) => string.start,
                None => piece.tokens.last().map_or(start, |last| last.end),
            };
            MigrationError::Statement {
                file: name.to_owned(),
                line: line(text, start),
                head: head(text, start, end),
                problem: Box::new(problem),
            }
        })?;
    }
    schema.path.end_transaction();
    schema.end_session();
    Ok(())
}

/// Runs one statement, those included that begin and end a transaction.
fn run(
    schema: &mut Schema,
    before_transaction: &mut Option<Schema>,
    text: &str,
    piece: &Piece,
) -> Result<(), Problem> {
    if piece.ignored {
        return Ok(());
    }
    let at = Cursor::new(text, &piece.tokens);
    if at.sees("BEGIN") || at.sees("START TRANSACTION") {
        before_transaction.get_or_insert_with(|| schema.clone());
        return Ok(());
    }
    if at.sees("COMMIT PREPARED") || at.sees("ROLLBACK PREPARED") || at.sees("PREPARE TRANSACTION")
    {
        return Err(Problem::UnknownStatement);
    }
    if at.sees("COMMIT") || at.sees("END") {
        *before_transaction = None;
        schema.path.end_transaction();
        return Ok(());
    }
    if at.sees("ROLLBACK") || at.sees("ABORT") {
        if at.find("TO").is_some() {
            return Err(Problem::Unsupported {
                what: "rolling back to a savepoint",
                fix: "Leave out the statements that are rolled back.",
            });
        }
        if let Some(before) = before_transaction.take() {
            *schema = before;
        }
        return Ok(());
    }
    statement::apply(schema, at)
}

fn line(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or_default().matches('\n').count() + 1
}

/// How a statement begins, on one line.
fn head(text: &str, start: usize, end: usize) -> String {
    const LONGEST: usize = 60;
    let words = text.get(start..end).unwrap_or_default().split_whitespace();
    let mut head = String::new();
    for word in words {
        if head.len() + word.len() > LONGEST {
            head.push('…');
            break;
        }
        head.push_str(word);
        head.push(' ');
    }
    head.trim_end().to_owned()
}
