//! Making nodes a Citus cluster.

use tokio::task::JoinSet;
use tokio_postgres::Client;

use crate::DatabaseError;
use crate::address::Address;
use crate::connect::{connect, run};
use crate::nodes::Nodes;

/// Adds all workers to the coordinator in one database, in which the extension exists on every
/// node.
pub(crate) async fn form(nodes: &Nodes<Address>, database: &str) -> Result<(), DatabaseError> {
    let Nodes {
        coordinator,
        workers,
    } = nodes;
    let _turn = turn(coordinator).await?;
    let client = connect(coordinator, database).await?;
    let port = i32::from(coordinator.peer_port);
    run(
        "citus_set_coordinator_host",
        coordinator,
        client.execute(
            "SELECT citus_set_coordinator_host($1::text, $2::int4)",
            &[&coordinator.peer_host, &port],
        ),
    )
    .await?;
    // Adding a worker copies the metadata to it (since Citus 11): when this is through, every node
    // answers every statement.
    for worker in workers {
        let port = i32::from(worker.peer_port);
        run(
            "citus_add_node",
            coordinator,
            client.execute(
                "SELECT citus_add_node($1::text, $2::int4)",
                &[&worker.peer_host, &port],
            ),
        )
        .await?;
    }
    Ok(())
}

/// Waits until nobody else adds nodes to this cluster, in whatever database and process; the turn
/// lasts as long as the connection.
///
/// Adding a node repeats all roles on it, which belong to all databases: of two at the same time
/// one fails with "tuple concurrently updated" (Citus 13.2).
async fn turn(coordinator: &Address) -> Result<Client, DatabaseError> {
    // Locks belong to a database, so it is always taken in the first one.
    let client = connect(coordinator, &coordinator.database).await?;
    let lock = client.batch_execute("SELECT pg_advisory_lock(hashtext('citus-testkit'))");
    run("waiting to add nodes", coordinator, lock).await?;
    Ok(client)
}

/// Gives every node an identity of its own in a database that was copied from one and the same
/// template: Citus takes nodes with equal ids for one node, and refuses to add it to itself.
pub(crate) async fn renew_identities(
    nodes: &Nodes<Address>,
    database: &str,
) -> Result<(), DatabaseError> {
    const STATEMENT: &str = "UPDATE pg_catalog.pg_dist_node_metadata
         SET metadata = jsonb_set(metadata, '{server_id}', to_jsonb(gen_random_uuid()))";
    let mut renewing = JoinSet::new();
    for address in nodes.iter() {
        let (address, database) = (address.clone(), database.to_owned());
        renewing.spawn(async move {
            let client = connect(&address, &database).await?;
            run(
                "renewing the node's identity",
                &address,
                client.batch_execute(STATEMENT),
            )
            .await
        });
    }
    joined(renewing).await
}

/// The first error of tasks that run at the same time. A task that was aborted or panicked has not
/// done its work; the statements that build on it report that.
pub(crate) async fn joined(
    mut tasks: JoinSet<Result<(), DatabaseError>>,
) -> Result<(), DatabaseError> {
    let mut result = Ok(());
    while let Some(task) = tasks.join_next().await {
        result = result.and(task.unwrap_or(Ok(())));
    }
    result
}

/// The version of Citus in the database of this connection, such as `13.2.2`; `None` without the
/// extension.
pub(crate) async fn version(
    client: &Client,
    address: &Address,
) -> Result<Option<String>, DatabaseError> {
    // `extversion` has no patch level (13.2-1); citus_version() has ("Citus 13.2.2 on x86_64…").
    run("looking for the extension citus", address, async {
        let installed = "SELECT extversion FROM pg_extension WHERE extname = 'citus'";
        let Some(row) = client.query_opt(installed, &[]).await? else {
            return Ok(None);
        };
        let long: String = client
            .query_one("SELECT citus_version()", &[])
            .await?
            .try_get(0)?;
        match long.split_whitespace().nth(1) {
            Some(version) => Ok(Some(version.to_owned())),
            None => row.try_get(0).map(Some),
        }
    })
    .await
}

/// The group of the node that this connection leads to; 0 is the coordinator's.
pub(crate) async fn local_group(client: &Client, address: &Address) -> Result<i32, DatabaseError> {
    let statement = client.query_one("SELECT groupid FROM pg_dist_local_group", &[]);
    run("reading pg_dist_local_group", address, async {
        statement.await?.try_get(0)
    })
    .await
}

/// A node as the coordinator's `pg_dist_node` lists it.
pub(crate) struct Peer {
    pub(crate) group: i32,
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// The active primaries, the coordinator (group 0) first where it is listed.
pub(crate) async fn peers(client: &Client, address: &Address) -> Result<Vec<Peer>, DatabaseError> {
    let statement = client.query(
        "SELECT groupid, nodename, nodeport FROM pg_dist_node
         WHERE isactive AND noderole = 'primary' ORDER BY groupid",
        &[],
    );
    run("reading pg_dist_node", address, async {
        let rows = statement.await?;
        rows.iter()
            .map(|row| {
                let port: i32 = row.try_get(2)?;
                // Citus itself refuses a number that is none.
                let port = u16::try_from(port).unwrap_or_default();
                Ok(Peer {
                    group: row.try_get(0)?,
                    host: row.try_get(1)?,
                    port,
                })
            })
            .collect()
    })
    .await
}
