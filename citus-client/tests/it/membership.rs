//! Nodes that join, leave and move, on real Citus. There is nothing to follow on plain servers.

use std::time::Duration;

use citus_client::{Cluster, Config, NodeAddress, RequestError};
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
