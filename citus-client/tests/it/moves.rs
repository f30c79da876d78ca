//! Statements that wait on the owning node while their shard is split or moved. On Citus they go on with a
//! snapshot from before, in which the rows' new place is empty.

use std::future::Future;
use std::time::Duration;

use citus_client::{Cluster, IsolationLevel, RetryPolicy, Tenant};
use citus_testkit::{TestCluster, TestDatabase};
use tokio_postgres::Client;

use crate::support::{bounded, config, connect, database_on, eventually, sessions};

/// Splits the tenant off into a shard of its own; its rows stay on their node.
const ISOLATE: &str = "SELECT isolate_tenant_to_new_shard('projects', 1, 'CASCADE',
    shard_transfer_mode => 'block_writes')";

struct World {
    // Dropped before the servers.
    database: TestDatabase,
    _cluster: Cluster,
    tenant: Tenant,
    admin: Client,
    _servers: TestCluster,
}

/// A cluster of the test's own, where one tenant has three projects; `None` without Citus.
async fn world(retry: RetryPolicy) -> Option<World> {
    let servers = TestCluster::builder().workers(2).start().await.unwrap();
    if !servers.is_citus() {
        return None;
    }
    let database = database_on(&servers).await;
    let config = config(&database)
        .retry(retry)
        .refresh_every(Duration::from_secs(3600));
    let cluster = connect(config).await;
    let tenant = cluster.tenant(1);
    let insert = "INSERT INTO projects (id, name) VALUES (1, 'a'), (2, 'b'), (3, 'c')";
    tenant.execute(insert, &[]).await.unwrap();
    let admin = database.connect().await.unwrap();
    Some(World {
        database,
        _cluster: cluster,
        tenant,
        admin,
        _servers: servers,
    })
}

impl World {
    /// What the work gives when it waits for a split that is then done.
    async fn during_a_split<T>(&self, work: impl Future<Output = T>) -> T {
        self.admin.batch_execute("BEGIN").await.unwrap();
        self.admin.batch_execute(ISOLATE).await.unwrap();
        let split = async {
            eventually("the statement waits", || async {
                sessions(&self.database, "wait_event_type = 'Lock'").await > 0
            })
            .await;
            self.admin.batch_execute("COMMIT").await.unwrap();
        };
        bounded(Box::pin(async { tokio::join!(work, split).0 })).await
    }

    async fn names(&self) -> Vec<String> {
        let rows = self
            .tenant
            .query("SELECT name FROM projects ORDER BY id", &[])
            .await
            .unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }
}

#[tokio::test]
async fn an_update_that_waited_for_a_split_is_done() {
    for warm in [false, true] {
        let Some(world) = world(RetryPolicy::never()).await else {
            return;
        };
        if warm {
            // The shard is known from before.
            let sql = "UPDATE projects SET name = 'x' WHERE id = 9";
            assert_eq!(world.tenant.execute(sql, &[]).await.unwrap(), 0);
        }
        let update = "UPDATE projects SET name = 'x' WHERE id = 1";
        let updated = world.during_a_split(world.tenant.execute(update, &[]));
        assert_eq!(updated.await.unwrap(), 1);
        assert_eq!(world.names().await, ["x", "b", "c"]);
    }
}

#[tokio::test]
async fn rows_that_are_deleted_or_locked_after_a_split_are_given() {
    let Some(world) = world(RetryPolicy::never()).await else {
        return;
    };
    let delete = "DELETE FROM projects WHERE id = 1 RETURNING name";
    let deleted = world.during_a_split(world.tenant.query_one(delete, &[]));
    assert_eq!(deleted.await.unwrap().get::<_, &str>(0), "a");
    assert_eq!(world.names().await, ["b", "c"]);
}

#[tokio::test]
async fn in_a_transaction_an_update_that_waited_for_a_split_is_done() {
    let Some(world) = world(RetryPolicy::never()).await else {
        return;
    };
    let transaction = world.tenant.begin().await.unwrap();
    let update = "UPDATE projects SET name = 'x' WHERE id = 1";
    let updated = world.during_a_split(transaction.execute(update, &[]));
    assert_eq!(updated.await.unwrap(), 1);
    transaction.commit().await.unwrap();
    assert_eq!(world.names().await, ["x", "b", "c"]);
}

#[tokio::test]
async fn what_writes_what_it_reads_is_done_again_after_a_split() {
    let copy = "INSERT INTO projects (id, name) SELECT id + 10, name FROM projects WHERE id = 1";
    let count = "WITH d AS (DELETE FROM projects WHERE id = 2 RETURNING id)
                 INSERT INTO projects (id, name) SELECT 20, count(*)::text FROM d";
    for (sql, names) in [
        (copy, vec!["a", "b", "c", "a"]),
        (count, vec!["a", "c", "1"]),
    ] {
        let Some(world) = world(RetryPolicy::default()).await else {
            return;
        };
        let done = world.during_a_split(world.tenant.execute(sql, &[]));
        assert_eq!(done.await.unwrap(), 1, "{sql}");
        assert_eq!(world.names().await, names, "{sql}");
    }
}

#[tokio::test]
async fn a_transaction_that_wrote_what_it_read_is_run_again_after_a_split() {
    let Some(world) = world(RetryPolicy::default()).await else {
        return;
    };
    let copy = "INSERT INTO projects (id, name) SELECT 10, count(*)::text FROM projects";
    let done = world.during_a_split(
        world
            .tenant
            .transaction(async |transaction| transaction.execute(copy, &[]).await),
    );
    assert_eq!(done.await.unwrap(), 1);
    assert_eq!(world.names().await, ["a", "b", "c", "3"]);
}

#[tokio::test]
async fn a_transaction_of_one_snapshot_does_not_find_a_split_shard_empty() {
    for level in [IsolationLevel::RepeatableRead, IsolationLevel::Serializable] {
        let Some(world) = world(RetryPolicy::never()).await else {
            return;
        };
        let builder = || world.tenant.build_transaction().isolation_level(level);
        let transaction = builder().start().await.unwrap();
        let count = "SELECT count(*) FROM projects";
        let first: i64 = transaction.query_one(count, &[]).await.unwrap().get(0);
        assert_eq!(first, 3);
        bounded(world.admin.batch_execute(ISOLATE)).await.unwrap();
        let error = transaction.query_one(count, &[]).await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
        transaction.rollback().await.unwrap();
        // The shards are known again, and a new transaction sees all.
        eventually("the new shard is known", || async {
            let transaction = builder().start().await.unwrap();
            let count = transaction.query_one(count, &[]).await;
            count.is_ok_and(|row| row.get::<_, i64>(0) == 3)
        })
        .await;
    }
}

/// A statement without `RETURNING` gives no rows however many it changes.
#[tokio::test]
async fn an_update_that_is_asked_for_rows_is_done_once() {
    let database = crate::support::database().await;
    let cluster = connect(config(&database)).await;
    let tenant = cluster.tenant(1);
    let insert = "INSERT INTO projects (id, name) VALUES (1, '')";
    tenant.execute(insert, &[]).await.unwrap();
    // The first ones on this shard.
    let update = "UPDATE projects SET name = name || 'x'";
    assert!(tenant.query(update, &[]).await.unwrap().is_empty());
    assert!(tenant.query_opt(update, &[]).await.unwrap().is_none());
    let transaction = tenant.begin().await.unwrap();
    assert!(transaction.query(update, &[]).await.unwrap().is_empty());
    transaction.commit().await.unwrap();
    let row = tenant.query_one("SELECT name FROM projects", &[]).await;
    assert_eq!(row.unwrap().get::<_, &str>(0), "xxx");
}
