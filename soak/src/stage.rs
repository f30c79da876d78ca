//! The servers, the network before them, and the schema.

use std::time::Duration;

use anyhow::Context as _;
use citus_client::tenant_guard::Table;
use citus_client::{Cluster, Config, NodeAddress, Tenancy, TenantType};
use citus_testkit::{Backend, ProxiedCluster, TestCluster, TestDatabase};
use tokio_postgres::Client;

/// What the driver's sessions are called.
pub(crate) const APPLICATION: &str = "soak";
/// How many connections the driver may have to each node.
pub(crate) const POOL_SIZE: usize = 16;

/// A row's `nonce` is the server's, so that a statement that is carried out twice makes two rows.
const SCHEMA: &str = "
    CREATE TABLE counters (
        tenant_id bigint NOT NULL, id bigint NOT NULL, n bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (tenant_id, id)
    );
    CREATE TABLE entries (
        tenant_id bigint NOT NULL, id bigint NOT NULL, nonce uuid NOT NULL DEFAULT gen_random_uuid(),
        PRIMARY KEY (tenant_id, id, nonce)
    );
    CREATE TABLE receipts (
        tenant_id bigint NOT NULL, id bigint NOT NULL, nonce uuid NOT NULL DEFAULT gen_random_uuid(),
        PRIMARY KEY (tenant_id, id, nonce)
    );
    SELECT create_distributed_table('counters', 'tenant_id', shard_count => 12);
    SELECT create_distributed_table('entries', 'tenant_id', colocate_with => 'counters');
    SELECT create_distributed_table('receipts', 'tenant_id', colocate_with => 'counters');
";

/// What the soak runs on.
pub(crate) struct Stage {
    pub(crate) servers: TestCluster,
    pub(crate) proxied: ProxiedCluster,
    pub(crate) database: TestDatabase,
}

impl Stage {
    /// Citus with three workers where it is there, else one server.
    pub(crate) async fn set(tenants: i64) -> anyhow::Result<Self> {
        let builder = || TestCluster::builder().workers(0);
        let mut servers = builder().start().await?;
        if servers.is_citus() && *servers.backend() != Backend::External {
            drop(servers);
            servers = builder().workers(3).start().await?;
        }
        let database = servers.create_database().await?;
        database.migrate(SCHEMA).await?;
        let counters = "INSERT INTO counters (tenant_id, id) SELECT t, 1 FROM generate_series(0, $1::bigint - 1) t";
        database
            .connect()
            .await?
            .execute(counters, &[&tenants])
            .await?;
        let proxied = servers.proxied().await?;
        Ok(Self {
            servers,
            proxied,
            database,
        })
    }

    /// The driver, which reaches every node through its proxy.
    pub(crate) async fn driver(&self) -> anyhow::Result<Cluster> {
        let addresses = self.proxied.addresses();
        let mut config = Config::new(&self.proxied.url(&self.database))?
            .application_name(APPLICATION)
            .pool_size(POOL_SIZE)
            .connect_timeout(Duration::from_secs(2))
            .acquire_timeout(Duration::from_secs(2))
            .query_timeout(Duration::from_secs(5))
            .max_lifetime(Duration::from_secs(60))
            .translate_address(move |node| {
                let (host, port) = addresses.translate(&node.host, node.port);
                NodeAddress::new(host, port)
            });
        if !self.is_citus() {
            config = config.tenancy(tenancy()?);
        }
        Ok(Cluster::connect_with(config).await?)
    }

    pub(crate) fn is_citus(&self) -> bool {
        self.database.is_citus()
    }

    pub(crate) fn is_external(&self) -> bool {
        *self.servers.backend() == Backend::External
    }

    /// How many nodes there are, the coordinator among them.
    pub(crate) fn nodes(&self) -> usize {
        self.servers.nodes().count()
    }

    /// A session on the coordinator that no proxy touches.
    pub(crate) async fn beside(&self) -> anyhow::Result<Client> {
        let client = self.database.connect().await;
        client.context("the coordinator cannot be reached beside the proxies")
    }
}

/// What the tables are, where the server cannot tell.
fn tenancy() -> anyhow::Result<Tenancy> {
    let table = |name: &str, columns: [&str; 3], key: &[&str]| {
        Table::distributed(name, "tenant_id", TenantType::Int8)
            .columns(columns)
            .named_unique_key(&format!("{name}_pkey"), key.iter().copied())
    };
    let row = ["tenant_id", "id", "nonce"];
    Ok(Tenancy::builder()
        .table(table(
            "counters",
            ["tenant_id", "id", "n"],
            &["tenant_id", "id"],
        ))
        .table(table("entries", row, &row))
        .table(table("receipts", row, &row))
        .build()?)
}
