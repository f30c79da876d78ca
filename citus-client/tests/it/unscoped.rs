//! SQL that concerns all tenants.

use std::sync::{Arc, Mutex};

use citus_client::RequestError;
use futures_util::TryStreamExt;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::support::{config, connect, database, pools};

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
        let mut transaction = unscoped.transaction().await.unwrap();
        transaction
            .execute("DELETE FROM notes WHERE id = 1", &[])
            .await
            .unwrap();
        let savepoint = transaction.transaction().await.unwrap();
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

/// What a subscriber writes.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_reason_stands_in_the_trace_and_no_tenant_does() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    let written = Written::default();
    let writer = written.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::NEW)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    cluster
        .unscoped("nightly report")
        .query("SELECT 1", &[])
        .await
        .unwrap();
    let sql = "INSERT INTO projects (id, name) VALUES (1, $1)";
    let tenant = cluster.tenant(987_654_321_i64);
    tenant.execute(sql, &[&"hush"]).await.unwrap();
    tenant.execute(sql, &[&"hush"]).await.unwrap_err();
    drop(guard);
    let written = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
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
    let transaction = cluster.unscoped("test").transaction().await.unwrap();
    transaction.query("SELECT 1 / 0", &[]).await.unwrap_err();
    assert!(matches!(
        transaction.commit().await,
        Err(RequestError::Aborted { .. })
    ));
}
