//! The driver keeps up with the cluster.

use std::time::Duration;

use citus_client::{Cluster, NodeAddress, RequestError};
use tokio_postgres::Client;

use crate::support::{config, connect, database, eventually};

#[tokio::test]
async fn a_new_table_is_learnt() {
    let database = database().await;
    if !database.is_citus() {
        return;
    }
    let cluster = connect(config(&database).refresh_every(Duration::from_millis(200))).await;
    let guarded = cluster.guard("SELECT id FROM projects").unwrap();
    database
        .migrate(
            "CREATE TABLE notes (tenant_id bigint, id bigint);
             SELECT create_distributed_table('notes', 'tenant_id', colocate_with => 'projects');",
        )
        .await
        .unwrap();
    let tenant = cluster.tenant(1);
    eventually("the table is known", || async {
        tenant.query("SELECT id FROM notes", &[]).await.is_ok()
    })
    .await;
    // What was guarded before was guarded for another schema.
    let error = tenant.query(&guarded, &[]).await.unwrap_err();
    assert!(matches!(error, RequestError::StaleStatement), "{error}");
}

#[tokio::test]
async fn a_moved_shard_is_followed() {
    let database = database().await;
    if !database.is_citus() {
        return;
    }
    let cluster = connect(config(&database)).await;
    let tenant = cluster.tenant(1);
    tenant
        .execute("INSERT INTO projects (id) VALUES (1)", &[])
        .await
        .unwrap();
    let client = database.connect().await.unwrap();
    let target = move_away(&client, &cluster).await;
    // The old route costs a hop, and is right.
    assert_eq!(
        tenant
            .query("SELECT id FROM projects", &[])
            .await
            .unwrap()
            .len(),
        1
    );
    cluster.refresh().await.unwrap();
    assert_eq!(cluster.route("projects", 1).unwrap().node, target);
    assert_eq!(
        tenant
            .query("SELECT id FROM projects", &[])
            .await
            .unwrap()
            .len(),
        1
    );
}

/// Moves the shard of tenant 1 to the other worker, and says where that is.
async fn move_away(client: &Client, cluster: &Cluster) -> NodeAddress {
    let from = cluster.route("projects", 1).unwrap().node;
    let topology = cluster.topology();
    let mut nodes = topology.nodes().iter();
    let to = nodes
        .find(|node| node.is_routable() && !node.is_coordinator() && *node.address() != from)
        .unwrap()
        .address()
        .clone();
    let sql = format!(
        "SELECT citus_move_shard_placement(
            get_shard_id_for_distribution_column('projects', 1), '{}', {}, '{}', {},
            shard_transfer_mode => 'block_writes')",
        from.host, from.port, to.host, to.port
    );
    client.batch_execute(&sql).await.unwrap();
    to
}

/// No error hints at it, and the refresh is not due.
#[tokio::test]
async fn a_move_is_noticed_by_looking_out_for_it() {
    let database = database().await;
    if !database.is_citus() {
        return;
    }
    let cluster = connect(config(&database).refresh_every(Duration::from_secs(3600))).await;
    let client = database.connect().await.unwrap();
    // Twice in one session: the statistics of the second come late.
    for _ in 0..2 {
        let target = move_away(&client, &cluster).await;
        eventually("the new place is known", || async {
            cluster.route("projects", 1).unwrap().node == target
        })
        .await;
    }
}

#[tokio::test]
async fn the_background_task_ends_with_the_cluster() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    cluster
        .tenant(1)
        .query("SELECT id FROM projects", &[])
        .await
        .unwrap();
    drop(cluster);
    eventually("no session is left", || async {
        crate::support::sessions(&database, "true").await == 0
    })
    .await;
}
