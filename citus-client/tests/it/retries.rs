//! What is repeated, and what is not.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use citus_client::{IsolationLevel, RequestError, RetryPolicy, SqlState};
use citus_testkit::{TestCluster, TestDatabase};

use crate::support::{
    bounded, config, connect, database, database_on, eventually, name, pools, sessions,
};

#[tokio::test]
async fn statements_wait_for_a_node_that_restarts() {
    let servers = TestCluster::builder().workers(1).start().await.unwrap();
    let database = database_on(&servers).await;
    for pool in pools() {
        let patient = RetryPolicy::default()
            .attempts(1000)
            .within(Duration::from_secs(60))
            .pauses(Duration::from_millis(10), Duration::from_millis(100));
        let cluster = connect(config(&database).pool(pool).retry(patient)).await;
        let tenant = cluster.tenant(1);
        tenant.execute("DELETE FROM projects", &[]).await.unwrap();
        let port = cluster.route("projects", 1).unwrap().node.port;
        let node = servers.nodes().find(|node| node.port() == port).unwrap();
        node.stop_hard().await.unwrap();
        // The first attempt may still meet the connection that is gone.
        let tenant = tenant.idempotent();
        let write = tokio::spawn({
            let tenant = tenant.clone();
            async move {
                tenant
                    .execute("INSERT INTO projects (id) VALUES (1)", &[])
                    .await
            }
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!write.is_finished());
        node.start().await.unwrap();
        assert_eq!(bounded(write).await.unwrap().unwrap(), 1);
        let rows = tenant.query("SELECT id FROM projects", &[]).await.unwrap();
        assert_eq!(rows.len(), 1);
    }
}

/// Ends a session of the driver that waits for a lock.
async fn end_waiting_session(database: &TestDatabase) {
    eventually("a session waits", || async {
        let mut ended = 0;
        for node in database.nodes() {
            let client = node.connect().await.unwrap();
            let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                       WHERE application_name = $1 AND wait_event_type = 'Lock'";
            ended += client.query(sql, &[&name(database)]).await.unwrap().len();
        }
        ended > 0
    })
    .await;
}

#[tokio::test]
async fn what_reads_is_repeated_when_its_session_ends_and_a_write_is_not() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    let tenant = cluster.tenant(2);
    let insert = "INSERT INTO projects (id) VALUES (1)";
    tenant.execute(insert, &[]).await.unwrap();
    let update = "UPDATE projects SET name = 'x'";
    let read = "SELECT id FROM projects FOR UPDATE";
    for (tenant, sql, repeated) in [
        (tenant.clone(), update, false),
        (tenant.idempotent(), update, true),
        (tenant.clone(), read, true),
    ] {
        let holder = tenant.begin().await.unwrap();
        holder.execute(update, &[]).await.unwrap();
        let end = async {
            end_waiting_session(&database).await;
            if repeated {
                let waits = || async { sessions(&database, "wait_event_type = 'Lock'").await > 0 };
                eventually("it waits again", waits).await;
            }
            holder.commit().await.unwrap();
        };
        let (done, ()) = bounded(async { tokio::join!(tenant.execute(sql, &[]), end) }).await;
        if repeated {
            assert_eq!(done.unwrap(), 1, "{sql}");
        } else {
            let error = done.unwrap_err();
            assert!(error.was_sent() && !error.is_retryable(), "{error}");
        }
    }
}

#[tokio::test]
async fn a_transaction_is_run_again_after_a_serialization_failure() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    let tenant = cluster.tenant(3);
    let insert = "INSERT INTO projects (id, name) VALUES (1, '0')";
    tenant.execute(insert, &[]).await.unwrap();
    let (runs, other) = (&AtomicU32::new(0), &tenant);
    let raised = tenant
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .run(|transaction| async move {
            let sql = "SELECT name FROM projects WHERE id = 1";
            let name: String = transaction.query_one(sql, &[]).await?.get(0);
            if runs.fetch_add(1, Ordering::Relaxed) < 2 {
                // Somebody is faster.
                let sql = "UPDATE projects SET name = (name::int + 10)::text";
                other.execute(sql, &[]).await?;
            }
            let next = (name.parse::<i32>().unwrap() + 1).to_string();
            let sql = "UPDATE projects SET name = $1 WHERE id = 1";
            transaction.execute(sql, &[&next]).await
        });
    assert_eq!(bounded(raised).await.unwrap(), 1);
    assert_eq!(runs.load(Ordering::Relaxed), 3);
    let row = tenant
        .query_one("SELECT name FROM projects", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, &str>(0), "21");
}

#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("not allowed")]
    NotAllowed,
    #[error(transparent)]
    Request(#[from] RequestError),
}

#[tokio::test]
async fn a_transaction_that_its_caller_ends_is_rolled_back_and_not_run_again() {
    let database = database().await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool).pool_size(1)).await;
        let tenant = cluster.tenant(4);
        let runs = &AtomicU32::new(0);
        let ended = tenant.transaction(|transaction| async move {
            runs.fetch_add(1, Ordering::Relaxed);
            let insert = "INSERT INTO projects (id) VALUES (1)";
            transaction.execute(insert, &[]).await?;
            Err::<(), _>(Trouble::NotAllowed)
        });
        assert!(matches!(bounded(ended).await, Err(Trouble::NotAllowed)));
        assert_eq!(runs.load(Ordering::Relaxed), 1);
        let duplicate = tenant.transaction(|transaction| async move {
            let insert = "INSERT INTO projects (id) VALUES (1), (1)";
            Ok::<_, Trouble>(transaction.execute(insert, &[]).await?)
        });
        let Err(Trouble::Request(error)) = bounded(duplicate).await else {
            panic!("a key was given twice");
        };
        assert_eq!(error.sql_state(), Some(&SqlState::UNIQUE_VIOLATION));
        // A failure that was swallowed is no success.
        let swallowed = tenant.transaction(|transaction| async move {
            let insert = "INSERT INTO projects (id) VALUES (1), (1)";
            transaction.execute(insert, &[]).await.ok();
            Ok::<_, RequestError>(())
        });
        let error = bounded(swallowed).await.unwrap_err();
        assert!(matches!(error, RequestError::Aborted { .. }), "{error}");
        assert!(
            tenant
                .query("SELECT id FROM projects", &[])
                .await
                .unwrap()
                .is_empty()
        );
    }
}

#[tokio::test]
async fn deadlocked_transactions_both_come_to_their_end() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    let tenant = cluster.tenant(5);
    let insert = "INSERT INTO projects (id, name) VALUES (1, ''), (2, '')";
    tenant.execute(insert, &[]).await.unwrap();
    let both = std::sync::Arc::new(tokio::sync::Barrier::new(2));
    let run = |first: i64, second: i64| {
        let (tenant, both) = (tenant.clone(), both.clone());
        // Spawned: it has to be `Send`.
        tokio::spawn(async move {
            let (both, met) = (&both, &AtomicU32::new(0));
            tenant
                .transaction(|transaction| async move {
                    let update = "UPDATE projects SET name = name || 'x' WHERE id = $1";
                    transaction.execute(update, &[&first]).await?;
                    if met.fetch_add(1, Ordering::Relaxed) == 0 {
                        both.wait().await;
                    }
                    transaction.execute(update, &[&second]).await
                })
                .await
        })
    };
    let (one, other) = (run(1, 2), run(2, 1));
    assert_eq!(bounded(one).await.unwrap().unwrap(), 1);
    assert_eq!(bounded(other).await.unwrap().unwrap(), 1);
    let rows = tenant
        .query("SELECT name FROM projects", &[])
        .await
        .unwrap();
    assert!(rows.iter().all(|row| row.get::<_, &str>(0) == "xx"));
}

#[tokio::test]
async fn whoever_does_not_wait_for_locks_is_told_at_once() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    let tenant = cluster.tenant(6);
    tenant
        .execute("INSERT INTO projects (id) VALUES (1)", &[])
        .await
        .unwrap();
    let holder = tenant.begin().await.unwrap();
    holder
        .query("SELECT id FROM projects FOR UPDATE", &[])
        .await
        .unwrap();
    let runs = &AtomicU32::new(0);
    let error = tenant
        .transaction(|transaction| async move {
            runs.fetch_add(1, Ordering::Relaxed);
            transaction
                .query("SELECT id FROM projects FOR UPDATE NOWAIT", &[])
                .await
        })
        .await
        .unwrap_err();
    assert_eq!(
        error.sql_state(),
        Some(&SqlState::LOCK_NOT_AVAILABLE),
        "{error}"
    );
    assert_eq!(runs.load(Ordering::Relaxed), 1);
}
