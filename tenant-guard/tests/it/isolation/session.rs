//! A connection that keeps what the server tells beside its answers, and values as they come.

use std::error::Error as StdError;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};

use citus_testkit::TestDatabase;
use citus_testkit::tokio_postgres::error::{DbError, SqlState};
use citus_testkit::tokio_postgres::types::private::BytesMut;
use citus_testkit::tokio_postgres::types::{Format, FromSql, IsNull, ToSql, Type, to_sql_checked};
use citus_testkit::tokio_postgres::{self, AsyncMessage, Client, Error, NoTls};
use futures_util::{TryStreamExt as _, pin_mut};

use super::record::canonical;
use super::statement::Param;

/// A connection, and the notices that came over it.
pub(crate) struct Session {
    pub(crate) client: Client,
    notices: Arc<Mutex<Vec<String>>>,
}

/// The rows of a statement, each value in PostgreSQL's binary format, and how many it was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) rows: Vec<Vec<Option<Vec<u8>>>>,
    pub(crate) count: Option<u64>,
}

impl Session {
    pub(crate) async fn open(database: &TestDatabase) -> Self {
        let (client, mut connection) = tokio_postgres::connect(&database.url(), NoTls)
            .await
            .expect("a connection");
        let notices = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&notices);
        tokio::spawn(async move {
            while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
                if let AsyncMessage::Notice(notice) = message {
                    sink.lock().expect("no panic").push(told(&notice));
                }
            }
        });
        let settings = "SET lock_timeout = '300ms'; SET plan_cache_mode = force_custom_plan; \
                        SET timezone = 'UTC'";
        for setting in settings.split(';') {
            client.batch_execute(setting).await.expect("a setting");
        }
        Self { client, notices }
    }

    /// Statements of the test itself.
    pub(crate) async fn script(&self, statements: &[String]) {
        let start = "SET statement_timeout = 0";
        // A generated join can be long; such a case is left.
        let end = "SET statement_timeout = '700ms'";
        let statements = statements.iter().map(String::as_str);
        for statement in [start].into_iter().chain(statements).chain([end]) {
            let result = self.client.batch_execute(statement).await;
            assert!(result.is_ok(), "{result:?}: {statement}");
        }
    }

    /// What the test itself reads in this transaction may take long, as on a loaded machine.
    pub(crate) async fn take_time(&self) {
        // Where the transaction has failed, so does what is read next.
        let _ = self
            .client
            .batch_execute("SET LOCAL statement_timeout = 0")
            .await;
    }

    /// Runs a statement as a driver does: over the extended protocol, with its parameters bound.
    pub(crate) async fn run(&self, sql: &str, params: &[Param]) -> Result<Outcome, Error> {
        let types: Vec<Type> = params.iter().map(type_of).collect();
        let statement = self.client.prepare_typed(sql, &types).await?;
        let values = params.iter().map(|param| TextValue(param.value.clone()));
        let stream = self.client.query_raw(&statement, values).await?;
        pin_mut!(stream);
        let mut rows = Vec::new();
        while let Some(row) = stream.try_next().await? {
            let values = (0..row.len()).map(|index| row.get::<_, Option<Raw>>(index));
            rows.push(values.map(|value| value.map(|raw| raw.0)).collect());
        }
        Ok(Outcome {
            rows,
            count: stream.rows_affected(),
        })
    }

    /// Statements of the test itself that give text.
    pub(crate) async fn texts(&self, sql: &str) -> Result<Vec<Vec<String>>, Error> {
        let rows = self.client.query(sql, &[]).await?;
        let text = |value: Option<String>| value.unwrap_or_else(|| "NULL".to_owned());
        Ok(rows
            .iter()
            .map(|row| (0..row.len()).map(|index| text(row.get(index))).collect())
            .collect())
    }

    pub(crate) fn take_notices(&self) -> Vec<String> {
        std::mem::take(&mut *self.notices.lock().expect("no panic"))
    }
}

/// All that an error or notice says.
pub(crate) fn told(error: &DbError) -> String {
    let parts = [
        Some(error.message()),
        error.detail(),
        error.hint(),
        error.where_(),
        error.table(),
        error.constraint(),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" | ")
}

pub(crate) fn code(error: &Error) -> &SqlState {
    error.code().unwrap_or(&SqlState::INTERNAL_ERROR)
}

fn type_of(param: &Param) -> Type {
    match param.declared.as_deref() {
        Some("int2") => Type::INT2,
        Some("int4") => Type::INT4,
        Some("int8") => Type::INT8,
        Some("int8[]") => Type::INT8_ARRAY,
        Some("text") => Type::TEXT,
        Some("text[]") => Type::TEXT_ARRAY,
        Some("varchar") => Type::VARCHAR,
        Some("bool") => Type::BOOL,
        Some("numeric") => Type::NUMERIC,
        Some("jsonb") => Type::JSONB,
        Some("timestamptz") => Type::TIMESTAMPTZ,
        Some("uuid") => Type::UUID,
        Some("uuid[]") => Type::UUID_ARRAY,
        None => Type::UNKNOWN,
        Some(other) => panic!("no type {other}"),
    }
}

/// A parameter as text, whatever its type.
#[derive(Debug)]
struct TextValue(Option<String>);

impl ToSql for TextValue {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match &self.0 {
            Some(text) => {
                out.extend_from_slice(text.as_bytes());
                Ok(IsNull::No)
            }
            None => Ok(IsNull::Yes),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

struct Raw(Vec<u8>);

impl FromSql<'_> for Raw {
    fn from_sql(of: &Type, raw: &[u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(canonical(of, raw)))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
