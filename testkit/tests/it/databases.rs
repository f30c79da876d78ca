//! Databases for single tests.

use citus_testkit::{DatabaseError, TestCluster, TestDatabase};

use crate::support::{Result, citus, postgres};

const SCHEMA: &str = "
    CREATE EXTENSION IF NOT EXISTS citus;
    CREATE TABLE countries (code text PRIMARY KEY);
    SELECT create_reference_table('countries');
    CREATE TABLE projects (tenant_id bigint, id bigint, country text REFERENCES countries,
        PRIMARY KEY (tenant_id, id));
    SELECT create_distributed_table('projects', 'tenant_id'); -- one shard per range; not one each
    CREATE FUNCTION twice(a int) RETURNS int IMMUTABLE LANGUAGE sql AS $$ SELECT 2 * a; $$;
    INSERT INTO countries VALUES ('de'), ('a;b')
";

async fn migrated(cluster: &TestCluster) -> Result<TestDatabase> {
    let database = cluster.create_database().await?;
    database.migrate(SCHEMA).await?;
    assert_eq!(database.is_citus(), cluster.is_citus());
    assert_eq!(database.node_urls().len(), cluster.nodes().count());
    assert_eq!(database.url(), database.node_urls()[0]);
    for node in database.nodes() {
        let client = node.connect().await?;
        let row = client
            .query_one("SELECT count(*), max(twice(2)) FROM countries", &[])
            .await?;
        assert_eq!(
            (row.get::<_, i64>(0), row.get::<_, i32>(1)),
            (2, 4),
            "on {}",
            node.port()
        );
        assert!(
            client
                .query("SELECT * FROM projects", &[])
                .await?
                .is_empty()
        );
    }
    Ok(database)
}

#[tokio::test]
async fn a_migration_on_plain_postgres_reaches_every_node() -> Result {
    let cluster = postgres().await?;
    let database = migrated(&cluster).await?;
    let worker = database.node(1).unwrap().connect().await?;
    worker
        .execute("INSERT INTO projects VALUES (1, 1, 'de')", &[])
        .await?;
    // They know nothing of each other.
    assert!(
        database
            .connect()
            .await?
            .query("SELECT * FROM projects", &[])
            .await?
            .is_empty()
    );
    assert!(database.node(3).is_none());
    Ok(())
}

#[tokio::test]
async fn a_migration_on_citus_distributes() -> Result {
    let Some(cluster) = citus().await? else {
        return Ok(());
    };
    let database = migrated(&cluster).await?;
    let worker = database.node(1).unwrap().connect().await?;
    worker
        .execute("INSERT INTO projects VALUES (1, 1, 'de')", &[])
        .await?;
    for node in database.nodes() {
        let client = node.connect().await?;
        assert_eq!(client.query("SELECT * FROM projects", &[]).await?.len(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn databases_are_isolated() -> Result {
    let cluster = TestCluster::start().await?;
    let (one, two) = tokio::try_join!(cluster.create_database(), cluster.create_database())?;
    assert_ne!(one.name(), two.name());
    one.migrate(SCHEMA).await?;
    for node in two.nodes() {
        let client = node.connect().await?;
        let row = client
            .query_one("SELECT to_regclass('projects')::text", &[])
            .await?;
        assert_eq!(row.get::<_, Option<&str>>(0), None);
    }
    // The same names again, with other data.
    two.migrate(SCHEMA).await?;
    two.connect()
        .await?
        .execute("DELETE FROM countries", &[])
        .await?;
    let kept = one
        .connect()
        .await?
        .query("SELECT * FROM countries", &[])
        .await?;
    assert_eq!(kept.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_dropped_database_is_removed_although_somebody_is_connected() -> Result {
    let cluster = TestCluster::start().await?;
    let database = cluster.create_database().await?;
    let _connected = database.connect().await?;
    drop(database);
    for node in cluster.nodes() {
        let client = node.connect().await?;
        let mut left = 1;
        while left > 0 {
            let sql = "SELECT count(*) FROM pg_database WHERE datname LIKE 'test\\_%'";
            left = client.query_one(sql, &[]).await?.get::<_, i64>(0);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_failed_statement_is_named_by_its_line() -> Result {
    let cluster = postgres().await?;
    let database = cluster.create_database().await?;
    let script = "CREATE TABLE t (a int);\n\n-- next\nINSERT INTO t VALUES ('hidden');\nSELECT 1";
    let error = database.migrate(script).await.unwrap_err();
    assert!(
        matches!(error, DatabaseError::Migration { line: 4, .. }),
        "{error:?}"
    );
    assert_eq!(
        error.sqlstate().map(tokio_postgres::error::SqlState::code),
        Some("22P02")
    );
    assert!(!error.is_retryable());
    Ok(())
}

#[tokio::test]
async fn a_database_over_a_stopped_node_is_an_error_and_nothing_stays_behind() -> Result {
    let cluster = postgres().await?;
    cluster.workers()[0].stop().await?;
    let error = cluster.create_database().await.unwrap_err();
    assert!(matches!(error, DatabaseError::Connect { .. }), "{error}");
    assert!(error.is_retryable());
    let client = cluster.coordinator().connect().await?;
    let mut left = 1;
    while left > 0 {
        let sql = "SELECT count(*) FROM pg_database WHERE datname LIKE 'test\\_%'";
        left = client.query_one(sql, &[]).await?.get::<_, i64>(0);
    }
    Ok(())
}
