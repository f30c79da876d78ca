//! What a cluster tells of itself: its nodes, its shards and its schema.
//!
//! In two round trips: whether there is Citus, and which; then the schema, which any PostgreSQL can
//! tell, and Citus' catalogs. Tables are known by their names, since their OIDs differ between nodes.
//! The catalogs can be read by any role on any node with metadata; the views `citus_tables` and
//! `citus_shards` are never asked, because they take seconds with many shards and fail while a node
//! is down.

pub(crate) mod changes;
mod cluster;
mod facts;
mod question;
mod schema;
mod version;

use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::time::timeout;

pub(crate) use cluster::ClusterMetadata;
pub(crate) use facts::facts;
pub(crate) use schema::SchemaMetadata;
pub(crate) use version::CitusVersion;

use crate::NodeAddress;
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
        let in_flight = connection.start();
        let answers = timeout(limit, Self::ask(connection)).await;
        let Ok(answers) = answers else {
            let error = crate::NodeError::Timeout {
                node: connection.node().clone(),
                after: limit,
            };
            return Err(error.into());
        };
        // Whatever it says, it was read to its end.
        in_flight.done();
        answers
    }

    async fn ask(connection: &Connection) -> Result<Self, ConnectError> {
        let node = connection.node();
        let failed = |error| ConnectError::MetadataRead {
            node: node.clone(),
            error: PgError::connecting(error),
        };
        let unread = |reason: String| ConnectError::Metadata {
            node: node.clone(),
            reason,
        };
        let extension = connection.ask(EXTENSION).await.map_err(failed)?;
        let version = extension.as_deref().map(|found| supported(node, found));
        let version = version.transpose()?;
        let cluster = async {
            match version {
                Some(version) => connection.ask(question::question(version)).await,
                None => Ok(None),
            }
        };
        let (schema, cluster) = tokio::join!(connection.ask(schema::question(version)), cluster);
        let (schema, cluster) = (schema.map_err(failed)?, cluster.map_err(failed)?);
        let schema = parse(schema.as_deref().unwrap_or_default()).map_err(unread)?;
        let cluster = cluster.as_deref().map(parse::<ClusterMetadata>).transpose();
        let cluster = cluster.map_err(unread)?;
        Ok(Self {
            schema,
            cluster: cluster
                .zip(extension)
                .map(|(cluster, version)| cluster.of_version(version)),
        })
    }
}

/// The version of Citus' catalogs, where there are any.
pub(crate) const EXTENSION_VERSION: &str =
    "SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'citus'";

/// The same. Also has the questions after it carried out as they are: with many shards their costs look so high
/// that PostgreSQL would compile them first, which takes longer than all the rest.
const EXTENSION: &str =
    "SET jit = off; SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'citus'";

fn supported(node: &NodeAddress, version: &str) -> Result<CitusVersion, ConnectError> {
    match version.parse::<CitusVersion>() {
        Ok(known) if known >= CitusVersion::OLDEST => Ok(known),
        _ => Err(ConnectError::CitusVersion {
            node: node.clone(),
            version: version.to_owned(),
        }),
    }
}

fn parse<T: DeserializeOwned>(document: &str) -> Result<T, String> {
    serde_json::from_str(document).map_err(|error| error.to_string())
}
