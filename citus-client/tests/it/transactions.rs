//! Transactions and savepoints of a tenant.

use citus_client::{IsolationLevel, RequestError, SqlState, Tenant, Transaction};
use futures_util::TryStreamExt;

use crate::support::{bounded, config, connect, database, eventually, pools, sessions};

const INSERT: &str = "INSERT INTO projects (id, name) VALUES ($1, 'x')";

async fn ids(tenant: &Tenant) -> Vec<i64> {
    let rows = bounded(tenant.query("SELECT id FROM projects ORDER BY id", &[]))
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn insert(transaction: &Transaction<'_>, id: i64) {
    assert_eq!(transaction.execute(INSERT, &[&id]).await.unwrap(), 1);
}

#[tokio::test]
async fn commit_keeps_and_rollback_discards() {
    let database = database().await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool).pool_size(1)).await;
        let tenant = cluster.tenant(11);
        tenant.execute("DELETE FROM projects", &[]).await.unwrap();
        let transaction = tenant.begin().await.unwrap();
        insert(&transaction, 1).await;
        transaction.commit().await.unwrap();
        let transaction = tenant.begin().await.unwrap();
        insert(&transaction, 2).await;
        transaction.rollback().await.unwrap();
        assert_eq!(ids(&tenant).await, [1]);
    }
}

#[tokio::test]
async fn savepoints_nest() {
    let database = database().await;
    let cluster = connect(config(&database).pool_size(1)).await;
    let tenant = cluster.tenant(12);
    let mut transaction = tenant.begin().await.unwrap();
    insert(&transaction, 1).await;
    {
        let mut savepoint = transaction.savepoint().await.unwrap();
        insert(&savepoint, 2).await;
        {
            let inner = savepoint.savepoint().await.unwrap();
            insert(&inner, 3).await;
            inner.rollback().await.unwrap();
        }
        let inner = savepoint.savepoint().await.unwrap();
        insert(&inner, 4).await;
        inner.commit().await.unwrap();
        savepoint.commit().await.unwrap();
    }
    {
        // Dropped without an end, with one inside of it.
        let mut savepoint = transaction.savepoint().await.unwrap();
        insert(&savepoint, 5).await;
        let inner = savepoint.savepoint().await.unwrap();
        insert(&inner, 6).await;
    }
    insert(&transaction, 7).await;
    transaction.commit().await.unwrap();
    assert_eq!(ids(&tenant).await, [1, 2, 4, 7]);
}

#[tokio::test]
async fn a_savepoint_dropped_last_is_undone_by_commit() {
    let database = database().await;
    let cluster = connect(config(&database).pool_size(1)).await;
    let tenant = cluster.tenant(13);
    let mut transaction = tenant.begin().await.unwrap();
    insert(&transaction, 1).await;
    let savepoint = transaction.savepoint().await.unwrap();
    insert(&savepoint, 2).await;
    let error = savepoint.execute(INSERT, &[&2_i64]).await.unwrap_err();
    assert_eq!(error.sql_state(), Some(&SqlState::UNIQUE_VIOLATION));
    drop(savepoint);
    transaction.commit().await.unwrap();
    assert_eq!(ids(&tenant).await, [1]);
}

#[tokio::test]
async fn a_commit_after_a_failed_statement_is_no_success() {
    let database = database().await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool).pool_size(1)).await;
        let tenant = cluster.tenant(14);
        let transaction = tenant.begin().await.unwrap();
        insert(&transaction, 1).await;
        transaction.execute(INSERT, &[&1_i64]).await.unwrap_err();
        let error = transaction.commit().await.unwrap_err();
        assert!(matches!(error, RequestError::Aborted { .. }), "{error}");
        assert_eq!(ids(&tenant).await, [0; 0]);
        // After a savepoint that caught the failure it is one.
        let mut transaction = tenant.begin().await.unwrap();
        insert(&transaction, 1).await;
        let savepoint = transaction.savepoint().await.unwrap();
        savepoint.execute(INSERT, &[&1_i64]).await.unwrap_err();
        assert!(matches!(
            savepoint.commit().await,
            Err(RequestError::Aborted { .. })
        ));
        transaction.commit().await.unwrap();
        assert_eq!(ids(&tenant).await, [1]);
        tenant.execute("DELETE FROM projects", &[]).await.unwrap();
    }
}

#[tokio::test]
async fn a_constraint_that_is_checked_at_commit_fails_the_commit() {
    let database = database().await;
    let cluster = connect(config(&database).pool_size(1)).await;
    database
        .migrate("ALTER TABLE tasks ALTER CONSTRAINT tasks_tenant_id_project_id_fkey INITIALLY DEFERRED;")
        .await
        .ok();
    let tenant = cluster.tenant(15);
    let transaction = tenant.begin().await.unwrap();
    let sql = "INSERT INTO tasks (id, project_id) VALUES (1, 99)";
    let result = match transaction.execute(sql, &[]).await {
        Ok(_) => transaction.commit().await,
        // Where the constraint could not be deferred.
        Err(error) => {
            drop(transaction);
            Err(error)
        }
    };
    assert_eq!(
        result.unwrap_err().sql_state(),
        Some(&SqlState::FOREIGN_KEY_VIOLATION)
    );
    assert_eq!(ids(&tenant).await, [0; 0]);
}

#[tokio::test]
async fn options_of_begin_reach_the_server() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    let transaction = cluster
        .tenant(16)
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await
        .unwrap();
    let sql = "SELECT session_setting('transaction_isolation')";
    let row = transaction.query_one(sql, &[]).await.unwrap();
    assert_eq!(row.get::<_, String>(0), "repeatable read");
    let error = transaction.execute(INSERT, &[&1_i64]).await.unwrap_err();
    assert_eq!(
        error.sql_state(),
        Some(&SqlState::READ_ONLY_SQL_TRANSACTION)
    );
}

#[tokio::test]
async fn statements_of_one_transaction_can_be_made_at_once() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    let tenant = cluster.tenant(17);
    let transaction = tenant.begin().await.unwrap();
    let insert = |id: i64| {
        let transaction = &transaction;
        async move { transaction.execute(INSERT, &[&id]).await }
    };
    let (one, two, three) = tokio::join!(insert(1), insert(2), insert(3));
    assert_eq!(one.unwrap() + two.unwrap() + three.unwrap(), 3);
    let rows = transaction
        .query_raw("SELECT id FROM projects", &[])
        .await
        .unwrap();
    assert_eq!(rows.try_collect::<Vec<_>>().await.unwrap().len(), 3);
    transaction.commit().await.unwrap();
    assert_eq!(ids(&tenant).await, [1, 2, 3]);
}

#[tokio::test]
async fn a_dropped_statement_ends_the_transaction() {
    let database = database().await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool).pool_size(1)).await;
        let tenant = cluster.tenant(18);
        let transaction = tenant.begin().await.unwrap();
        insert(&transaction, 1).await;
        let rows = transaction
            .query_raw("SELECT id FROM projects", &[])
            .await
            .unwrap();
        drop(rows);
        let error = transaction.execute(INSERT, &[&2_i64]).await.unwrap_err();
        assert!(matches!(error, RequestError::Closed { .. }), "{error}");
        let error = transaction.commit().await.unwrap_err();
        assert!(matches!(error, RequestError::Closed { .. }), "{error}");
        assert_eq!(ids(&tenant).await, [0; 0]);
        eventually("no transaction is open", || async {
            sessions(&database, "state LIKE 'idle in transaction%'").await == 0
        })
        .await;
    }
}

#[tokio::test]
async fn a_lost_connection_at_commit_is_not_a_failure_but_unknown() {
    let database = database().await;
    let cluster = connect(config(&database).pool_size(1)).await;
    let tenant = cluster.tenant(19);
    let transaction = tenant.begin().await.unwrap();
    insert(&transaction, 1).await;
    let backend = transaction
        .query_one("SELECT backend()", &[])
        .await
        .unwrap()
        .get::<_, i32>(0);
    for node in database.nodes() {
        let client = node.connect().await.unwrap();
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE pid = $1 AND application_name = $2";
        client
            .execute(sql, &[&backend, &crate::support::name(&database)])
            .await
            .unwrap();
    }
    let error = transaction.commit().await.unwrap_err();
    assert!(!error.is_retryable(), "{error}");
    assert_eq!(ids(&tenant).await, [0; 0]);
}
