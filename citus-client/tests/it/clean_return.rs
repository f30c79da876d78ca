//! Whatever becomes of a request: the next borrower of its connection finds it idle and clean, or
//! gets another one. Pools of one connection make the next borrower meet it.

use std::time::Duration;

use citus_client::RequestError;
use futures_util::{FutureExt, TryStreamExt};
use tokio::time::timeout;

use crate::support::{bounded, config, connect, database, eventually, pools, sessions};

const SHORT: Duration = Duration::from_millis(50);

#[tokio::test]
async fn a_transaction_that_is_dropped_is_rolled_back_before_the_next_request() {
    let database = database().await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool).pool_size(1)).await;
        let tenant = cluster.tenant(1);
        let transaction = tenant.begin().await.unwrap();
        transaction
            .execute("INSERT INTO projects (id) VALUES (1)", &[])
            .await
            .unwrap();
        drop(transaction);
        let rows = bounded(tenant.query("SELECT id FROM projects", &[]))
            .await
            .unwrap();
        assert!(rows.is_empty());
        // Were it inside of a transaction, this would be lost.
        tenant
            .execute("INSERT INTO projects (id) VALUES (2)", &[])
            .await
            .unwrap();
        assert_eq!(
            sessions(&database, "state LIKE 'idle in transaction%'").await,
            0
        );
        drop(cluster);
        let cluster = connect(config(&database).pool(pool)).await;
        let deleted = cluster
            .tenant(1)
            .execute("DELETE FROM projects", &[])
            .await
            .unwrap();
        assert_eq!(deleted, 1);
    }
}

#[tokio::test]
async fn a_transaction_begun_by_hand_never_reaches_the_pool() {
    let database = database().await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool).pool_size(1)).await;
        let unscoped = cluster.unscoped("test");
        unscoped.execute("BEGIN", &[]).await.unwrap();
        unscoped
            .execute("CREATE TABLE by_hand ()", &[])
            .await
            .unwrap();
        let sql = "SELECT to_regclass('by_hand') IS NOT NULL";
        assert!(
            bounded(unscoped.query_one(sql, &[]))
                .await
                .unwrap()
                .get::<_, bool>(0)
        );
        assert_eq!(
            sessions(&database, "state LIKE 'idle in transaction%'").await,
            0
        );
        unscoped.execute("DROP TABLE by_hand", &[]).await.unwrap();
    }
}

#[tokio::test]
async fn settings_of_an_unscoped_session_do_not_stay() {
    let database = database().await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool).pool_size(1)).await;
        let unscoped = cluster.unscoped("test");
        unscoped
            .execute("SET search_path = pg_catalog", &[])
            .await
            .unwrap();
        unscoped
            .execute("SET plan_cache_mode = auto", &[])
            .await
            .unwrap();
        unscoped
            .execute("SELECT pg_advisory_lock(7)", &[])
            .await
            .unwrap();
        let setting = |name: &'static str| {
            let unscoped = unscoped.clone();
            async move {
                let row = unscoped
                    .query_one("SELECT current_setting($1)", &[&name])
                    .await
                    .unwrap();
                row.get::<_, String>(0)
            }
        };
        assert_eq!(setting("search_path").await.replace('"', ""), "public");
        assert_eq!(setting("plan_cache_mode").await, "force_custom_plan");
        let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 \
                     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        assert_eq!(
            unscoped
                .query_one(locks, &[])
                .await
                .unwrap()
                .get::<_, i64>(0),
            0
        );
    }
}

#[tokio::test]
async fn a_query_that_is_dropped_is_stopped_and_delays_nobody() {
    let database = database().await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool).pool_size(1)).await;
        let unscoped = cluster.unscoped("test");
        assert!(
            timeout(SHORT, unscoped.query("SELECT pg_sleep(600)", &[]))
                .await
                .is_err()
        );
        bounded(unscoped.query("SELECT 1", &[])).await.unwrap();
        eventually("the query is cancelled", || async {
            sessions(&database, "state = 'active' AND query LIKE '%pg_sleep%'").await == 0
        })
        .await;
    }
}

#[tokio::test]
async fn a_write_that_is_dropped_while_it_waits_is_not_done_later() {
    let database = database().await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool).pool_size(1)).await;
        let tenant = cluster.tenant(3);
        tenant.execute("DELETE FROM projects", &[]).await.unwrap();
        tenant
            .execute("INSERT INTO projects (id, name) VALUES (1, 'a')", &[])
            .await
            .unwrap();

        let second = connect(config(&database).pool(pool)).await;
        let blocker = second.tenant(3).begin().await.unwrap();
        blocker
            .execute("UPDATE projects SET name = 'b'", &[])
            .await
            .unwrap();
        let update = tenant.execute("UPDATE projects SET name = 'c'", &[]);
        assert!(timeout(Duration::from_millis(300), update).await.is_err());
        // The one connection is gone, so this is on another one.
        let name = bounded(tenant.query_one("SELECT name FROM projects", &[]))
            .await
            .unwrap();
        assert_eq!(name.get::<_, String>(0), "a");
        eventually("the write is cancelled", || async {
            sessions(&database, "wait_event_type = 'Lock'").await == 0
        })
        .await;
        blocker.commit().await.unwrap();
        let name = tenant
            .query_one("SELECT name FROM projects", &[])
            .await
            .unwrap();
        assert_eq!(name.get::<_, String>(0), "b");
    }
}

#[tokio::test]
async fn a_query_that_takes_too_long_is_an_error_and_stopped() {
    let database = database().await;
    for pool in pools() {
        let limit = Duration::from_millis(300);
        let cluster = connect(
            config(&database)
                .pool(pool)
                .pool_size(1)
                .query_timeout(limit),
        )
        .await;
        let unscoped = cluster.unscoped("test");
        let error = unscoped
            .query("SELECT pg_sleep(600)", &[])
            .await
            .unwrap_err();
        assert!(
            matches!(error, RequestError::Timeout { after, .. } if after == limit),
            "{error}"
        );
        assert!(error.was_sent() && !error.is_retryable());
        bounded(unscoped.query("SELECT 1", &[])).await.unwrap();
        eventually("the query is cancelled", || async {
            sessions(&database, "state = 'active' AND query LIKE '%pg_sleep%'").await == 0
        })
        .await;
    }
}

#[tokio::test]
async fn a_stream_that_is_dropped_delays_nobody() {
    let database = database().await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool).pool_size(1)).await;
        let unscoped = cluster.unscoped("test");
        let sql = "SELECT repeat('x', 1000) FROM generate_series(1, 10000000)";
        let mut rows = unscoped.query_raw(sql, &[]).await.unwrap();
        assert!(rows.try_next().await.unwrap().is_some());
        drop(rows);
        bounded(unscoped.query("SELECT 1", &[])).await.unwrap();
        eventually("the query is cancelled", || async {
            sessions(
                &database,
                "state = 'active' AND query LIKE '%generate_series%'",
            )
            .await
                == 0
        })
        .await;
    }
}

#[tokio::test]
async fn a_stream_whose_server_falls_silent_ends_with_an_error() {
    let database = database().await;
    let limit = Duration::from_millis(300);
    let cluster = connect(config(&database).pool_size(1).query_timeout(limit)).await;
    let unscoped = cluster.unscoped("test");
    let sql = "SELECT pg_sleep(CASE WHEN i < 100 THEN 0 ELSE 600 END), repeat('x', 1000) \
               FROM generate_series(1, 200) i";
    let rows = unscoped.query_raw(sql, &[]).await.unwrap();
    let error = bounded(rows.try_for_each(|_| async { Ok(()) }))
        .await
        .unwrap_err();
    assert!(matches!(error, RequestError::Timeout { .. }), "{error}");
    bounded(unscoped.query("SELECT 1", &[])).await.unwrap();
}

#[tokio::test]
async fn cancelled_prepares_leave_no_statement_behind() {
    let database = database().await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool).pool_size(1)).await;
        let tenant = cluster.tenant(4);
        for number in 0..30 {
            tenant.query("SELECT 1", &[]).await.unwrap();
            // The connection is free, so the first poll sends the prepare.
            let sql = format!("SELECT {number} FROM projects");
            assert!(tenant.query(&sql, &[]).now_or_never().is_none());
        }
        let count = tenant
            .query_one("SELECT prepared_about($1)", &[&"projects"])
            .await
            .unwrap();
        assert_eq!(count.get::<_, i64>(0), 0);
        eventually("there is one session", || async {
            sessions(&database, "query LIKE '%projects%' OR query = ''").await <= 1
        })
        .await;
    }
}

#[tokio::test]
async fn prepared_statements_are_bounded() {
    let database = database().await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool).pool_size(1).statement_cache(8)).await;
        let tenant = cluster.tenant(4);
        for number in 0..50 {
            let sql = format!("SELECT {number} FROM projects");
            tenant.query(&sql, &[]).await.unwrap();
        }
        let count = tenant
            .query_one("SELECT prepared_statements()", &[])
            .await
            .unwrap();
        assert_eq!(count.get::<_, i64>(0), 8);
        // One that is used stays.
        let backend = tenant
            .query_one("SELECT backend()", &[])
            .await
            .unwrap()
            .get::<_, i32>(0);
        let again = tenant
            .query_one("SELECT backend()", &[])
            .await
            .unwrap()
            .get::<_, i32>(0);
        assert_eq!(backend, again);
    }
}

#[tokio::test]
async fn a_table_that_changes_is_read_anew() {
    let database = database().await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool).pool_size(1)).await;
        let tenant = cluster.tenant(4);
        tenant.execute("DELETE FROM projects", &[]).await.unwrap();
        tenant
            .execute("INSERT INTO projects (id, name) VALUES (1, 'a')", &[])
            .await
            .unwrap();
        let sql = "SELECT * FROM projects";
        let columns = tenant.query_one(sql, &[]).await.unwrap().len();
        let column = format!("extra_{pool:?}");
        let migration = format!("ALTER TABLE projects ADD COLUMN {column} text DEFAULT 'new';");
        database.migrate(&migration).await.unwrap();
        for _ in 0..3 {
            assert_eq!(tenant.query_one(sql, &[]).await.unwrap().len(), columns + 1);
        }
        // In a transaction the server has given up by then; the next one is fine.
        database
            .migrate(&format!("ALTER TABLE projects DROP COLUMN {column};"))
            .await
            .unwrap();
        let transaction = tenant.begin().await.unwrap();
        let error = transaction.query(sql, &[]).await.unwrap_err();
        assert_eq!(
            error.sql_state(),
            Some(&citus_client::SqlState::FEATURE_NOT_SUPPORTED)
        );
        assert!(matches!(
            transaction.commit().await,
            Err(RequestError::Aborted { .. })
        ));
        let transaction = tenant.begin().await.unwrap();
        assert_eq!(
            transaction.query_one(sql, &[]).await.unwrap().len(),
            columns
        );
        transaction.commit().await.unwrap();
    }
}

#[tokio::test]
async fn waiting_for_a_connection_ends() {
    let database = database().await;
    for pool in pools() {
        let limit = Duration::from_millis(300);
        let config = config(&database)
            .pool(pool)
            .pool_size(1)
            .acquire_timeout(limit);
        let cluster = connect(config).await;
        let tenant = cluster.tenant(4);
        let transaction = tenant.begin().await.unwrap();
        let error = bounded(tenant.query("SELECT 1", &[])).await.unwrap_err();
        assert!(matches!(error, RequestError::PoolTimeout { .. }), "{error}");
        assert!(error.is_retryable() && !error.was_sent());
        transaction.commit().await.unwrap();
        bounded(tenant.query("SELECT 1", &[])).await.unwrap();
    }
}
