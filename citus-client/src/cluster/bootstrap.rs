//! From a configuration to the first snapshot.

use std::sync::Arc;

use tenant_guard::Guard;

use super::schema_checks;
use crate::config::{Config, ConfigError};
use crate::connection::{Canceller, Connection};
use crate::error::{ConnectError, PgError};
use crate::metadata::Metadata;
use crate::pool::Capacity;
use crate::snapshot::{Connecting, MakeTlsDebug, Snapshot};
use crate::topology::{NodeAddress, Topology};
use crate::{NodeError, tls};

/// Finds out what the cluster is.
pub(super) async fn connect(config: Config) -> Result<(Connecting, Snapshot), ConnectError> {
    let tls = tls::make_tls(&config.server)?;
    let canceller = Canceller::new(tls.clone());
    let connecting = Connecting {
        capacity: Capacity::new(config.max_connections),
        config: Arc::new(config),
        tls: MakeTlsDebug(tls),
        canceller,
    };
    let snapshot = match connecting.config.topology.clone() {
        Some(topology) => fixed(&connecting, topology).await?,
        None => discover(&connecting).await?,
    };
    Ok((connecting, snapshot))
}

/// Reads the metadata of the node at an address; more can be asked over the same connection.
pub(super) async fn read(
    connecting: &Connecting,
    address: &NodeAddress,
) -> Result<(Connection, Metadata), ConnectError> {
    // With the server's own search path: it is a part of the tenancy.
    let connection = connecting.to(address, None).connect().await?;
    let metadata = Metadata::read(&connection, connecting.config.query_timeout).await?;
    Ok((connection, metadata))
}

async fn discover(connecting: &Connecting) -> Result<Snapshot, ConnectError> {
    let mut last = None;
    for host in connecting.config.server.hosts() {
        match read(connecting, host).await {
            Ok(told) => return first_snapshot(connecting, host, told).await,
            Err(error) => {
                tracing::debug!(%error, "a host of the connection string is left out");
                last = Some(error);
            }
        }
    }
    // A connection string has at least one host.
    let reason = "it names no host";
    Err(last.unwrap_or(ConfigError::ConnectionString { reason }.into()))
}

async fn first_snapshot(
    connecting: &Connecting,
    host: &NodeAddress,
    (connection, metadata): (Connection, Metadata),
) -> Result<Snapshot, ConnectError> {
    let config = &connecting.config;
    let utf8 = metadata.schema.is_utf8();
    let Some(cluster) = &metadata.cluster else {
        let guard = checked(config, &connection, &metadata).await?;
        let topology = Topology::single(host.clone()).with_utf8(utf8);
        return Ok(Snapshot::new(topology, guard, connecting, None));
    };
    let topology = cluster.topology(config, host, None, utf8);
    if !cluster.is_of_coordinator() {
        // The schema is the coordinator's to tell: it alone has the local tables.
        let coordinator = topology.coordinator().address().clone();
        match read(connecting, &coordinator).await {
            Ok((
                connection,
                Metadata {
                    schema,
                    cluster: Some(cluster),
                },
            )) => {
                let topology = cluster.topology(config, &coordinator, Some(&topology), utf8);
                let metadata = Metadata {
                    schema,
                    cluster: Some(cluster),
                };
                let guard = checked(config, &connection, &metadata).await?;
                let snapshot = Snapshot::new(topology, guard, connecting, None);
                return Ok(snapshot.read_at(fingerprint(&metadata)));
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "starting without the coordinator"),
        }
    }
    let guard = checked(config, &connection, &metadata).await?;
    let snapshot = Snapshot::new(topology, guard, connecting, None);
    Ok(snapshot.read_at(fingerprint(&metadata)))
}

fn fingerprint(metadata: &Metadata) -> Option<&str> {
    metadata.cluster.as_ref()?.fingerprint()
}

/// The guard, after a look at the schema.
async fn checked(
    config: &Config,
    connection: &Connection,
    metadata: &Metadata,
) -> Result<Guard, ConnectError> {
    let guard = guard(config, metadata)?;
    schema_checks::at_start(config, connection, guard.tenancy()).await?;
    Ok(guard)
}

/// The guard for the tenancy that was given, else for the live tables.
pub(super) fn guard(config: &Config, metadata: &Metadata) -> Result<Guard, ConnectError> {
    let tenancy = match &config.tenancy {
        Some(tenancy) => Arc::clone(tenancy),
        None => Arc::new(metadata.schema.tenancy(metadata.cluster.as_ref())?),
    };
    Ok(Guard::new(tenancy, config.policy.clone()))
}

/// Servers that tell nothing. One of them has to answer, so that a wrong password or address is
/// found out now.
async fn fixed(connecting: &Connecting, topology: Topology) -> Result<Snapshot, ConnectError> {
    let config = &connecting.config;
    let tenancy = config.tenancy.clone().ok_or(ConfigError::TenancyMissing)?;
    let mut last: Option<ConnectError> = None;
    for node in topology.nodes() {
        match encoding(connecting, node.address()).await {
            Ok((connection, encoding)) => {
                // All servers are taken to have the same schema.
                schema_checks::at_start(config, &connection, &tenancy).await?;
                let guard = Guard::new(tenancy, config.policy.clone());
                let topology = topology.clone().with_utf8(encoding == "UTF8");
                return Ok(Snapshot::new(topology, guard, connecting, None));
            }
            Err(error) => last = Some(error),
        }
    }
    // A fixed topology has at least one node.
    Err(last.unwrap_or(ConfigError::TenancyMissing.into()))
}

async fn encoding(
    connecting: &Connecting,
    node: &NodeAddress,
) -> Result<(Connection, String), ConnectError> {
    let connection = connecting.to(node, None).connect().await?;
    let limit = connecting.config.query_timeout;
    let in_flight = connection.start();
    let answer = tokio::time::timeout(limit, connection.ask("SHOW server_encoding")).await;
    match &answer {
        Ok(_) => in_flight.done(),
        Err(_) => drop(in_flight),
    }
    match answer {
        Ok(Ok(encoding)) => Ok((connection, encoding.unwrap_or_default())),
        Ok(Err(error)) => {
            let error = PgError::connecting(error);
            Err(ConnectError::MetadataRead {
                node: node.clone(),
                error,
            })
        }
        Err(_) => Err(NodeError::Timeout {
            node: node.clone(),
            after: limit,
        }
        .into()),
    }
}
