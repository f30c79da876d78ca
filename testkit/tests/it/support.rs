//! What several tests need.

use std::error::Error;
use std::future::Future;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use citus_testkit::{BackendChoice, FaultProxy, Node, StartError, TestCluster};
use tokio::time::timeout;
use tokio_postgres::{Client, NoTls};

pub(crate) type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// A bound for what must happen some time; nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A Citus cluster of this test's own, or `None` on a machine without Citus.
pub(crate) async fn citus() -> Result<Option<TestCluster>> {
    match TestCluster::builder()
        .backend(BackendChoice::Citus)
        .start()
        .await
    {
        Ok(cluster) => Ok(Some(cluster)),
        Err(error @ StartError::CitusMissing { .. }) => {
            eprintln!("skipped: {error}");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn postgres() -> Result<TestCluster> {
    Ok(TestCluster::builder()
        .backend(BackendChoice::Postgres)
        .start()
        .await?)
}

/// A server as it can be looked for from outside.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    pub(crate) port: u16,
    pub(crate) data: PathBuf,
}

impl Trace {
    pub(crate) async fn of(node: &Node) -> Result<Self> {
        let client = node.connect().await?;
        let data: String = client
            .query_one("SHOW data_directory", &[])
            .await?
            .try_get(0)?;
        Ok(Self {
            port: node.port(),
            data: PathBuf::from(data),
        })
    }

    pub(crate) async fn of_all(cluster: &TestCluster) -> Result<Vec<Self>> {
        let mut traces = Vec::new();
        for node in cluster.nodes() {
            traces.push(Self::of(node).await?);
        }
        Ok(traces)
    }

    pub(crate) fn answers(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }

    pub(crate) fn is_gone(&self) -> bool {
        // Two above `<cluster>/node0/data`: the cluster's directory.
        let cluster = self.data.ancestors().nth(2).unwrap();
        !self.answers() && !cluster.exists()
    }
}

/// Waits until something is so.
pub(crate) fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "it never came to this: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Runs one test of this binary in a process of its own, whose environment has these variables.
pub(crate) fn this_binary(test: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([test, "--exact", "--nocapture"])
        .stdout(Stdio::piped());
    // What was chosen for this process is not chosen for that one.
    command
        .env_remove("CITUS_TEST_BACKEND")
        .env_remove("CITUS_TEST_URL");
    command.envs(variables.iter().copied());
    command
}

/// A session of the first database through a proxy.
pub(crate) async fn connect_to(proxy: &FaultProxy) -> Result<Client> {
    let url = format!("postgresql://postgres@{}/postgres", proxy.address());
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Bounds what must not hang.
pub(crate) async fn bounded<T>(work: impl Future<Output = T>) -> T {
    timeout(PATIENCE, work).await.expect("it hangs")
}

/// Makes sure that something does not end by itself.
pub(crate) async fn hangs<T>(work: impl Future<Output = T>) {
    let ended = timeout(Duration::from_millis(300), work).await.is_ok();
    assert!(!ended, "it does not hang");
}

/// Waits until something is so.
pub(crate) async fn comes_to<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "it never came to this: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
