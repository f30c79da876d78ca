//! How many connections there are, who gets them, and what happens when none can be made.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use citus_client::{
    Cluster, Config, NodeError, PoolSettings, PoolStatus, RequestError, RetryPolicy, SslMode,
};
use citus_testkit::{BackendChoice, Node, TestCluster, TestDatabase};
use futures_util::future::{join_all, try_join_all};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use crate::support::{
    bounded, config, connect, database, database_on, eventually, name, pools, redirected, sessions,
};

const LONG: Duration = Duration::from_secs(60);
/// A statement that goes to the node of its tenant.
const READ: &str = "SELECT id FROM projects";

/// A tenant on each of two nodes.
fn tenants_of_two_nodes(cluster: &Cluster) -> [i64; 2] {
    let node = |tenant: i64| cluster.route("projects", tenant).unwrap().node;
    let other = (2..1000).find(|other| node(*other) != node(1));
    [1, other.unwrap()]
}

fn status(cluster: &Cluster, tenant: i64) -> PoolStatus {
    let node = cluster.route("projects", tenant).unwrap().node;
    let mut pools = cluster.pools().into_iter();
    pools.find(|pool| pool.node == node).unwrap()
}

fn is_down(error: &RequestError) -> bool {
    matches!(error, RequestError::Node(NodeError::Down { .. }))
}

#[tokio::test]
async fn one_cap_holds_over_all_nodes_and_nobody_starves() {
    let database = database().await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool).pool_size(8).max_connections(3)).await;
        let most = AtomicUsize::new(0);
        let work = (0..24).map(|tenant| {
            let (cluster, most) = (&cluster, &most);
            async move {
                for _ in 0..20 {
                    cluster.tenant(tenant).query(READ, &[]).await?;
                    let size = cluster.pools().iter().map(|pool| pool.size).sum();
                    most.fetch_max(size, Ordering::Relaxed);
                }
                Ok::<_, RequestError>(())
            }
        });
        bounded(try_join_all(work)).await.unwrap();
        assert_eq!(most.into_inner(), 3);
    }
}

#[tokio::test]
async fn an_idle_connection_to_another_node_makes_room() {
    let database = database().await;
    for pool in pools() {
        let config = config(&database).pool(pool).max_connections(1);
        let cluster = connect(config.acquire_timeout(Duration::from_millis(300))).await;
        let [a, b] = tenants_of_two_nodes(&cluster);
        for tenant in [a, b, a, b] {
            bounded(cluster.tenant(tenant).query(READ, &[]))
                .await
                .unwrap();
            assert_eq!(status(&cluster, tenant).size, 1);
        }
        // One that is in use does not.
        let transaction = cluster.tenant(a).begin().await.unwrap();
        let error = bounded(cluster.tenant(b).query(READ, &[]))
            .await
            .unwrap_err();
        assert!(matches!(error, RequestError::PoolTimeout { .. }), "{error}");
        transaction.commit().await.unwrap();
        bounded(cluster.tenant(b).query(READ, &[])).await.unwrap();
    }
}

#[tokio::test]
async fn requests_are_served_in_the_order_in_which_they_came() {
    let database = database().await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool).pool_size(1)).await;
        let transaction = cluster.tenant(1).begin().await.unwrap();
        let served = Arc::new(AtomicUsize::new(0));
        let mut waiting = Vec::new();
        for place in 0..8 {
            let (tenant, served) = (cluster.tenant(1), Arc::clone(&served));
            waiting.push(tokio::spawn(async move {
                let waiting = tenant.begin().await.unwrap();
                assert_eq!(served.fetch_add(1, Ordering::SeqCst), place);
                waiting.commit().await.unwrap();
            }));
            eventually("it waits", || async {
                status(&cluster, 1).waiting == place + 1
            })
            .await;
        }
        transaction.commit().await.unwrap();
        for task in waiting {
            bounded(task).await.unwrap();
        }
    }
}

#[tokio::test]
async fn connections_are_made_ahead_and_kept() {
    let database = database().await;
    for pool in pools() {
        let settings = PoolSettings::default().min_idle(1);
        let config = config(&database)
            .pool(pool)
            .min_idle(2)
            .idle_timeout(Duration::from_millis(500))
            .coordinator_pool(settings);
        let cluster = connect(config).await;
        let node_of_coordinator = cluster.topology().coordinator().address().clone();
        let is_warm = || {
            let pools = cluster.pools();
            let nodes = cluster.topology();
            let nodes = nodes.nodes().iter().filter(|node| node.is_routable());
            nodes.map(citus_client::Node::address).all(|node| {
                let wanted = if *node == node_of_coordinator { 1 } else { 2 };
                pools
                    .iter()
                    .any(|pool| pool.node == *node && pool.idle == wanted)
            })
        };
        eventually("there are idle connections", || async { is_warm() }).await;
        // More than that, and they go again.
        let tenant = cluster.tenant(1);
        let transactions = try_join_all((0..4).map(|_| tenant.begin())).await;
        assert!(status(&cluster, 1).size >= 4);
        drop(transactions);
        eventually("the surplus is closed", || async { is_warm() }).await;
    }
}

#[tokio::test]
async fn connections_grow_old_without_a_request_that_fails() {
    let database = database().await;
    for pool in pools() {
        let config = config(&database).pool(pool).pool_size(2).min_idle(1);
        let config = config.max_lifetime(Duration::from_secs(1));
        let cluster = connect(config.retry(RetryPolicy::never())).await;
        let tenant = cluster.tenant(1);
        let backends = Mutex::new(HashSet::new());
        eventually("there were three of them", || async {
            let row = tenant.query_one("SELECT backend()", &[]).await.unwrap();
            let mut backends = backends.lock().unwrap();
            backends.insert(row.get::<_, i32>(0));
            backends.len() >= 3
        })
        .await;
        assert!(status(&cluster, 1).size <= 2);
    }
}

#[tokio::test]
async fn neither_the_start_nor_a_restart_is_a_storm() {
    let database = database().await;
    for pool in pools() {
        let doors = Arc::new(Doors::default());
        let config = config(&database).pool(pool).pool_size(32);
        let config = config.ssl_mode(SslMode::Disable);
        let config = through(&doors, &database, config.concurrent_connects(2)).await;
        let cluster = connect(config).await;
        // Not of the coordinator, which is asked for other things as well.
        let coordinator = cluster.topology().coordinator().address().clone();
        let ids = tenants_of_two_nodes(&cluster).into_iter();
        let mut ids = ids.map(|id| (id, cluster.route("projects", id).unwrap().node));
        let (id, node) = ids.find(|(_, node)| *node != coordinator).unwrap();
        let tenant = cluster.tenant(id);
        for _ in 0..2 {
            doors.most(node.port);
            let work = (0..32).map(|_| tenant.begin());
            let transactions = bounded(try_join_all(work)).await.unwrap();
            assert_eq!(transactions.len(), 32);
            assert_eq!(doors.most(node.port), 2);
            // All of them break at once, as when a node is started anew.
            for node in database.nodes() {
                let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                           WHERE application_name = $1";
                let admin = node.connect().await.unwrap();
                admin.execute(sql, &[&name(&database)]).await.unwrap();
            }
            drop(transactions);
            eventually(
                "all are gone, and nothing is cancelled any more",
                || async {
                    status(&cluster, id).size <= 1 && doors.change(node.port, |door| door.now == 0)
                },
            )
            .await;
        }
    }
}

/// Counts the connections to each node that are being made.
#[derive(Default)]
struct Doors(Mutex<HashMap<u16, Door>>);

#[derive(Clone, Copy, Default)]
struct Door {
    now: usize,
    most: usize,
}

impl Doors {
    fn change<T>(&self, port: u16, change: impl FnOnce(&mut Door) -> T) -> T {
        change(self.0.lock().unwrap().entry(port).or_default())
    }

    /// How many there were at a time, since this was last asked.
    fn most(&self, port: u16) -> usize {
        self.change(port, |door| std::mem::take(&mut door.most))
    }
}

/// Whether a connection without TLS is one that only cancels another one's statement.
async fn is_cancel_request(client: &TcpStream) -> bool {
    let mut start = [0; 8];
    while client
        .peek(&mut start)
        .await
        .is_ok_and(|read| (1..8).contains(&read))
    {
        tokio::task::yield_now().await;
    }
    u32::from_be_bytes([start[4], start[5], start[6], start[7]]) == 80_877_102
}

/// Reaches all nodes by way of doors that take their time.
async fn through(doors: &Arc<Doors>, database: &TestDatabase, config: Config) -> Config {
    let mut ports = Vec::new();
    for port in database.nodes().map(citus_testkit::DatabaseNode::port) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let door = listener.local_addr().unwrap().port();
        ports.push((port, door));
        let doors = Arc::clone(doors);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let doors = Arc::clone(&doors);
                tokio::spawn(async move {
                    if is_cancel_request(&client).await {
                        return;
                    }
                    doors.change(door, |door| {
                        door.now += 1;
                        door.most = door.most.max(door.now);
                    });
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    doors.change(door, |door| door.now -= 1);
                    let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
    }
    redirected(config, database, ports)
}

/// A cluster of the test's own, with a tenant and the node that has it.
fn with_a_worker<'a>(cluster: &Cluster, servers: &'a TestCluster) -> (i64, &'a Node) {
    let [a, b] = tenants_of_two_nodes(cluster);
    let coordinator = cluster.topology().coordinator().address().clone();
    let route = |tenant| cluster.route("projects", tenant).unwrap().node;
    let tenant = if route(a) == coordinator { b } else { a };
    let node = servers
        .nodes()
        .find(|node| node.port() == route(tenant).port);
    (tenant, node.unwrap())
}

#[tokio::test]
async fn a_dead_node_is_tried_by_one_task_and_requests_are_told_at_once() {
    let servers = TestCluster::builder().workers(2).start().await.unwrap();
    let database = database_on(&servers).await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool).retry(RetryPolicy::never())).await;
        let (id, node) = with_a_worker(&cluster, &servers);
        let tenant = cluster.tenant(id);
        tenant.query(READ, &[]).await.unwrap();
        assert_eq!(status(&cluster, id).down_since, None);
        node.stop_hard().await.unwrap();
        eventually("it is known to be down", || async {
            tenant
                .query(READ, &[])
                .await
                .is_err_and(|error| is_down(&error))
        })
        .await;
        let before = status(&cluster, id);
        let errors = join_all((0..200).map(|_| tenant.query(READ, &[])));
        for error in bounded(errors).await {
            let error = error.unwrap_err();
            assert!(is_down(&error), "{error}");
            assert!(error.is_retryable() && !error.was_sent());
        }
        let after = status(&cluster, id);
        assert_eq!(before.down_since, after.down_since);
        assert!(after.connect_failures - before.connect_failures < 100);
        node.start().await.unwrap();
        eventually("it is found again without a request", || async {
            status(&cluster, id).down_since.is_none()
        })
        .await;
        bounded(tenant.query(READ, &[])).await.unwrap();
    }
}

#[tokio::test]
async fn requests_wait_for_a_node_where_that_is_asked_for() {
    let servers = TestCluster::builder().workers(2).start().await.unwrap();
    let database = database_on(&servers).await;
    for pool in pools() {
        let config = config(&database)
            .pool(pool)
            .acquire_timeout(LONG)
            .retry(RetryPolicy::never())
            .wait_for_node(LONG);
        let cluster = connect(config).await;
        let (id, node) = with_a_worker(&cluster, &servers);
        let tenant = cluster.tenant(id);
        tenant.query(READ, &[]).await.unwrap();
        node.stop_hard().await.unwrap();
        // The connection that is there is lost with it, or was seen to be closed.
        let first = tokio::spawn({
            let tenant = tenant.clone();
            async move { tenant.query(READ, &[]).await }
        });
        eventually("it is known to be down", || async {
            status(&cluster, id).down_since.is_some()
        })
        .await;
        first.abort();
        let waiting = tokio::spawn(async move { tenant.query(READ, &[]).await });
        eventually("it waits", || async { status(&cluster, id).waiting > 0 }).await;
        node.start().await.unwrap();
        bounded(waiting).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_hung_node_costs_one_request_its_time_and_not_one_for_each_connection() {
    let servers = TestCluster::builder().workers(2).start().await.unwrap();
    let database = database_on(&servers).await;
    let limit = Duration::from_secs(1);
    for pool in pools() {
        let config = config(&database)
            .pool(pool)
            .query_timeout(limit)
            .connect_timeout(limit)
            .retry(RetryPolicy::never());
        let cluster = connect(config).await;
        let (id, node) = with_a_worker(&cluster, &servers);
        let tenant = cluster.tenant(id);
        let transactions = try_join_all((0..8).map(|_| tenant.begin())).await.unwrap();
        for transaction in transactions {
            transaction.commit().await.unwrap();
        }
        assert_eq!(status(&cluster, id).idle, 8);
        node.pause().await.unwrap();
        let error = bounded(tenant.query(READ, &[])).await.unwrap_err();
        assert!(matches!(error, RequestError::Timeout { .. }), "{error}");
        eventually("it is known to be down", || async {
            status(&cluster, id).down_since.is_some()
        })
        .await;
        // The other seven would be as silent.
        let error = bounded(tenant.query(READ, &[])).await.unwrap_err();
        assert!(is_down(&error), "{error}");
        node.resume().await.unwrap();
        eventually("the tenant is served again", || async {
            tenant.query(READ, &[]).await.is_ok()
        })
        .await;
    }
}

#[tokio::test]
async fn a_server_that_is_full_serves_with_the_sessions_it_has() {
    let cluster = TestCluster::builder()
        .workers(0)
        .backend(BackendChoice::Postgres);
    let servers = cluster.start().await.unwrap();
    let node = servers.coordinator();
    let admin = node.connect().await.unwrap();
    admin
        .batch_execute("CREATE ROLE few LOGIN CONNECTION LIMIT 2")
        .await
        .unwrap();
    for pool in pools() {
        let url = format!("postgresql://few@{}:{}/postgres", node.host(), node.port());
        let config = Config::new(&url)
            .unwrap()
            .pool(pool)
            .pool_size(8)
            .acquire_timeout(LONG);
        let cluster = connect(config).await;
        eventually("the metadata have been read", || async {
            let sql = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'few'";
            admin.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) == 0
        })
        .await;
        let unscoped = cluster.unscoped("test");
        let work = (0..16).map(|_| unscoped.query("SELECT pg_sleep(0.05)", &[]));
        bounded(try_join_all(work)).await.unwrap();
        assert!(cluster.pools()[0].size <= 3);
        assert!(cluster.pools()[0].connect_failures > 0);
        cluster.close(LONG).await;
    }
}

#[tokio::test]
async fn closing_waits_for_those_who_work_and_lets_nobody_begin() {
    let database = database().await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool).pool_size(1)).await;
        let tenant = cluster.tenant(1);
        let transaction = tenant.begin().await.unwrap();
        let sql = "INSERT INTO projects (id) VALUES (7)";
        transaction.execute(sql, &[]).await.unwrap();
        let waiting = tokio::spawn({
            let tenant = tenant.clone();
            async move { tenant.query(READ, &[]).await }
        });
        eventually("it waits", || async { status(&cluster, 1).waiting == 1 }).await;
        let closing = tokio::spawn({
            let cluster = cluster.clone();
            async move { cluster.close(LONG).await }
        });
        let error = bounded(waiting).await.unwrap().unwrap_err();
        assert!(matches!(error, RequestError::ClusterClosed), "{error}");
        let error = bounded(tenant.query(READ, &[])).await.unwrap_err();
        assert!(matches!(error, RequestError::ClusterClosed), "{error}");
        assert!(!error.was_sent() && !error.is_retryable());
        // Also on nodes that nobody has used before.
        for other in 0..100 {
            let error = bounded(cluster.tenant(other).query(READ, &[]))
                .await
                .unwrap_err();
            assert!(matches!(error, RequestError::ClusterClosed), "{error}");
        }
        transaction
            .execute("DELETE FROM projects", &[])
            .await
            .unwrap();
        assert!(!closing.is_finished());
        transaction.commit().await.unwrap();
        assert_eq!(bounded(closing).await.unwrap(), 0);
        eventually("there is no session", || async {
            sessions(&database, "true").await == 0
        })
        .await;
    }
}

#[tokio::test]
async fn closing_ends_what_is_left_at_the_deadline() {
    let database = database().await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool)).await;
        let unscoped = cluster.unscoped("test");
        let asleep = tokio::spawn(async move { unscoped.query("SELECT pg_sleep(600)", &[]).await });
        let is_asleep = "state = 'active' AND query LIKE '%pg_sleep%'";
        eventually("it runs", || async {
            sessions(&database, is_asleep).await == 1
        })
        .await;
        let held = cluster.tenant(1).begin().await.unwrap();
        assert_eq!(bounded(cluster.close(Duration::from_millis(100))).await, 2);
        let error = bounded(asleep).await.unwrap().unwrap_err();
        assert!(error.was_sent() && !error.is_retryable(), "{error}");
        bounded(held.query(READ, &[])).await.unwrap_err();
        eventually("there is no session", || async {
            sessions(&database, "true").await == 0
        })
        .await;
        assert_eq!(bounded(cluster.close(LONG)).await, 0);
    }
}
