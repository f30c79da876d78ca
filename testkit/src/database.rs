//! A database for one test.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::timeout;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::address::Address;
use crate::connect::{connect, quoted, run};
use crate::nodes::Nodes;
use crate::{DatabaseError, citus, script};

/// For one statement of a migration.
const MIGRATION_TIMEOUT: Duration = Duration::from_secs(300);

/// A database of its own for one test, on all nodes of a cluster; made by
/// [`TestCluster::create_database`](crate::TestCluster::create_database).
///
/// Dropping it removes the database in the background, whoever is still connected.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    nodes: Nodes<DatabaseNode>,
    is_citus: bool,
    /// Whether the servers outlive this process, so that its end must wait for the removal.
    outlived: bool,
}

/// A [`TestDatabase`] on one of the nodes.
#[derive(Debug, Clone)]
pub struct DatabaseNode {
    address: Address,
    database: String,
}

impl DatabaseNode {
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// The URL of the database on this node.
    pub fn url(&self) -> String {
        self.address.url(&self.database)
    }

    /// The host of the node.
    pub fn host(&self) -> &str {
        &self.address.host
    }

    /// The TCP port of the node.
    pub fn port(&self) -> u16 {
        self.address.port
    }

    /// Connects to the database on this node, without TLS. A task of the current tokio runtime
    /// drives the connection.
    ///
    /// # Errors
    /// [`DatabaseError::Connect`] and [`DatabaseError::Timeout`].
    pub async fn connect(&self) -> Result<Client, DatabaseError> {
        connect(&self.address, &self.database).await
    }
}

impl TestDatabase {
    pub(crate) async fn create(
        nodes: Nodes<Address>,
        is_citus: bool,
        template: Option<&str>,
        outlived: bool,
    ) -> Result<Self, DatabaseError> {
        let name = unique_name();
        // Made before the first statement: whatever fails below, its drop cleans up.
        let database = Self {
            nodes: nodes.clone().map(|address| DatabaseNode {
                address,
                database: name.clone(),
            }),
            name,
            is_citus,
            outlived,
        };
        let mut creating = tokio::task::JoinSet::new();
        for address in nodes.iter() {
            let (address, name) = (address.clone(), database.name.clone());
            let template = template.map(str::to_owned);
            creating.spawn(async move {
                create_on(&address, &name, template.as_deref()).await?;
                if is_citus && template.is_none() {
                    let client = connect(&address, &name).await?;
                    let statement = client.batch_execute("CREATE EXTENSION IF NOT EXISTS citus");
                    run("CREATE EXTENSION citus", &address, statement).await?;
                }
                Ok::<_, DatabaseError>(())
            });
        }
        citus::joined(creating).await?;
        if template.is_some() {
            citus::renew_identities(&nodes, &database.name).await?;
        }
        if is_citus {
            citus::form(&nodes, &database.name).await?;
        }
        Ok(database)
    }

    /// Its name, the same on all nodes.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its URL on the coordinator.
    pub fn url(&self) -> String {
        self.coordinator().url()
    }

    /// Its URL on each node, the coordinator's first.
    pub fn node_urls(&self) -> Vec<String> {
        self.nodes.iter().map(DatabaseNode::url).collect()
    }

    /// It on one node: 0 is the coordinator, 1 the first worker.
    pub fn node(&self, index: usize) -> Option<&DatabaseNode> {
        self.nodes.iter().nth(index)
    }

    /// It on all nodes, the coordinator first.
    pub fn nodes(&self) -> impl Iterator<Item = &DatabaseNode> {
        self.nodes.iter()
    }

    /// Whether the nodes form a Citus cluster.
    pub fn is_citus(&self) -> bool {
        self.is_citus
    }

    /// Connects to it on the coordinator, without TLS. A task of the current tokio runtime drives
    /// the connection.
    ///
    /// # Errors
    /// [`DatabaseError::Connect`] and [`DatabaseError::Timeout`].
    pub async fn connect(&self) -> Result<Client, DatabaseError> {
        self.coordinator().connect().await
    }

    /// Runs a script, one statement after the other over one connection.
    ///
    /// On Citus it runs on the coordinator. On plain PostgreSQL it runs on every node, without the
    /// statements that only Citus understands (`SELECT create_distributed_table(…)`,
    /// `SELECT create_reference_table(…)`, `CREATE EXTENSION citus` and their kin): every node then
    /// has every table, and also every row that the script inserts.
    ///
    /// What belongs to psql (`\connect`, the data of `COPY … FROM stdin`) is not understood.
    ///
    /// # Errors
    /// [`DatabaseError::Migration`] with the line of the statement that failed; those before it
    /// have been carried out.
    pub async fn migrate(&self, script: &str) -> Result<(), DatabaseError> {
        let count = if self.is_citus { 1 } else { usize::MAX };
        for node in self.nodes().take(count) {
            let client = node.connect().await?;
            for statement in script::statements(script) {
                if !self.is_citus && script::is_for_citus_only(statement.text) {
                    continue;
                }
                let name = node.address.to_string();
                match timeout(MIGRATION_TIMEOUT, client.batch_execute(statement.text)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(source)) => {
                        let line = statement.line;
                        return Err(DatabaseError::Migration {
                            line,
                            node: name,
                            source,
                        });
                    }
                    Err(_) => {
                        return Err(DatabaseError::Timeout {
                            what: "a statement of the migration",
                            node: name,
                            after: MIGRATION_TIMEOUT,
                        });
                    }
                }
            }
        }
        Ok(())
    }

    fn coordinator(&self) -> &DatabaseNode {
        &self.nodes.coordinator
    }
}

/// Removes the database from every node, on a thread with a runtime of its own: the caller's can
/// be about to end.
impl Drop for TestDatabase {
    fn drop(&mut self) {
        let nodes: Vec<Address> = self.nodes.iter().map(|node| node.address.clone()).collect();
        let name = std::mem::take(&mut self.name);
        let removal = std::thread::Builder::new().spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            if let Ok(runtime) = runtime {
                runtime.block_on(remove(&nodes, &name));
            }
        });
        if let (Ok(thread), true) = (removal, self.outlived) {
            let _ = thread.join();
        }
    }
}

/// Best effort: a node can be stopped, paused or gone.
async fn remove(nodes: &[Address], name: &str) {
    for address in nodes {
        let removal = async {
            let client = connect(address, &address.database).await?;
            let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quoted(name));
            run("DROP DATABASE", address, client.batch_execute(&statement)).await
        };
        match timeout(Duration::from_secs(10), removal).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "a test database stays behind"),
            Err(_) => tracing::debug!(node = %address, "a test database stays behind"),
        }
    }
}

async fn create_on(
    address: &Address,
    name: &str,
    template: Option<&str>,
) -> Result<(), DatabaseError> {
    const ATTEMPTS: usize = 5;
    let client = connect(address, &address.database).await?;
    let mut statement = format!("CREATE DATABASE {}", quoted(name));
    if let Some(template) = template {
        statement.push_str(" TEMPLATE ");
        statement.push_str(&quoted(template));
    }
    let mut attempt = 1;
    loop {
        match run("CREATE DATABASE", address, client.batch_execute(&statement)).await {
            // An autovacuum worker was in the template, and did not leave in time.
            Err(error)
                if error.sqlstate() == Some(&SqlState::OBJECT_IN_USE) && attempt < ATTEMPTS =>
            {
                attempt += 1;
            }
            result => return result,
        }
    }
}

/// Unique among the processes that use the same servers.
fn unique_name() -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("test_{:x}_{}_{number}", now.as_micros(), std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        assert_ne!(unique_name(), unique_name());
    }
}
