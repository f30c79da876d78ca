//! Bringing the schema up to date.

use std::fs;
use std::path::Path;

use citus_client::{Cluster, MigrateError, Tenancy};
use citus_testkit::{TestCluster, TestDatabase};

use crate::support::{bounded, config, connect, database};

const NOTES: &str = "CREATE TABLE notes (tenant_id bigint, id bigint, PRIMARY KEY (tenant_id, id));
SELECT create_distributed_table('notes', 'tenant_id', colocate_with => 'projects');
";

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

async fn has(database: &TestDatabase, relation: &str) -> bool {
    let client = database.connect().await.unwrap();
    let sql = "SELECT to_regclass($1::text) IS NOT NULL";
    client.query_one(sql, &[&relation]).await.unwrap().get(0)
}

async fn migrate(cluster: &Cluster, folder: &Path) -> Result<Vec<String>, MigrateError> {
    bounded(Box::pin(cluster.migrate(folder))).await
}

#[tokio::test]
async fn files_are_run_once_in_their_order_and_the_schema_is_known_then() {
    let database = database().await;
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "10_index.sql",
        "CREATE INDEX CONCURRENTLY notes_id ON notes (id);",
    );
    write(folder.path(), "2_notes.sql", NOTES);
    let cluster = connect(config(&database)).await;
    let pending = cluster.migrator(folder.path()).unwrap().pending().await;
    assert_eq!(pending.unwrap(), ["2_notes.sql", "10_index.sql"]);
    assert!(!has(&database, "notes").await);
    assert_eq!(
        migrate(&cluster, folder.path()).await.unwrap(),
        ["2_notes.sql", "10_index.sql"]
    );
    assert!(has(&database, "notes_id").await);
    if database.is_citus() {
        let insert = "INSERT INTO notes (id) VALUES (1)";
        assert_eq!(cluster.tenant(1).execute(insert, &[]).await.unwrap(), 1);
    }
    assert!(migrate(&cluster, folder.path()).await.unwrap().is_empty());
    let pending = cluster.migrator(folder.path()).unwrap().pending().await;
    assert!(pending.unwrap().is_empty());
}

#[tokio::test]
async fn what_was_run_must_stay_what_it_was() {
    let database = database().await;
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "1_notes.sql", NOTES);
    write(folder.path(), "2_more.sql", "CREATE TABLE more (id int);");
    let cluster = connect(config(&database)).await;
    migrate(&cluster, folder.path()).await.unwrap();
    write(folder.path(), "1_notes.sql", "SELECT 1");
    write(folder.path(), "3_last.sql", "CREATE TABLE last (id int);");
    let error = migrate(&cluster, folder.path()).await.unwrap_err();
    assert!(
        matches!(&error, MigrateError::Changed { file } if file == "1_notes.sql"),
        "{error}"
    );
    // With the line ends of another system it is the same.
    write(folder.path(), "1_notes.sql", &NOTES.replace('\n', "\r\n"));
    fs::remove_file(folder.path().join("2_more.sql")).unwrap();
    let error = migrate(&cluster, folder.path()).await.unwrap_err();
    assert!(
        matches!(&error, MigrateError::Gone { file } if file == "2_more.sql"),
        "{error}"
    );
    assert!(!has(&database, "last").await);
}

#[tokio::test]
async fn a_file_that_fails_leaves_nothing_or_goes_on_where_it_stopped() {
    let database = database().await;
    let folder = tempfile::tempdir().unwrap();
    let broken = "CREATE TABLE first (id int);\n\nSELECT nothing FROM first;\n";
    write(folder.path(), "1.sql", broken);
    let cluster = connect(config(&database)).await;
    let error = migrate(&cluster, folder.path()).await.unwrap_err();
    let MigrateError::Statement { file, line, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!((file.as_str(), *line), ("1.sql", 3));
    assert!(!has(&database, "first").await);
    // Nothing of it is known, so that it may be mended.
    write(folder.path(), "1.sql", "CREATE TABLE first (id int);");
    migrate(&cluster, folder.path()).await.unwrap();

    let alone = "-- no-transaction\nCREATE TABLE second (id int);\nCREATE TABLE third (id int);\n";
    write(folder.path(), "2.sql", alone);
    let client = database.connect().await.unwrap();
    client
        .batch_execute("CREATE TABLE third (id int)")
        .await
        .unwrap();
    migrate(&cluster, folder.path()).await.unwrap_err();
    assert!(has(&database, "second").await);
    client.batch_execute("DROP TABLE third").await.unwrap();
    assert_eq!(migrate(&cluster, folder.path()).await.unwrap(), ["2.sql"]);
    assert!(has(&database, "third").await);
}

#[tokio::test]
async fn two_processes_that_migrate_do_not_meet() {
    let database = database().await;
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "1_notes.sql", NOTES);
    let (one, other) = (
        connect(config(&database)).await,
        connect(config(&database)).await,
    );
    let (first, second) =
        tokio::join!(migrate(&one, folder.path()), migrate(&other, folder.path()));
    let mut runs = [first.unwrap().len(), second.unwrap().len()];
    runs.sort_unstable();
    assert_eq!(runs, [0, 1]);
}

#[tokio::test]
async fn without_citus_its_functions_are_left_out() {
    let backend = citus_testkit::BackendChoice::Postgres;
    let servers = TestCluster::builder()
        .backend(backend)
        .start()
        .await
        .unwrap();
    let database = servers.create_database().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let text = NOTES.replace(", colocate_with => 'projects'", "");
    write(folder.path(), "1_notes.sql", &text);
    let tenancy = Tenancy::from_migrations(folder.path()).unwrap();
    let config = citus_client::Config::new(&database.url())
        .unwrap()
        .tenancy(tenancy);
    let cluster = connect(config).await;
    migrate(&cluster, folder.path()).await.unwrap();
    let insert = "INSERT INTO notes (id) VALUES (1)";
    assert_eq!(cluster.tenant(1).execute(insert, &[]).await.unwrap(), 1);
}
