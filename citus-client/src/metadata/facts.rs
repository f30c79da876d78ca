//! What the doctor wants to know of the schema.

use std::time::Duration;

use tenant_guard::doctor::{CATALOG_QUERY, CITUS_QUERY, CitusFacts, SchemaFacts};
use tokio::time::timeout;
use tokio_postgres::error::SqlState;

use super::parse;
use crate::NodeError;
use crate::connection::Connection;
use crate::error::{ConnectError, PgError};

/// Asks a node, two questions in one round trip.
pub(crate) async fn facts(
    connection: &Connection,
    limit: Duration,
) -> Result<SchemaFacts, ConnectError> {
    let node = connection.node();
    let in_flight = connection.start();
    let questions =
        async { tokio::join!(connection.ask(CATALOG_QUERY), connection.ask(CITUS_QUERY)) };
    let Ok((catalog, citus)) = timeout(limit, questions).await else {
        let node = node.clone();
        return Err(NodeError::Timeout { node, after: limit }.into());
    };
    let failed = |error| ConnectError::MetadataRead {
        node: node.clone(),
        error,
    };
    let catalog = catalog.map_err(|error| failed(PgError::connecting(error)))?;
    let citus = match citus.map_err(PgError::connecting) {
        Ok(citus) => citus,
        Err(error) if error.sql_state() == Some(&SqlState::UNDEFINED_TABLE) => None,
        Err(error) => return Err(failed(error)),
    };
    in_flight.done();
    let unread = |reason| ConnectError::Metadata {
        node: node.clone(),
        reason,
    };
    let mut facts: SchemaFacts = parse(catalog.as_deref().unwrap_or_default()).map_err(unread)?;
    facts.citus = match citus {
        Some(citus) => Some(parse::<CitusFacts>(&citus).map_err(unread)?),
        None => None,
    };
    Ok(facts)
}
