//! SQL that concerns all tenants.

use citus_client::RequestError;
use futures_util::TryStreamExt;

use crate::support::{Written, config, connect, database, pools};

#[tokio::test]
async fn it_goes_to_the_coordinator_as_it_is() {
    let database = database().await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool)).await;
        let unscoped = cluster.unscoped("report");
        let port = unscoped
            .query_one("SELECT inet_server_port()", &[])
            .await
            .unwrap();
        assert_eq!(
            port.get::<_, i32>(0),
            i32::from(database.node(0).unwrap().port())
        );
        unscoped
            .batch_execute("CREATE TABLE notes (id int); INSERT INTO notes VALUES (1), (2)")
            .await
            .unwrap();
        assert!(
            unscoped
                .query_opt("SELECT id FROM notes WHERE id = $1", &[&3])
                .await
                .unwrap()
                .is_none()
        );
        let rows = unscoped
            .query_raw("SELECT id FROM notes", &[])
            .await
            .unwrap();
        assert_eq!(rows.try_collect::<Vec<_>>().await.unwrap().len(), 2);
        let mut transaction = unscoped.begin().await.unwrap();
        transaction
            .execute("DELETE FROM notes WHERE id = 1", &[])
            .await
            .unwrap();
        let savepoint = transaction.savepoint().await.unwrap();
        savepoint.batch_execute("DELETE FROM notes").await.unwrap();
        savepoint.rollback().await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(unscoped.execute("DELETE FROM notes", &[]).await.unwrap(), 1);
        unscoped.execute("DROP TABLE notes", &[]).await.unwrap();
    }
}

#[tokio::test]
async fn a_wrong_number_of_parameters_is_told() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    let error = cluster
        .unscoped("test")
        .query("SELECT $1::int", &[])
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            RequestError::ParameterCount {
                expected: 1,
                given: 0
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn the_reason_stands_in_the_trace_and_no_tenant_does() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    let (written, subscriber) = Written::subscribe();
    cluster
        .unscoped("nightly report")
        .query("SELECT 1", &[])
        .await
        .unwrap();
    let sql = "INSERT INTO projects (id, name) VALUES (1, $1)";
    let tenant = cluster.tenant(987_654_321_i64);
    tenant.execute(sql, &[&"hush"]).await.unwrap();
    tenant.execute(sql, &[&"hush"]).await.unwrap_err();
    drop(subscriber);
    let written = written.text();
    assert!(
        written.contains("unscoped{reason=nightly report}"),
        "{written}"
    );
    assert!(written.contains("routed"), "{written}");
    assert!(
        !written.contains("987654321") && !written.contains("hush"),
        "{written}"
    );
}

#[tokio::test]
async fn a_failed_transaction_does_not_commit() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    let transaction = cluster.unscoped("test").begin().await.unwrap();
    transaction.query("SELECT 1 / 0", &[]).await.unwrap_err();
    assert!(matches!(
        transaction.commit().await,
        Err(RequestError::Aborted { .. })
    ));
}
