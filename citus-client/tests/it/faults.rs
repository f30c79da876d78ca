//! Nodes that stop, hang and come back.

use std::time::Duration;

use citus_client::{Cluster, NodeError, RequestError, RetryPolicy, SqlState};
use citus_testkit::TestCluster;

use crate::support::{bounded, config, connect, database, database_on, eventually, name, pools};

/// A tenant whose rows are on a worker.
fn tenant_on_a_worker(cluster: &Cluster) -> (i64, u16) {
    let coordinator = cluster.topology().coordinator().address().port;
    (0..1000)
        .map(|tenant| (tenant, cluster.route("projects", tenant).unwrap().node.port))
        .find(|(_, port)| *port != coordinator)
        .unwrap()
}

#[tokio::test]
async fn a_node_that_stops_is_an_error_at_once_and_comes_back() {
    let servers = TestCluster::builder().workers(2).start().await.unwrap();
    let database = database_on(&servers).await;
    for pool in pools() {
        // What is shown is what callers would see.
        let config = config(&database).pool(pool).retry(RetryPolicy::never());
        let cluster = connect(config).await;
        let (id, port) = tenant_on_a_worker(&cluster);
        let tenant = cluster.tenant(id);
        tenant.query("SELECT id FROM projects", &[]).await.unwrap();
        let node = servers.nodes().find(|node| node.port() == port).unwrap();
        node.stop_hard().await.unwrap();
        // The first may meet the connection that is gone, others find no server.
        let _ = bounded(tenant.query("SELECT id FROM projects", &[]))
            .await
            .unwrap_err();
        let error = bounded(tenant.query("SELECT id FROM projects", &[]))
            .await
            .unwrap_err();
        assert!(
            matches!(
                error,
                RequestError::Node(NodeError::Refused { .. } | NodeError::Down { .. })
            ),
            "{error}"
        );
        assert!(error.is_retryable() && !error.was_sent());
        // Tenants of other nodes do not notice.
        let other =
            (0..1000).find(|other| cluster.route("projects", *other).unwrap().node.port != port);
        bounded(
            cluster
                .tenant(other.unwrap())
                .query("SELECT id FROM projects", &[]),
        )
        .await
        .unwrap();
        node.start().await.unwrap();
        eventually("the tenant is served again", || async {
            tenant.query("SELECT id FROM projects", &[]).await.is_ok()
        })
        .await;
    }
}

#[tokio::test]
async fn a_node_that_hangs_is_an_error_in_time() {
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
        let (id, port) = tenant_on_a_worker(&cluster);
        let tenant = cluster.tenant(id);
        tenant.query("SELECT id FROM projects", &[]).await.unwrap();
        let node = servers.nodes().find(|node| node.port() == port).unwrap();
        node.pause().await.unwrap();
        let error = bounded(tenant.query("SELECT id FROM projects", &[]))
            .await
            .unwrap_err();
        assert!(matches!(error, RequestError::Timeout { .. }), "{error}");
        let error = bounded(tenant.query("SELECT id FROM projects", &[]))
            .await
            .unwrap_err();
        assert!(!error.was_sent(), "{error}");
        node.resume().await.unwrap();
        eventually("the tenant is served again", || async {
            tenant.query("SELECT id FROM projects", &[]).await.is_ok()
        })
        .await;
    }
}

#[tokio::test]
async fn tenants_are_served_while_the_coordinator_is_down() {
    let servers = TestCluster::builder().workers(2).start().await.unwrap();
    if !servers.is_citus() {
        return;
    }
    let database = database_on(&servers).await;
    let cluster = connect(config(&database).refresh_every(Duration::from_millis(200))).await;
    let (id, _) = tenant_on_a_worker(&cluster);
    let tenant = cluster.tenant(id);
    servers.coordinator().stop_hard().await.unwrap();
    // Also after the topology has been read from a worker.
    bounded(cluster.refresh()).await.unwrap();
    for number in 0..5_i64 {
        let sql = "INSERT INTO projects (id) VALUES ($1)";
        bounded(tenant.execute(sql, &[&number])).await.unwrap();
    }
    assert_eq!(
        tenant
            .query("SELECT id FROM projects", &[])
            .await
            .unwrap()
            .len(),
        5
    );
    let error = bounded(cluster.unscoped("test").query("SELECT 1", &[]))
        .await
        .unwrap_err();
    assert!(matches!(error, RequestError::Node(_)), "{error}");
    // Any node is good enough to begin with.
    let worker = Cluster::connect(&database.node_urls()[1]).await.unwrap();
    assert_eq!(
        worker
            .tenant(id)
            .query("SELECT id FROM projects", &[])
            .await
            .unwrap()
            .len(),
        5
    );
    servers.coordinator().start().await.unwrap();
    eventually("the coordinator answers", || async {
        cluster
            .unscoped("test")
            .query("SELECT 1", &[])
            .await
            .is_ok()
    })
    .await;
}

#[tokio::test]
async fn a_session_that_is_ended_by_the_server_is_replaced() {
    let database = database().await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool).pool_size(1)).await;
        let tenant = cluster.tenant(1);
        let backend = tenant
            .query_one("SELECT backend()", &[])
            .await
            .unwrap()
            .get::<_, i32>(0);
        for node in database.nodes() {
            let client = node.connect().await.unwrap();
            let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                       WHERE application_name = $1 AND pid = $2";
            client
                .execute(sql, &[&name(&database), &backend])
                .await
                .unwrap();
        }
        if let Err(error) = tenant.query("SELECT 1", &[]).await {
            // In the moment before the end of the session was noticed.
            let ended = error
                .sql_state()
                .is_none_or(|state| *state == SqlState::ADMIN_SHUTDOWN);
            assert!(ended, "{error}");
        }
        let next = bounded(tenant.query_one("SELECT backend()", &[]))
            .await
            .unwrap();
        assert_ne!(next.get::<_, i32>(0), backend);
    }
}

#[tokio::test]
async fn nobody_listens() {
    let error = bounded(Box::pin(Cluster::connect(
        "postgresql://me@127.0.0.1:1/app",
    )))
    .await;
    let error = error.unwrap_err().to_string();
    assert!(
        error.starts_with("no connection to 127.0.0.1:1: "),
        "{error}"
    );
}
