//! A cluster to play in.

use anyhow::Context as _;
use citus_client::{Cluster, Config, Topology};
use citus_testkit::{TestCluster, TestDatabase};
use tenant_guard::Tenancy;
use tracing_subscriber::EnvFilter;

/// The folder with the schema of the examples.
pub const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");

/// As many shards as Citus makes of a table unless told otherwise.
const SHARDS: u32 = 32;

/// Real servers with an empty database of their own, gone when this is dropped. `CITUS_TEST_URL`
/// names a running cluster to take instead; the database is new and removed there, too.
#[derive(Debug)]
pub struct Playground {
    // Dropped in this order: connections, database, servers.
    cluster: Cluster,
    database: TestDatabase,
    servers: TestCluster,
}

impl Playground {
    /// Servers with the schema of [`MIGRATIONS`].
    ///
    /// # Errors
    /// No servers could be started, or they did not take the migrations.
    pub async fn start() -> anyhow::Result<Self> {
        let (servers, database) = Self::servers_only().await?;
        for file in tenant_guard::migration_files(MIGRATIONS)? {
            let name = file.path().display().to_string();
            database.migrate(file.text()).await.context(name)?;
        }
        let config = Config::new(&database.url())?;
        let config = if database.is_citus() {
            // The live metadata tell what is distributed, and how.
            config
        } else {
            on_plain_servers(config, &database)?.tenancy(Tenancy::from_migrations(MIGRATIONS)?)
        };
        let cluster = Cluster::connect_with(config).await?;
        Ok(Self {
            cluster,
            database,
            servers,
        })
    }

    /// Servers with an empty database, for those who make their own schema.
    ///
    /// # Errors
    /// No servers could be started.
    pub async fn servers_only() -> anyhow::Result<(TestCluster, TestDatabase)> {
        // `RUST_LOG=info` shows which servers were taken, `RUST_LOG=citus_client=debug` more.
        let _ = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::from_default_env())
            .with_writer(std::io::stderr)
            .try_init();
        let servers = TestCluster::start().await?;
        let database = servers.create_database().await?;
        Ok((servers, database))
    }

    /// The driver, connected.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The database behind it, for a look past the driver.
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// The servers behind it.
    pub fn servers(&self) -> &TestCluster {
        &self.servers
    }
}

/// Servers without Citus know nothing of each other: the driver spreads tenants over them with the
/// hash ranges that Citus would use.
///
/// # Errors
/// None for servers that were started here.
pub(crate) fn on_plain_servers(config: Config, database: &TestDatabase) -> anyhow::Result<Config> {
    Ok(config.topology(Topology::fixed(database.node_urls(), SHARDS)?))
}
