//! Which cluster, and how to reach it.

use std::path::PathBuf;

use anyhow::Context;
use citus_client::{Cluster, Config, Tenancy, Topology};

/// Which cluster, and how to reach it.
#[derive(Debug, clap::Args)]
pub(crate) struct Connect {
    /// The connection string of the coordinator, or of any node.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    url: String,
    /// The migrations, a file or a folder: they tell which tables are tenants' where there is no
    /// Citus to ask.
    #[arg(long, value_name = "PATH")]
    schema: Option<PathBuf>,
    /// Plain servers that hold the tenants' rows (`host:port`); needs --schema.
    #[arg(long, value_delimiter = ',', requires = "schema")]
    nodes: Vec<String>,
    /// Into how many hash ranges the tenants are divided over these.
    #[arg(long, default_value_t = 32, requires = "nodes")]
    shards: u32,
}

impl Connect {
    pub(crate) async fn cluster(&self) -> anyhow::Result<Cluster> {
        let mut config = Config::new(&self.url)?.application_name("citus-client command");
        if let Some(path) = &self.schema {
            let tenancy = Tenancy::from_migrations(path)
                .with_context(|| format!("the migrations in {}", path.display()))?;
            config = config.tenancy(tenancy);
        }
        if !self.nodes.is_empty() {
            config = config.topology(Topology::fixed(&self.nodes, self.shards)?);
        }
        Ok(Box::pin(Cluster::connect_with(config)).await?)
    }
}
