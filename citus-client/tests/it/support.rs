//! A small schema, and clusters of both pools on it.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use citus_client::tenant_guard::Table;
use citus_client::{Cluster, Config, NodeAddress, Policy, PoolKind, Tenancy, TenantType, Topology};
use citus_testkit::{ProxiedCluster, TestCluster, TestDatabase};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::format::FmtSpan;

pub(crate) const SCHEMA: &str = "
    CREATE TABLE projects (
        tenant_id bigint NOT NULL, id bigint NOT NULL, name text, PRIMARY KEY (tenant_id, id)
    );
    CREATE TABLE tasks (
        tenant_id bigint NOT NULL, id bigint NOT NULL, project_id bigint NOT NULL, title text,
        PRIMARY KEY (tenant_id, id),
        FOREIGN KEY (tenant_id, project_id) REFERENCES projects DEFERRABLE INITIALLY IMMEDIATE
    );
    CREATE TABLE countries (code text PRIMARY KEY, name text);
    SELECT create_distributed_table('projects', 'tenant_id');
    SELECT create_distributed_table('tasks', 'tenant_id', colocate_with => 'projects');
    SELECT create_reference_table('countries');
    INSERT INTO countries VALUES ('de', 'Germany');
    CREATE FUNCTION prepared_statements() RETURNS bigint LANGUAGE sql VOLATILE
        AS 'SELECT count(*) FROM pg_prepared_statements';
    CREATE FUNCTION prepared_about(what text) RETURNS bigint LANGUAGE sql VOLATILE
        AS 'SELECT count(*) FROM pg_prepared_statements WHERE position(what IN statement) > 0';
    CREATE FUNCTION server_port() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT inet_server_port()';
    CREATE FUNCTION session_setting(name text) RETURNS text LANGUAGE sql VOLATILE
        AS 'SELECT current_setting(name)';
    CREATE FUNCTION backend() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT pg_backend_pid()';
";

/// The functions of [`SCHEMA`].
const SAFE_FUNCTIONS: [&str; 5] = [
    "prepared_statements()",
    "prepared_about(text)",
    "server_port()",
    "session_setting(text)",
    "backend()",
];

/// What [`SCHEMA`] means to servers that cannot tell.
pub(crate) fn tenancy() -> Tenancy {
    let distributed = |name: &str, columns: &[&str]| {
        Table::distributed(name, "tenant_id", TenantType::Int8)
            .columns(columns.iter().copied())
            .named_unique_key(&format!("{name}_pkey"), ["tenant_id", "id"])
    };
    Tenancy::builder()
        .table(distributed("projects", &["tenant_id", "id", "name"]))
        .table(distributed(
            "tasks",
            &["tenant_id", "id", "project_id", "title"],
        ))
        .table(
            Table::reference("countries")
                .columns(["code", "name"])
                .unique_key(["code"]),
        )
        .build()
        .unwrap()
}

/// A database with [`SCHEMA`].
pub(crate) async fn database() -> TestDatabase {
    database_on(TestCluster::shared().await.unwrap()).await
}

/// The same on a cluster of the test's own.
pub(crate) async fn database_on(cluster: &TestCluster) -> TestDatabase {
    let database = cluster.create_database().await.unwrap();
    database.migrate(SCHEMA).await.unwrap();
    database
}

/// How to reach a database with [`SCHEMA`].
pub(crate) fn config(database: &TestDatabase) -> Config {
    config_of(database, &database.node_urls())
}

/// The same, with a fault proxy before each node.
pub(crate) fn config_through(proxied: &ProxiedCluster, database: &TestDatabase) -> Config {
    let addresses = proxied.addresses();
    config_of(database, &proxied.node_urls(database)).translate_address(move |node| {
        let (host, port) = addresses.translate(&node.host, node.port);
        NodeAddress::new(host, port)
    })
}

fn config_of(database: &TestDatabase, urls: &[String]) -> Config {
    let mut policy = Policy::default();
    for function in SAFE_FUNCTIONS {
        policy = policy.allow_function(function).unwrap();
    }
    let config = Config::new(&urls[0])
        .unwrap()
        .policy(policy)
        .application_name(name(database));
    if database.is_citus() {
        config
    } else {
        let topology = Topology::fixed(urls, 32).unwrap();
        config.tenancy(tenancy()).topology(topology)
    }
}

/// Reaches each node by another port of this machine than its own.
pub(crate) fn redirected(
    config: Config,
    database: &TestDatabase,
    ports: Vec<(u16, u16)>,
) -> Config {
    if !database.is_citus() {
        let doors = ports.iter().map(|(_, door)| format!("127.0.0.1:{door}"));
        return config.topology(Topology::fixed(doors, 32).unwrap());
    }
    config.translate_address(move |node| {
        let door = ports.iter().find(|(port, _)| *port == node.port);
        NodeAddress::new("127.0.0.1", door.unwrap().1)
    })
}

/// The driver's own sessions are known by this name.
pub(crate) fn name(database: &TestDatabase) -> String {
    format!("driver of {}", database.name())
}

pub(crate) async fn connect(config: Config) -> Cluster {
    Cluster::connect_with(config).await.unwrap()
}

/// Every pool that this build has.
pub(crate) fn pools() -> Vec<PoolKind> {
    vec![
        #[cfg(feature = "deadpool")]
        PoolKind::Deadpool,
        #[cfg(feature = "bb8")]
        PoolKind::Bb8,
    ]
}

/// A bound on what must not hang; no measure of anything.
pub(crate) async fn bounded<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), work)
        .await
        .expect("it hangs")
}

/// Waits until something is so, for what happens in the background.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut check: impl FnMut() -> F) {
    for _ in 0..600 {
        if check().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never: {what}");
}

/// How many of the driver's sessions are in such a state, over all nodes.
pub(crate) async fn sessions(database: &TestDatabase, condition: &str) -> i64 {
    let mut count = 0;
    for node in database.nodes() {
        let client = node.connect().await.unwrap();
        let sql = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND ({condition})"
        );
        count += client
            .query_one(&sql, &[&name(database)])
            .await
            .unwrap()
            .get::<_, i64>(0);
    }
    count
}

/// What this thread's tracing says.
#[derive(Clone, Default)]
pub(crate) struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    /// Everything from here on, until the guard is dropped.
    pub(crate) fn subscribe() -> (Self, DefaultGuard) {
        let written = Self::default();
        let writer = written.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(FmtSpan::NEW)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        (written, tracing::subscriber::set_default(subscriber))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
