//! A cluster that runs already: here it is one of ours, handed to a second process by its URL.

use citus_testkit::{Backend, BackendChoice, NodeError, StartError, TestCluster};

use crate::support::{Result, Trace, citus, postgres, this_binary};

const CHILD: &str = "CITUS_TESTKIT_TEST_NODES";

#[tokio::test]
async fn a_running_citus_cluster_is_taken_by_its_coordinator() -> Result {
    let Some(cluster) = citus().await? else {
        return Ok(());
    };
    let nodes = Trace::of_all(&cluster).await?;
    let url = cluster.coordinator().url();
    let test = "external::plays_the_second_process";
    let output = this_binary(test, &[("CITUS_TEST_URL", &url), (CHILD, "citus 3")]).output()?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    assert!(nodes.iter().all(Trace::answers));
    // Its databases are gone with it, at once.
    let client = cluster.coordinator().connect().await?;
    let sql = "SELECT count(*) FROM pg_database WHERE datname LIKE 'test\\_%'";
    assert_eq!(client.query_one(sql, &[]).await?.get::<_, i64>(0), 0);
    Ok(())
}

#[tokio::test]
async fn running_plain_servers_are_taken_by_all_their_urls() -> Result {
    let cluster = postgres().await?;
    let urls: Vec<String> = cluster.nodes().map(citus_testkit::Node::url).collect();
    let test = "external::plays_the_second_process";
    let variables = [
        ("CITUS_TEST_URL", urls.join(" ")),
        (CHILD, "plain 3".to_owned()),
    ];
    let variables = variables
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let output = this_binary(test, &variables).output()?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    Ok(())
}

/// Does nothing by itself.
#[tokio::test]
async fn plays_the_second_process() -> Result {
    let Ok(expected) = std::env::var(CHILD) else {
        return Ok(());
    };
    let cluster = TestCluster::start().await?;
    assert_eq!(*cluster.backend(), Backend::External);
    let kind = if cluster.is_citus() { "citus" } else { "plain" };
    assert_eq!(format!("{kind} {}", cluster.nodes().count()), expected);
    for node in cluster.nodes() {
        node.connect().await?.query_one("SELECT 1", &[]).await?;
        assert!(matches!(
            node.stop().await,
            Err(NodeError::Unsupported { .. })
        ));
        assert!(matches!(
            node.pause().await,
            Err(NodeError::Unsupported { .. })
        ));
    }
    let database = cluster.create_database().await?;
    database
        .migrate(
            "CREATE TABLE t (tenant_id bigint); SELECT create_distributed_table('t', 'tenant_id')",
        )
        .await?;
    for node in database.nodes() {
        node.connect().await?.query("SELECT * FROM t", &[]).await?;
    }
    let too_many = TestCluster::builder().workers(9).start().await;
    assert!(matches!(
        too_many,
        Err(StartError::TooFewWorkers {
            found: 2,
            wanted: 9
        })
    ));
    Ok(())
}

#[tokio::test]
async fn without_a_url_there_is_no_external_cluster() {
    if std::env::var_os("CITUS_TEST_URL").is_some() {
        return;
    }
    let starting = TestCluster::builder()
        .backend(BackendChoice::External)
        .start();
    assert!(matches!(starting.await, Err(StartError::UrlMissing)));
}
