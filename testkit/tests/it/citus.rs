//! What a cluster with real Citus is like. Skipped where Citus is not installed.

use citus_testkit::Backend;

use crate::support::{Result, citus};

#[tokio::test]
async fn every_node_knows_every_node() -> Result {
    let Some(cluster) = citus().await? else {
        return Ok(());
    };
    let Backend::Citus { version, .. } = cluster.backend() else {
        panic!("{}", cluster.backend())
    };
    assert_eq!(version.split('.').count(), 3, "{version}");
    let database = cluster.create_database().await?;
    let mut expected: Vec<(i32, i32)> = Vec::new();
    for (group, node) in cluster.nodes().enumerate() {
        expected.push((i32::try_from(group)?, i32::from(node.port())));
    }
    for url in database
        .node_urls()
        .into_iter()
        .chain(cluster.nodes().map(citus_testkit::Node::url))
    {
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        let sql = "SELECT groupid, nodeport FROM pg_dist_node WHERE nodename = '127.0.0.1'
                   AND isactive AND hasmetadata AND metadatasynced ORDER BY groupid";
        let rows = client.query(sql, &[]).await?;
        let known: Vec<(i32, i32)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        assert_eq!(known, expected, "{url}");
    }
    Ok(())
}

/// Adding a node touches what belongs to all databases.
#[tokio::test]
async fn databases_can_be_made_at_the_same_time() -> Result {
    let Some(cluster) = citus().await? else {
        return Ok(());
    };
    let four = || async {
        tokio::try_join!(
            cluster.create_database(),
            cluster.create_database(),
            cluster.create_database(),
            cluster.create_database()
        )
    };
    let (one, two) = tokio::try_join!(four(), four())?;
    assert_ne!(one.0.name(), two.0.name());
    Ok(())
}

#[tokio::test]
async fn shards_are_on_the_workers_and_can_be_moved_and_split() -> Result {
    let Some(cluster) = citus().await? else {
        return Ok(());
    };
    let database = cluster.create_database().await?;
    database
        .migrate(
            "CREATE TABLE t (tenant_id bigint PRIMARY KEY);
             SELECT create_distributed_table('t', 'tenant_id', shard_count => 2);
             INSERT INTO t SELECT generate_series(1, 100)",
        )
        .await?;
    let client = database.connect().await?;
    let placements = "SELECT s.shardid, s.shardminvalue::int, s.shardmaxvalue::int, n.nodeport, n.nodeid
        FROM pg_dist_shard s JOIN pg_dist_placement USING (shardid) JOIN pg_dist_node n USING (groupid)
        ORDER BY s.shardminvalue::int";
    let rows = client.query(placements, &[]).await?;
    let coordinator = i32::from(cluster.coordinator().port());
    let ports: Vec<i32> = rows.iter().map(|row| row.get(3)).collect();
    assert_eq!(ports.len(), 2);
    assert_ne!(ports[0], ports[1]);
    assert!(!ports.contains(&coordinator));

    let shard: i64 = rows[0].get(0);
    let moving = "SELECT citus_move_shard_placement($1, '127.0.0.1', $2, '127.0.0.1', $3,
                  shard_transfer_mode => 'force_logical')";
    client
        .execute(moving, &[&shard, &ports[0], &ports[1]])
        .await?;
    let (low, high): (i32, i32) = (rows[0].get(1), rows[0].get(2));
    let middle = (low + (high - low) / 2).to_string();
    let nodes: Vec<i32> = vec![rows[0].get(4), rows[1].get(4)];
    let splitting = "SELECT citus_split_shard_by_split_points($1, ARRAY[$2], $3,
                     shard_transfer_mode => 'force_logical')";
    client
        .execute(splitting, &[&shard, &middle, &nodes])
        .await?;
    assert_eq!(client.query(placements, &[]).await?.len(), 3);
    assert_eq!(client.query("SELECT * FROM t", &[]).await?.len(), 100);
    Ok(())
}

#[tokio::test]
async fn a_restarted_worker_serves_its_shards_again() -> Result {
    let Some(cluster) = citus().await? else {
        return Ok(());
    };
    let database = cluster.create_database().await?;
    database
        .migrate(
            "CREATE TABLE t (tenant_id bigint PRIMARY KEY);
             SELECT create_distributed_table('t', 'tenant_id', shard_count => 4);
             INSERT INTO t SELECT generate_series(1, 100)",
        )
        .await?;
    cluster.workers()[0].stop_hard().await?;
    assert!(
        database
            .connect()
            .await?
            .query("SELECT * FROM t", &[])
            .await
            .is_err()
    );
    cluster.workers()[0].start().await?;
    assert_eq!(
        database
            .connect()
            .await?
            .query("SELECT * FROM t", &[])
            .await?
            .len(),
        100
    );
    Ok(())
}
