//! Statements that the server forgets at once, for poolers between this driver and the server.
//!
//! A pooler such as PgBouncer in transaction mode gives each transaction another session of the server,
//! so that nothing may stay in one: a statement that was prepared in one session is not there in the
//! next, or is another's. The unnamed statement is parsed and executed in one message, and all that
//! is needed for it are the types of its parameters. The server is asked for these once.

use std::sync::{Arc, Mutex};

use tokio_postgres::types::{Kind, Type};
use tokio_postgres::{Error, RowStream, SimpleQueryMessage, SimpleQueryRow, Statement};

use super::{Connection, Kept, Memory, Params, lock};
use crate::error::PgError;

impl Connection {
    pub(super) async fn open_unnamed(
        &self,
        kept: &Mutex<Kept<Arc<[Type]>>>,
        text: &str,
        params: Params<'_>,
    ) -> Result<RowStream, Error> {
        if params.iter().len() == 0 {
            return self.send_typed(text, params, &[]).await;
        }
        let known = lock(kept).get(text);
        let was_known = known.is_some();
        let types = if let Some(types) = known {
            types
        } else {
            let types = self.types_of_guarded(text).await?;
            lock(kept).insert(text, Arc::clone(&types));
            types
        };
        let error = match self.send_typed(text, params, &types).await {
            Ok(rows) => return Ok(rows),
            Err(error) => PgError::new(error),
        };
        if !error.is_about_the_text() && !error.is_parameter() {
            return Err(error.into_inner());
        }
        // It may be so because the tables have changed, and the types with them. Nothing was carried
        // out then.
        lock(kept).remove(text);
        self.client.clear_type_cache();
        if !was_known || self.in_transaction() {
            return Err(error.into_inner());
        }
        let new = self.types_of_guarded(text).await?;
        if new == types {
            return Err(error.into_inner());
        }
        lock(kept).insert(text, Arc::clone(&new));
        self.send_typed(text, params, &new).await
    }

    pub(super) async fn send_typed(
        &self,
        text: &str,
        params: Params<'_>,
        types: &[Type],
    ) -> Result<RowStream, Error> {
        let pairs = params.iter().zip(types.iter().cloned());
        self.client.query_typed_raw(text, pairs).await
    }

    /// The types of the parameters of whatever statement, on a connection that nobody else uses
    /// meanwhile.
    pub(super) async fn types_of_any(&self, text: &str) -> Result<Arc<[Type]>, Error> {
        self.described(text, |statement| statement.params().into())
            .await
    }

    /// What there is to know of a statement. Where sessions change, it is prepared and closed in one
    /// transaction, and so in one session.
    pub(super) async fn described<T>(
        &self,
        text: &str,
        look: impl FnOnce(&Statement) -> T,
    ) -> Result<T, Error> {
        // Dropping the statement closes it.
        let prepare = async move || {
            self.client
                .prepare(text)
                .await
                .map(|statement| look(&statement))
        };
        if self.in_transaction() || matches!(self.memory, Memory::Named(_)) {
            return prepare().await;
        }
        self.client.batch_execute("BEGIN").await?;
        let found = prepare().await;
        self.client.batch_execute("ROLLBACK").await?;
        found
    }

    /// The same for a guarded statement, which is one and can be prepared by SQL. All of it is one
    /// message, so that other statements may be under way on the connection.
    async fn types_of_guarded(&self, text: &str) -> Result<Arc<[Type]>, Error> {
        // The line ends a comment at the end of the text.
        // A name of its own: one that was cancelled may have left its statement in a pooler's session.
        let name = format!("citus_client_{:016x}", rand::random::<u64>());
        let types = TYPES.replace("citus_client", &name);
        let question = format!("PREPARE {name} AS {text}\n; {types}; DEALLOCATE {name}");
        let answer = self.client.simple_query(&question).await?;
        let rows = answer.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row_type(row)),
            _ => None,
        });
        Ok(rows.collect())
    }
}

/// Each parameter's type: its number, name, schema, kind, and what the kind is made of.
const TYPES: &str = "SELECT type.oid, type.typname, schema.nspname, type.typtype, type.typbasetype, \
    (SELECT pg_catalog.json_agg(label.enumlabel ORDER BY label.enumsortorder) \
     FROM pg_catalog.pg_enum AS label WHERE label.enumtypid = type.oid) \
    FROM pg_catalog.pg_prepared_statements AS statement, \
    pg_catalog.unnest(statement.parameter_types) WITH ORDINALITY AS parameter(type, place) \
    JOIN pg_catalog.pg_type AS type ON type.oid = parameter.type \
    JOIN pg_catalog.pg_namespace AS schema ON schema.oid = type.typnamespace \
    WHERE statement.name = 'citus_client' ORDER BY parameter.place";

fn row_type(row: &SimpleQueryRow) -> Type {
    let text = |column| row.get(column).unwrap_or_default();
    let number = |column| text(column).parse().unwrap_or_default();
    if let Some(known) = Type::from_oid(number(0)) {
        return known;
    }
    let kind = match text(3) {
        "d" => Type::from_oid(number(4)).map_or(Kind::Simple, Kind::Domain),
        "e" => Kind::Enum(serde_json::from_str(text(5)).unwrap_or_default()),
        _ => Kind::Simple,
    };
    Type::new(text(1).to_owned(), number(0), kind, text(2).to_owned())
}
