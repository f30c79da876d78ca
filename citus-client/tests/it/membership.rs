//! Nodes that join, leave and move, on real Citus. There is nothing to follow on plain servers.

use std::time::Duration;

use citus_client::{Cluster, ClusterEvent, Config, NodeAddress, RequestError, Watch};
use citus_testkit::{TestCluster, TestDatabase};
use tokio_postgres::Client;

use crate::support::{bounded, config, connect, database_on, eventually, pools};

/// A cluster of the test's own, with everything on its first worker, so that the second can leave.
struct Servers {
    _cluster: TestCluster,
    database: TestDatabase,
    admin: Client,
}

impl Servers {
    async fn start() -> Option<Self> {
        let cluster = TestCluster::builder().workers(2).start().await.unwrap();
        if !cluster.is_citus() {
            eprintln!("left out: there is no Citus ({})", cluster.backend());
            return None;
        }
        let database = database_on(&cluster).await;
        let admin = database.connect().await.unwrap();
        Some(Self {
            _cluster: cluster,
            database,
            admin,
        })
    }

    /// Found by looking out for changes alone.
    fn config(&self) -> Config {
        config(&self.database).refresh_every(Duration::from_secs(3600))
    }

    fn worker(&self, index: usize) -> NodeAddress {
        let node = self.database.node(index).unwrap();
        NodeAddress::new(node.host(), node.port())
    }

    async fn run(&self, sql: &str) {
        self.admin.batch_execute(sql).await.unwrap();
    }

    async fn leave(&self, worker: &NodeAddress) {
        let NodeAddress { host, port } = worker;
        self.run(&format!(
            "SELECT citus_drain_node('{host}', {port}, 'block_writes')"
        ))
        .await;
        self.run(&format!("SELECT citus_remove_node('{host}', {port})"))
            .await;
    }
}

fn tenant_on(cluster: &Cluster, node: &NodeAddress) -> i64 {
    (0..1000)
        .find(|tenant| cluster.route("projects", *tenant).unwrap().node == *node)
        .unwrap()
}

fn knows(cluster: &Cluster, node: &NodeAddress) -> bool {
    let topology = cluster.topology();
    topology.nodes().iter().any(|known| known.address() == node)
}

/// The next event that is wanted; those before it are not looked at.
async fn next<T>(watch: &mut Watch, wanted: impl Fn(ClusterEvent) -> Option<T>) -> T {
    bounded(async {
        loop {
            if let Some(found) = wanted(watch.next().await.unwrap()) {
                return found;
            }
        }
    })
    .await
}

#[tokio::test]
async fn who_waits_for_a_node_that_leaves_does_not_get_it() {
    for pool in pools() {
        let Some(servers) = Servers::start().await else {
            return;
        };
        let leaving = servers.worker(2);
        let config = servers.config().pool(pool).pool_size(1);
        let cluster = connect(config.acquire_timeout(Duration::from_secs(60))).await;
        let tenant = cluster.tenant(tenant_on(&cluster, &leaving));
        let holder = tenant.begin().await.unwrap();
        // The only connection is taken.
        let waiter = tokio::spawn({
            let tenant = tenant.clone();
            async move {
                let row = tenant.query_one("SELECT server_port()", &[]).await?;
                Ok::<i32, RequestError>(row.get(0))
            }
        });
        servers.leave(&leaving).await;
        let outcome = bounded(waiter).await.unwrap();
        match outcome {
            Ok(port) => assert_ne!(port, i32::from(leaving.port)),
            Err(error) => {
                assert!(matches!(error, RequestError::NodeLeft { .. }), "{error}");
                assert!(error.is_retryable() && !error.was_sent());
            }
        }
        // What was begun there is not to be continued.
        let error = holder
            .query("SELECT id FROM projects", &[])
            .await
            .unwrap_err();
        assert!(matches!(error, RequestError::NodeLeft { .. }), "{error}");
        let error = holder.commit().await.unwrap_err();
        assert!(matches!(error, RequestError::NodeLeft { .. }), "{error}");
        let row = bounded(tenant.query_one("SELECT server_port()", &[])).await;
        assert_ne!(row.unwrap().get::<_, i32>(0), i32::from(leaving.port));
        assert!(!knows(&cluster, &leaving));
    }
}

#[tokio::test]
async fn a_node_that_joins_is_used_and_one_that_is_disabled_is_not() {
    let Some(servers) = Servers::start().await else {
        return;
    };
    let second = servers.worker(2);
    let NodeAddress { host, port } = &second;
    servers.leave(&second).await;
    let cluster = connect(servers.config()).await;
    assert!(!knows(&cluster, &second));
    servers
        .run(&format!("SELECT citus_add_node('{host}', {port})"))
        .await;
    servers
        .run("SELECT replicate_reference_tables('block_writes')")
        .await;
    eventually("the node is known", || async { knows(&cluster, &second) }).await;
    servers
        .run(
            "SELECT citus_move_shard_placement(
                get_shard_id_for_distribution_column('projects', 1),
                f.nodename, f.nodeport, t.nodename, t.nodeport, 'block_writes')
             FROM pg_dist_placement p JOIN pg_dist_node f USING (groupid), pg_dist_node t
             WHERE p.shardid = get_shard_id_for_distribution_column('projects', 1)
               AND t.groupid = (SELECT max(groupid) FROM pg_dist_node)",
        )
        .await;
    eventually("the shard is known to be there", || async {
        cluster.route("projects", 1).unwrap().node == second
    })
    .await;
    let row = cluster
        .tenant(1)
        .query_one("SELECT server_port()", &[])
        .await;
    assert_eq!(row.unwrap().get::<_, i32>(0), i32::from(second.port));

    servers
        .run(&format!(
            "SELECT citus_drain_node('{host}', {port}, 'block_writes');
             SELECT citus_disable_node('{host}', {port}, synchronous => true)"
        ))
        .await;
    eventually("nothing is routed to it", || async {
        let topology = cluster.topology();
        let mut nodes = topology.nodes().iter();
        nodes.any(|node| *node.address() == second && !node.is_routable())
    })
    .await;
    let row = bounded(cluster.tenant(1).query_one("SELECT server_port()", &[])).await;
    assert_ne!(row.unwrap().get::<_, i32>(0), i32::from(second.port));
}

#[tokio::test]
async fn all_that_changes_is_told() {
    let Some(servers) = Servers::start().await else {
        return;
    };
    let second = servers.worker(2);
    let NodeAddress { host, port } = &second;
    let cluster = connect(servers.config()).await;
    let mut watch = cluster.watch();

    let shards: i64 = {
        let sql = "SELECT count(*) FROM pg_dist_shard s JOIN pg_dist_placement p USING (shardid)
                   JOIN pg_dist_node n USING (groupid)
                   WHERE s.logicalrelid = 'projects'::regclass AND n.nodeport = $1::int";
        let row = servers.admin.query_one(sql, &[&i32::from(*port)]).await;
        row.unwrap().get(0)
    };
    servers.leave(&second).await;
    // The moves are told one by one or several at once.
    let mut moved = 0;
    while moved < shards {
        moved += next(&mut watch, |event| match event {
            ClusterEvent::ShardsMoved { count, .. } => i64::try_from(count).ok(),
            _ => None,
        })
        .await;
    }
    assert_eq!(moved, shards);
    let left = next(&mut watch, |event| match event {
        ClusterEvent::NodeLeft { node } => Some(node),
        _ => None,
    });
    assert_eq!(*left.await.address(), second);

    servers
        .run(&format!("SELECT citus_add_node('{host}', {port})"))
        .await;
    let joined = next(&mut watch, |event| match event {
        ClusterEvent::NodeJoined { node } => Some(node),
        _ => None,
    });
    assert_eq!(*joined.await.address(), second);

    let before = cluster.tenancy().fingerprint();
    servers
        .run("ALTER TABLE tasks ADD COLUMN done boolean")
        .await;
    cluster.refresh().await.unwrap();
    let changed = next(&mut watch, |event| match event {
        ClusterEvent::SchemaChanged { before, now } => Some((before, now)),
        _ => None,
    });
    assert_eq!(changed.await, (before, cluster.tenancy().fingerprint()));

    servers
        .run("SELECT isolate_tenant_to_new_shard('projects', 1, 'CASCADE', shard_transfer_mode => 'block_writes')")
        .await;
    let split = next(&mut watch, |event| match event {
        ClusterEvent::ShardsSplit { before, now, .. } => Some((before, now)),
        _ => None,
    });
    let (before, now) = split.await;
    assert!(before == 32 && now > 32, "{before} {now}");

    drop(cluster);
    bounded(async { while watch.next().await.is_some() {} }).await;
}

#[tokio::test]
async fn a_node_that_changes_its_address_is_followed_while_it_is_used() {
    let Some(servers) = Servers::start().await else {
        return;
    };
    let second = servers.worker(2);
    let cluster = connect(servers.config()).await;
    let mut watch = cluster.watch();
    let id = tenant_on(&cluster, &second);
    let tenant = cluster.tenant(id);
    let insert = "INSERT INTO projects (id) VALUES ($1)";
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let traffic = tokio::spawn({
        let tenant = tenant.clone();
        async move {
            let mut written = 0;
            for number in 0_i64.. {
                match tenant.execute(insert, &[&number]).await {
                    Ok(_) => written += 1,
                    // Not sent; the next one goes to the new address.
                    Err(error) if error.is_retryable() && !error.was_sent() => {}
                    Err(error) => panic!("{error}"),
                }
                if stopped.try_recv().is_ok() {
                    break;
                }
            }
            written
        }
    });
    // Another name of the same server.
    let port = second.port;
    let update = "SELECT citus_update_node(nodeid, 'localhost', nodeport) FROM pg_dist_node
                  WHERE nodeport = $1::int";
    let updated = servers.admin.execute(update, &[&i32::from(port)]).await;
    assert_eq!(updated.unwrap(), 1);
    let (from, node) = next(&mut watch, |event| match event {
        ClusterEvent::NodeMoved { from, node } => Some((from, node)),
        _ => None,
    })
    .await;
    assert_eq!(from, second);
    assert_eq!(*node.address(), NodeAddress::new("localhost", port));
    assert_eq!(cluster.route("projects", id).unwrap().node, *node.address());
    for number in -5..0_i64 {
        bounded(tenant.execute(insert, &[&number])).await.unwrap();
    }
    stop.send(()).unwrap();
    let written = bounded(traffic).await.unwrap();
    assert!(written > 0);
    let rows = tenant.query("SELECT id FROM projects", &[]).await.unwrap();
    assert_eq!(rows.len(), written + 5);
}

#[tokio::test]
async fn a_node_with_another_version_is_told() {
    let Some(servers) = Servers::start().await else {
        return;
    };
    let second = servers.worker(2);
    // As if the others had been upgraded, and this one not.
    let worker = servers.database.node(2).unwrap().connect().await.unwrap();
    let version = "SELECT extversion FROM pg_extension WHERE extname = 'citus'";
    let current: String = worker.query_one(version, &[]).await.unwrap().get(0);
    let cluster = connect(servers.config()).await;
    let mut watch = cluster.watch();
    let tenant = cluster.tenant(tenant_on(&cluster, &second));
    tenant.query("SELECT id FROM projects", &[]).await.unwrap();
    worker
        .batch_execute("UPDATE pg_extension SET extversion = '13.1-1' WHERE extname = 'citus'")
        .await
        .unwrap();
    // Anything that changes has the driver look.
    servers.run("SELECT citus_set_node_property(nodename, nodeport, 'shouldhaveshards', false) FROM pg_dist_node WHERE groupid = 1").await;
    let told = next(&mut watch, |event| match event {
        ClusterEvent::VersionSkew {
            node,
            version,
            coordinator,
        } => Some((node, version, coordinator)),
        _ => None,
    });
    assert_eq!(told.await, (second, "13.1-1".to_owned(), current));
}
