//! Which files have been run.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::timeout;

use super::file::File;
use crate::config::Config;
use crate::connection::{Connection, Params};
use crate::error::{MigrateError, RequestError};
use crate::request::{Affected, Request, Rows};

/// What the table says.
#[derive(Debug)]
pub(super) struct Ledger {
    files: BTreeMap<String, Record>,
}

#[derive(Debug)]
struct Record {
    checksum: String,
    statements: i32,
    done: i32,
}

/// How far a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Done,
    Begun { done: usize },
}

const CREATE: &str = "CREATE TABLE IF NOT EXISTS citus_client_migrations (
    file text PRIMARY KEY,
    checksum text NOT NULL,
    statements int NOT NULL,
    done int NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
)";

const EXISTS: &str = "SELECT pg_catalog.to_regclass('citus_client_migrations') IS NOT NULL";

const READ: &str = "SELECT file, checksum, statements, done FROM citus_client_migrations";

const BEGIN: &str = "INSERT INTO citus_client_migrations (file, checksum, statements, done) \
    VALUES ($1, $2, $3, 0) ON CONFLICT (file) DO NOTHING";

const ADVANCE: &str = "UPDATE citus_client_migrations SET done = $2, at = now() WHERE file = $1";

impl Ledger {
    /// Makes the table where it is not there.
    pub(super) async fn create(
        connection: &Connection,
        config: &Config,
    ) -> Result<(), RequestError> {
        let limit = config.query_timeout;
        // Not even a notice, and no rights asked for, where it is there.
        if ask(connection, EXISTS, limit).await?.as_deref() == Some("t") {
            return Ok(());
        }
        connection.run(CREATE, limit).await
    }

    /// Reads the table; one that is not there is empty.
    pub(super) async fn read(
        connection: &Connection,
        config: &Config,
    ) -> Result<Self, MigrateError> {
        let limit = config.query_timeout;
        let mut files = BTreeMap::new();
        if ask(connection, EXISTS, limit).await?.as_deref() == Some("t") {
            for row in request(READ, &[], limit).answer::<Rows>(connection).await? {
                let record = Record {
                    checksum: row.try_get(1).map_err(MigrateError::ledger)?,
                    statements: row.try_get(2).map_err(MigrateError::ledger)?,
                    done: row.try_get(3).map_err(MigrateError::ledger)?,
                };
                files.insert(row.try_get(0).map_err(MigrateError::ledger)?, record);
            }
        }
        Ok(Self { files })
    }

    /// What was run must be what the files say.
    pub(super) fn check(&self, files: &[File]) -> Result<(), MigrateError> {
        for (name, record) in &self.files {
            let Some(file) = files.iter().find(|file| file.name == *name) else {
                return Err(MigrateError::Gone { file: name.clone() });
            };
            if file.checksum != record.checksum {
                return Err(MigrateError::Changed { file: name.clone() });
            }
        }
        Ok(())
    }

    pub(super) fn progress(&self, file: &File) -> Entry {
        match self.files.get(&file.name) {
            Some(record) if record.done >= record.statements => Entry::Done,
            Some(record) => Entry::Begun {
                done: usize::try_from(record.done).unwrap_or_default(),
            },
            None => Entry::Begun { done: 0 },
        }
    }

    pub(super) async fn begin(
        connection: &Connection,
        file: &File,
        limit: Duration,
    ) -> Result<(), RequestError> {
        let statements = number(file.statements.len());
        let params: [&(dyn postgres_types::ToSql + Sync); 3] =
            [&file.name, &file.checksum, &statements];
        let request = request(BEGIN, &params, limit);
        request.answer::<Affected>(connection).await.map(drop)
    }

    pub(super) async fn advance(
        connection: &Connection,
        file: &File,
        done: usize,
        limit: Duration,
    ) -> Result<(), RequestError> {
        let done = number(done);
        let params: [&(dyn postgres_types::ToSql + Sync); 2] = [&file.name, &done];
        let request = request(ADVANCE, &params, limit);
        request.answer::<Affected>(connection).await.map(drop)
    }
}

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn request<'a>(
    text: &'a str,
    params: &'a [&'a (dyn postgres_types::ToSql + Sync)],
    limit: Duration,
) -> Request<'a> {
    Request {
        text,
        params: Params::new(params, None),
        keep: false,
        limit,
    }
}

/// The only value of an answer.
pub(super) async fn ask(
    connection: &Connection,
    question: &str,
    limit: Duration,
) -> Result<Option<String>, RequestError> {
    let in_flight = connection.start();
    let answer = timeout(limit, connection.ask(question)).await;
    connection.settle(in_flight, answer, limit)
}
