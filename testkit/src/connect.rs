//! Connections, with every wait bounded.

use std::future::Future;
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::{Client, NoTls};

use crate::DatabaseError;
use crate::address::Address;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// For statements of this crate: creating a database, adding a node.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(120);

/// Connects without TLS; a task of the current runtime drives the connection.
pub(crate) async fn connect(address: &Address, database: &str) -> Result<Client, DatabaseError> {
    let failed = |source| DatabaseError::Connect {
        node: address.to_string(),
        source,
    };
    let mut config = address.config(database).map_err(failed)?;
    config.application_name("citus-testkit");
    let (client, connection) = timeout(CONNECT_TIMEOUT, config.connect(NoTls))
        .await
        .map_err(|_| DatabaseError::Timeout {
            what: "connecting",
            node: address.to_string(),
            after: CONNECT_TIMEOUT,
        })?
        .map_err(failed)?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            // Ordinary when a test stops the node.
            tracing::debug!(%error, "connection ended");
        }
    });
    Ok(client)
}

/// Runs a statement of this crate and says on which node it failed.
pub(crate) async fn run<T>(
    what: &'static str,
    address: &Address,
    statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, DatabaseError> {
    match timeout(STATEMENT_TIMEOUT, statement).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(source)) => Err(DatabaseError::Statement {
            what,
            node: address.to_string(),
            source,
        }),
        Err(_) => Err(DatabaseError::Timeout {
            what,
            node: address.to_string(),
            after: STATEMENT_TIMEOUT,
        }),
    }
}

/// A name as SQL takes it, whatever is in it.
pub(crate) fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}
