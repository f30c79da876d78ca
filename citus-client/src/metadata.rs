//! What a cluster tells of itself: its nodes, its shards and its schema.
//!
//! Two questions in one round trip. The first is about the schema and any PostgreSQL can answer it;
//! the second is about Citus' catalogs and fails where there is no Citus. Tables are known by their
//! names, since their OIDs differ between nodes. The catalogs can be read by any role on any node
//! with metadata; the views `citus_tables` and `citus_shards` are never asked, because they take
//! seconds with many shards and fail while a node is down.

pub(crate) mod changes;
mod cluster;
mod facts;
#[allow(
    dead_code,
    reason = "for requests: what they ask after a write that changed no row"
)]
pub(crate) mod horizon;
mod schema;

use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;

pub(crate) use cluster::ClusterMetadata;
pub(crate) use facts::facts;
pub(crate) use schema::SchemaMetadata;

use crate::connection::Connection;
use crate::error::{ConnectError, PgError};

/// What one node told.
#[derive(Debug)]
pub(crate) struct Metadata {
    pub(crate) schema: SchemaMetadata,
    /// `None` without Citus.
    pub(crate) cluster: Option<ClusterMetadata>,
}

impl Metadata {
    /// Asks a node.
    pub(crate) async fn read(
        connection: &Connection,
        limit: Duration,
    ) -> Result<Self, ConnectError> {
        let node = connection.node();
        let in_flight = connection.start();
        let questions = async {
            tokio::join!(
                connection.ask(schema::QUESTION),
                connection.ask(cluster::QUESTION)
            )
        };
        let Ok((schema, cluster)) = timeout(limit, questions).await else {
            let error = crate::NodeError::Timeout {
                node: node.clone(),
                after: limit,
            };
            return Err(error.into());
        };
        let failed = |error| ConnectError::MetadataRead {
            node: node.clone(),
            error,
        };
        let schema = schema.map_err(|error| failed(PgError::connecting(error)))?;
        let cluster = match cluster.map_err(PgError::connecting) {
            Ok(cluster) => cluster,
            // The catalogs come with the extension.
            Err(error) if error.sql_state() == Some(&SqlState::UNDEFINED_TABLE) => None,
            Err(error) => return Err(failed(error)),
        };
        in_flight.done();
        let unread = |reason: String| ConnectError::Metadata {
            node: node.clone(),
            reason,
        };
        Ok(Self {
            schema: parse(schema.as_deref().unwrap_or_default()).map_err(unread)?,
            cluster: cluster.as_deref().map(parse).transpose().map_err(unread)?,
        })
    }
}

fn parse<T: DeserializeOwned>(document: &str) -> Result<T, String> {
    serde_json::from_str(document).map_err(|error| error.to_string())
}
