//! A network that fails between the driver and the nodes.

use std::time::Duration;

use citus_client::{Cluster, Config, NodeError, RequestError, RetryPolicy, SqlState, SslMode};
use citus_testkit::{
    Cut, Direction, ErrorResponse, FaultProxy, Message, ProxiedCluster, Reaction, TestCluster,
    TestDatabase,
};

use crate::support::{bounded, config_through, connect, database, eventually, pools, sessions};

const SELECT: &str = "SELECT id FROM projects";
const INSERT: &str = "INSERT INTO projects (id) VALUES ($1)";
/// A limit that a test waits for.
const SHORT: Duration = Duration::from_millis(500);

/// A database of the shared cluster, with proxies of the test's own.
struct Stage {
    database: TestDatabase,
    proxied: ProxiedCluster,
}

impl Stage {
    async fn new() -> Self {
        Self {
            database: database().await,
            proxied: TestCluster::shared()
                .await
                .unwrap()
                .proxied()
                .await
                .unwrap(),
        }
    }

    /// Nothing is repeated, so that callers see what happened.
    fn config(&self) -> Config {
        config_through(&self.proxied, &self.database).retry(RetryPolicy::never())
    }

    /// The proxy before the node of a tenant.
    fn before(&self, cluster: &Cluster, tenant: i64) -> &FaultProxy {
        let node = cluster.route("projects", tenant).unwrap().node;
        self.proxied.on_port(node.port).unwrap()
    }

    /// A tenant whose node is none of the coordinator's.
    fn tenant_on_a_worker(&self, cluster: &Cluster) -> i64 {
        let coordinator = self.proxied.coordinator().port();
        let port = |tenant| self.before(cluster, tenant).port();
        (0..1000)
            .find(|tenant| port(*tenant) != coordinator)
            .unwrap()
    }

    /// How many rows a tenant has in fact, whatever the driver was told.
    async fn rows(&self, tenant: i64) -> i64 {
        let mut count = 0;
        // Each server has its own where they know nothing of each other.
        let nodes = if self.database.is_citus() {
            1
        } else {
            usize::MAX
        };
        for node in self.database.nodes().take(nodes) {
            let client = node.connect().await.unwrap();
            let sql = "SELECT count(*) FROM projects WHERE tenant_id = $1";
            let row = client.query_one(sql, &[&tenant]).await.unwrap();
            count += row.get::<_, i64>(0);
        }
        count
    }
}

#[tokio::test]
async fn a_read_whose_answer_is_cut_is_an_error_or_read_again() {
    let stage = Stage::new().await;
    for (pool, cut) in pools().into_iter().zip([Cut::Reset, Cut::Close]) {
        for policy in [RetryPolicy::never(), RetryPolicy::default()] {
            let cluster = connect(stage.config().pool(pool).retry(policy)).await;
            let (proxy, tenant) = (stage.before(&cluster, 1), cluster.tenant(1));
            tenant.execute("DELETE FROM projects", &[]).await.unwrap();
            for id in 0..3_i64 {
                tenant.execute(INSERT, &[&id]).await.unwrap();
            }
            tenant.query(SELECT, &[]).await.unwrap();
            let row = || Message::from_server(b'D').after(1);
            for reaction in [Reaction::CutInside(cut), Reaction::CutAfter(cut)] {
                let armed = proxy.on(row(), reaction);
                let result = bounded(tenant.query(SELECT, &[])).await;
                assert!(armed.has_fired());
                if policy == RetryPolicy::never() {
                    let error = result.unwrap_err();
                    assert!(matches!(error, RequestError::Lost { .. }), "{error}");
                    assert!(error.was_sent() && !error.is_retryable());
                } else {
                    assert_eq!(result.unwrap().len(), 3);
                }
                assert_eq!(tenant.query(SELECT, &[]).await.unwrap().len(), 3);
            }
        }
    }
}

#[tokio::test]
async fn a_write_whose_answer_is_cut_is_not_sent_again() {
    let stage = Stage::new().await;
    for (pool, tenant) in pools().into_iter().zip(1..) {
        let config = stage.config().pool(pool).retry(RetryPolicy::default());
        let cluster = connect(config).await;
        let proxy = stage.before(&cluster, tenant);
        let handle = cluster.tenant(tenant);
        let inserted = Message::from_server(b'C').containing("INSERT");
        let armed = proxy.on(inserted, Reaction::Cut(Cut::Reset));
        let error = bounded(handle.execute(INSERT, &[&1_i64]))
            .await
            .unwrap_err();
        assert!(matches!(error, RequestError::Lost { .. }), "{error}");
        assert!(error.was_sent() && !error.is_retryable());
        assert!(armed.has_fired());
        assert_eq!(stage.rows(tenant).await, 1);
        // One that never arrived looks the same to its caller.
        let bind = Message::from_client(b'B');
        proxy.on(bind, Reaction::Cut(Cut::Close));
        let error = bounded(handle.execute(INSERT, &[&2_i64]))
            .await
            .unwrap_err();
        assert!(!error.is_retryable(), "{error}");
        assert_eq!(stage.rows(tenant).await, 1);
        assert_eq!(handle.execute(INSERT, &[&3_i64]).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_commit_that_is_cut_is_unknown_whether_it_was_done_or_not() {
    let stage = Stage::new().await;
    let arrives_not = || Message::from_client(b'Q').containing("COMMIT");
    let is_done = || Message::from_server(b'C').containing("COMMIT");
    for (pool, tenant) in pools().into_iter().zip(1..) {
        let cluster = connect(stage.config().pool(pool)).await;
        let proxy = stage.before(&cluster, tenant);
        for (id, message, rows) in [(1_i64, arrives_not(), 0), (2, is_done(), 1)] {
            let armed = proxy.on(message, Reaction::Cut(Cut::Reset));
            let transaction = cluster.tenant(tenant).begin().await.unwrap();
            transaction.execute(INSERT, &[&id]).await.unwrap();
            let error = bounded(transaction.commit()).await.unwrap_err();
            assert!(
                matches!(error, RequestError::CommitUnknown { .. }),
                "{error}"
            );
            assert!(error.was_sent() && !error.is_retryable());
            assert!(armed.has_fired());
            assert_eq!(stage.rows(tenant).await, rows);
        }
    }
}

#[tokio::test]
async fn a_transaction_that_loses_its_connection_is_not_committed() {
    let stage = Stage::new().await;
    for (pool, tenant) in pools().into_iter().zip(1..) {
        let cluster = connect(stage.config().pool(pool)).await;
        let inserted = Message::from_server(b'C').containing("INSERT");
        let proxy = stage.before(&cluster, tenant);
        proxy.on(inserted, Reaction::Cut(Cut::Close));
        let transaction = cluster.tenant(tenant).begin().await.unwrap();
        let error = bounded(transaction.execute(INSERT, &[&1_i64])).await;
        assert!(matches!(error, Err(RequestError::Lost { .. })), "{error:?}");
        let error = bounded(transaction.execute(INSERT, &[&2_i64])).await;
        assert!(
            matches!(error, Err(RequestError::Closed { .. })),
            "{error:?}"
        );
        let error = bounded(transaction.commit()).await;
        assert!(
            matches!(error, Err(RequestError::Closed { .. })),
            "{error:?}"
        );
        assert_eq!(stage.rows(tenant).await, 0);
    }
}

#[tokio::test]
async fn a_request_in_a_black_hole_times_out_is_cancelled_and_the_pool_recovers() {
    let stage = Stage::new().await;
    for pool in pools() {
        let config = stage.config().pool(pool).pool_size(2);
        let config = config.query_timeout(SHORT).connect_timeout(SHORT);
        // Otherwise a request to cancel waits for the answer whether it may be encrypted.
        let config = config.ssl_mode(SslMode::Disable);
        let cluster = connect(config).await;
        let (proxy, tenant) = (stage.before(&cluster, 1), cluster.tenant(1));
        tenant.query(SELECT, &[]).await.unwrap();
        let before = proxy.counts().cancel_requests;
        // Answers are lost, so that the request to cancel still arrives.
        proxy.black_hole(Direction::ToClient);
        let error = bounded(tenant.query(SELECT, &[])).await.unwrap_err();
        assert!(matches!(error, RequestError::Timeout { .. }), "{error}");
        let error = bounded(tenant.query(SELECT, &[])).await.unwrap_err();
        assert!(!error.was_sent(), "{error}");
        eventually("the server is told to stop", || async {
            proxy.counts().cancel_requests > before
        })
        .await;
        proxy.heal().await;
        eventually("the tenant is served again", || async {
            tenant.query(SELECT, &[]).await.is_ok()
        })
        .await;
        eventually("nothing is left of it", || async {
            sessions(&stage.database, "state <> 'idle'").await == 0
        })
        .await;
    }
}

#[tokio::test]
async fn a_connection_that_is_half_open_is_replaced() {
    let stage = Stage::new().await;
    for pool in pools() {
        let cluster = connect(stage.config().pool(pool).pool_size(1)).await;
        let (proxy, tenant) = (stage.before(&cluster, 1), cluster.tenant(1));
        tenant.query(SELECT, &[]).await.unwrap();
        proxy.half_open();
        eventually("the server's side is gone", || async {
            sessions(&stage.database, "query LIKE 'SELECT%projects%'").await == 0
        })
        .await;
        // The driver cannot know before it sends.
        let error = bounded(tenant.query(SELECT, &[])).await.unwrap_err();
        assert!(matches!(error, RequestError::Lost { .. }), "{error}");
        bounded(tenant.query(SELECT, &[])).await.unwrap();
    }
}

#[tokio::test]
async fn an_error_of_the_server_is_told_with_its_state_and_nothing_was_done() {
    let stage = Stage::new().await;
    for (pool, tenant) in pools().into_iter().zip(1..) {
        let cluster = connect(stage.config().pool(pool).pool_size(1)).await;
        let proxy = stage.before(&cluster, tenant);
        let handle = cluster.tenant(tenant);
        handle.execute(INSERT, &[&0_i64]).await.unwrap();
        let bind = || Message::from_client(b'B');

        let serialization = ErrorResponse::new("40001");
        proxy.on(bind(), Reaction::Answer(serialization));
        let error = bounded(handle.execute(INSERT, &[&1_i64]))
            .await
            .unwrap_err();
        let expected = SqlState::T_R_SERIALIZATION_FAILURE;
        assert_eq!(error.sql_state(), Some(&expected));
        assert!(error.is_retryable());
        assert_eq!(stage.rows(tenant).await, 1);

        let shutdown = ErrorResponse::new("57P01").fatal();
        proxy.on(bind(), Reaction::Answer(shutdown));
        let error = bounded(handle.execute(INSERT, &[&2_i64]))
            .await
            .unwrap_err();
        assert_eq!(error.sql_state(), Some(&SqlState::ADMIN_SHUTDOWN));
        assert_eq!(stage.rows(tenant).await, 1);
        // Its connection is replaced.
        assert_eq!(bounded(handle.execute(INSERT, &[&3_i64])).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn what_the_server_refused_for_a_while_is_done_once() {
    let stage = Stage::new().await;
    for (pool, tenant) in pools().into_iter().zip(1..) {
        let config = stage.config().pool(pool).retry(RetryPolicy::default());
        let cluster = connect(config).await;
        let proxy = stage.before(&cluster, tenant);
        let handle = cluster.tenant(tenant);
        handle.execute(INSERT, &[&0_i64]).await.unwrap();
        for _ in 0..3 {
            let bind = Message::from_client(b'B');
            let serialization = ErrorResponse::new("40001");
            proxy.on(bind, Reaction::Answer(serialization));
        }
        assert_eq!(bounded(handle.execute(INSERT, &[&1_i64])).await.unwrap(), 1);
        assert_eq!(stage.rows(tenant).await, 2);
        // At the end of a transaction, too, which is run again as a whole.
        let commit = Message::from_client(b'Q').containing("COMMIT");
        let serialization = ErrorResponse::new("40001");
        let armed = proxy.on(commit, Reaction::Answer(serialization));
        let work = handle
            .transaction(|transaction| async move { transaction.execute(INSERT, &[&2_i64]).await });
        assert_eq!(bounded(work).await.unwrap(), 1);
        assert!(armed.has_fired());
        assert_eq!(stage.rows(tenant).await, 3);
    }
}

#[tokio::test]
async fn a_plan_that_has_become_stale_is_made_anew_unseen_but_in_no_transaction() {
    let stage = Stage::new().await;
    let outdated = || {
        let error = ErrorResponse::new("0A000").message("cached plan must not change result type");
        Reaction::Answer(error.routine("RevalidateCachedQuery"))
    };
    for (pool, tenant) in pools().into_iter().zip(1..) {
        let cluster = connect(stage.config().pool(pool).pool_size(1)).await;
        let proxy = stage.before(&cluster, tenant);
        let handle = cluster.tenant(tenant);
        handle.execute(INSERT, &[&0_i64]).await.unwrap();
        let armed = proxy.on(Message::from_client(b'B'), outdated());
        assert_eq!(bounded(handle.execute(INSERT, &[&1_i64])).await.unwrap(), 1);
        assert!(armed.has_fired());
        assert_eq!(stage.rows(tenant).await, 2);

        let transaction = handle.begin().await.unwrap();
        proxy.on(Message::from_client(b'B'), outdated());
        let error = bounded(transaction.execute(INSERT, &[&2_i64]))
            .await
            .unwrap_err();
        assert_eq!(error.sql_state(), Some(&SqlState::FEATURE_NOT_SUPPORTED));
        let error = bounded(transaction.commit()).await.unwrap_err();
        assert!(matches!(error, RequestError::Aborted { .. }), "{error}");
        assert_eq!(stage.rows(tenant).await, 2);
    }
}

#[tokio::test]
async fn a_node_that_hangs_holds_up_no_tenant_of_another() {
    let stage = Stage::new().await;
    for pool in pools() {
        let cluster = connect(stage.config().pool(pool).pool_size(2)).await;
        let slow = stage.tenant_on_a_worker(&cluster);
        let proxy = stage.before(&cluster, slow);
        let other = (0..1000).find(|other| stage.before(&cluster, *other).port() != proxy.port());
        let other = cluster.tenant(other.unwrap());
        other.query(SELECT, &[]).await.unwrap();
        cluster.tenant(slow).query(SELECT, &[]).await.unwrap();
        proxy.hold(Direction::Both);
        // More than its pool has connections.
        let waiting: Vec<_> = (0..10)
            .map(|_| {
                let tenant = cluster.tenant(slow);
                tokio::spawn(async move { tenant.query(SELECT, &[]).await })
            })
            .collect();
        for _ in 0..50 {
            bounded(other.query(SELECT, &[])).await.unwrap();
        }
        assert!(waiting.iter().any(|request| !request.is_finished()));
        proxy.heal().await;
        for request in waiting {
            // Those that found no connection in time are told so.
            if let Err(error) = bounded(request).await.unwrap() {
                assert!(!error.was_sent(), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn tenants_are_served_while_the_coordinator_is_in_a_black_hole() {
    let stage = Stage::new().await;
    if !stage.database.is_citus() {
        return;
    }
    for pool in pools() {
        let config = stage.config().pool(pool);
        let config = config.connect_timeout(SHORT).acquire_timeout(SHORT);
        let cluster = connect(config.query_timeout(Duration::from_secs(5))).await;
        let id = stage.tenant_on_a_worker(&cluster);
        let tenant = cluster.tenant(id);
        tenant.execute("DELETE FROM projects", &[]).await.unwrap();
        stage.proxied.coordinator().black_hole(Direction::Both);
        for number in 0..5_i64 {
            bounded(tenant.execute(INSERT, &[&number])).await.unwrap();
        }
        // The workers tell the topology, too.
        bounded(cluster.refresh()).await.unwrap();
        assert_eq!(bounded(tenant.query(SELECT, &[])).await.unwrap().len(), 5);
        let error = bounded(cluster.unscoped("test").query("SELECT 1", &[])).await;
        let error = error.unwrap_err();
        // Which of them depends on what was known of the node when it was asked for.
        let in_time = matches!(
            error,
            RequestError::Node(NodeError::Timeout { .. })
                | RequestError::PoolTimeout { .. }
                | RequestError::Timeout { .. }
        );
        assert!(in_time, "{error}");
        stage.proxied.coordinator().heal().await;
        eventually("the coordinator answers", || async {
            let unscoped = cluster.unscoped("test");
            unscoped.query("SELECT 1", &[]).await.is_ok()
        })
        .await;
    }
}
