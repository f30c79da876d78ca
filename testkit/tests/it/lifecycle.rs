//! Starting, stopping, pausing.

use std::time::Duration;

use citus_testkit::{Backend, BackendChoice, StartError, TestCluster};
use tokio::time::timeout;

use crate::support::{Result, Trace, postgres, this_binary};

/// Set for the process that is to find no PostgreSQL.
const PLAYS_WITHOUT_POSTGRES: &str = "CITUS_TESTKIT_TEST_WITHOUT_POSTGRES";

#[tokio::test]
async fn a_coordinator_and_two_workers_answer_and_are_gone_after() -> Result {
    let cluster = TestCluster::start().await?;
    assert_eq!(cluster.workers().len(), 2);
    assert_eq!(cluster.nodes().count(), 3);
    let traces = Trace::of_all(&cluster).await?;
    assert!(traces.iter().all(Trace::answers));
    drop(cluster);
    assert!(traces.iter().all(Trace::is_gone), "{traces:?}");
    Ok(())
}

#[tokio::test]
async fn two_clusters_at_once_share_nothing() -> Result {
    let (one, two) = tokio::try_join!(TestCluster::start(), TestCluster::start())?;
    let mut ports: Vec<u16> = one
        .nodes()
        .chain(two.nodes())
        .map(citus_testkit::Node::port)
        .collect();
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 6);
    let other = Trace::of_all(&two).await?;
    drop(one);
    assert!(other.iter().all(Trace::answers));
    Ok(())
}

#[tokio::test]
async fn number_of_workers_backend_and_settings_are_heeded() -> Result {
    let cluster = TestCluster::builder()
        .workers(0)
        .backend(BackendChoice::Postgres)
        .setting("work_mem", "7MB")
        .setting("app.motto", r"it's \ fine")
        .start()
        .await?;
    assert!(matches!(cluster.backend(), Backend::Postgres { .. }));
    assert!(!cluster.is_citus());
    assert!(cluster.workers().is_empty());
    let client = cluster.coordinator().connect().await?;
    let sql = "SELECT current_setting('work_mem'), current_setting('app.motto')";
    let row = client.query_one(sql, &[]).await?;
    assert_eq!((row.get(0), row.get(1)), ("7MB", r"it's \ fine"));
    Ok(())
}

#[tokio::test]
async fn a_setting_that_the_server_does_not_know_is_an_error_with_its_log() -> Result {
    let starting = TestCluster::builder()
        .workers(0)
        .backend(BackendChoice::Postgres)
        .setting("no_such_setting", "1")
        .start();
    let error = starting.await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("unrecognized configuration parameter"),
        "{error}"
    );
    assert!(!error.is_retryable());
    Ok(())
}

#[test]
fn without_postgres_the_error_says_what_to_install() -> Result {
    let variables = [
        (PLAYS_WITHOUT_POSTGRES, "1"),
        ("PG_CONFIG", "/nowhere/pg_config"),
    ];
    let output = this_binary("lifecycle::plays_without_postgres", &variables).output()?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    Ok(())
}

/// Does nothing by itself.
#[tokio::test]
async fn plays_without_postgres() {
    if std::env::var_os(PLAYS_WITHOUT_POSTGRES).is_none() {
        return;
    }
    let starting = TestCluster::builder()
        .backend(BackendChoice::Postgres)
        .start();
    let error = starting.await.unwrap_err();
    assert!(
        matches!(error, StartError::PostgresMissing { .. }),
        "{error}"
    );
    let message = error.to_string();
    assert!(message.contains("apt-get install postgresql"), "{message}");
    assert!(
        message.contains("PG_CONFIG=/nowhere/pg_config"),
        "{message}"
    );
}

#[tokio::test]
async fn a_name_that_is_no_setting_is_refused() {
    let starting = TestCluster::builder()
        .setting("fsync = on\nwork_mem", "1MB")
        .start();
    assert!(matches!(starting.await, Err(StartError::Setting { .. })));
}

#[tokio::test]
async fn servers_listen_on_the_loopback_address_only() -> Result {
    let cluster = postgres().await?;
    let client = cluster.coordinator().connect().await?;
    let sql =
        "SELECT current_setting('listen_addresses') || current_setting('unix_socket_directories')";
    let row = client.query_one(sql, &[]).await?;
    assert_eq!(row.get::<_, &str>(0), "127.0.0.1");
    Ok(())
}

#[tokio::test]
async fn a_stopped_node_refuses_and_comes_back_on_its_port_with_its_data() -> Result {
    let cluster = postgres().await?;
    let node = &cluster.workers()[0];
    let trace = Trace::of(node).await?;
    let client = node.connect().await?;
    client.batch_execute("CREATE TABLE kept (a int)").await?;
    node.stop().await?;
    node.stop().await?;
    assert!(!trace.answers());
    assert!(client.query("SELECT 1", &[]).await.is_err());
    node.start().await?;
    node.start().await?;
    node.connect()
        .await?
        .query("SELECT a FROM kept", &[])
        .await?;
    node.restart().await?;
    node.connect()
        .await?
        .query("SELECT a FROM kept", &[])
        .await?;
    assert_eq!(Trace::of(node).await?.port, trace.port);
    Ok(())
}

#[tokio::test]
async fn a_hard_stop_loses_no_acknowledged_commit() -> Result {
    let cluster = postgres().await?;
    let node = cluster.coordinator();
    let client = node.connect().await?;
    client.batch_execute("CREATE TABLE t (a int)").await?;
    client
        .execute("INSERT INTO t SELECT generate_series(1, 1000)", &[])
        .await?;
    for value in 0..50_i32 {
        client
            .execute("INSERT INTO t VALUES ($1)", &[&value])
            .await?;
    }
    node.stop_hard().await?;
    node.start().await?;
    let row = node
        .connect()
        .await?
        .query_one("SELECT count(*) FROM t", &[])
        .await?;
    assert_eq!(row.get::<_, i64>(0), 1050);
    assert!(
        node.log().contains("was not properly shut down"),
        "{}",
        node.log()
    );
    Ok(())
}

#[tokio::test]
async fn a_paused_node_hangs_and_goes_on() -> Result {
    let cluster = postgres().await?;
    let node = &cluster.workers()[1];
    let client = node.connect().await?;
    node.pause().await?;
    let asked = client.query_one("SELECT 1", &[]);
    tokio::pin!(asked);
    assert!(
        timeout(Duration::from_millis(300), &mut asked)
            .await
            .is_err()
    );
    // A new session hangs as well: the one process that could begin it is stopped, too.
    assert!(
        timeout(Duration::from_millis(300), node.connect())
            .await
            .is_err()
    );
    cluster
        .coordinator()
        .connect()
        .await?
        .query_one("SELECT 1", &[])
        .await?;
    node.resume().await?;
    assert_eq!(asked.await?.get::<_, i32>(0), 1);
    Ok(())
}

#[tokio::test]
async fn a_paused_node_can_be_stopped_and_dropped() -> Result {
    let cluster = postgres().await?;
    let traces = Trace::of_all(&cluster).await?;
    cluster.workers()[0].pause().await?;
    cluster.workers()[0].stop().await?;
    cluster.workers()[1].pause().await?;
    drop(cluster);
    assert!(traces.iter().all(Trace::is_gone), "{traces:?}");
    Ok(())
}

#[tokio::test]
async fn pausing_a_stopped_node_is_an_error() -> Result {
    let cluster = postgres().await?;
    let node = cluster.coordinator();
    node.stop().await?;
    assert!(
        node.pause()
            .await
            .unwrap_err()
            .to_string()
            .contains("not running")
    );
    Ok(())
}

#[test]
fn a_cluster_outlives_the_runtime_that_started_it() -> Result {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
    };
    let cluster = runtime()?.block_on(postgres())?;
    let row = runtime()?.block_on(async {
        cluster.workers()[0].restart().await?;
        let client = cluster.workers()[0].connect().await?;
        Ok::<_, Box<dyn std::error::Error>>(client.query_one("SELECT 1", &[]).await?)
    })?;
    assert_eq!(row.get::<_, i32>(0), 1);
    Ok(())
}

/// Tests on a runtime with several threads spawn these futures.
#[test]
fn futures_can_change_threads() {
    fn sendable<T: Send>(_: T) {}
    fn shareable<T: Send + Sync + 'static>() {}
    shareable::<TestCluster>();
    shareable::<citus_testkit::TestDatabase>();
    sendable(TestCluster::start());
    sendable(TestCluster::shared());
    sendable(async {
        let cluster = TestCluster::shared().await.unwrap();
        cluster.coordinator().restart().await.unwrap();
        cluster.coordinator().pause().await.unwrap();
        cluster
            .create_database()
            .await
            .unwrap()
            .migrate("SELECT 1")
            .await
            .unwrap();
    });
}
