//! Bringing the schema up to date.

mod file;
mod ledger;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::TopologyKind;
use crate::cluster::{Inner, refresh};
use crate::connection::Connection;
use crate::error::{MigrateError, RequestError};
use crate::snapshot::NodeHandle;

use file::{File, Statement};
use ledger::{Entry, Ledger};

/// Runs the files of a folder of migrations that have not been run yet, on the coordinator, in the order in
/// which [`tenant_guard::migration_files`] finds them. Made by
/// [`Cluster::migrator`](crate::Cluster::migrator).
///
/// - Statements are sent one at a time, as Citus wants DDL. A file is one transaction, unless something in it
///   cannot be in one (`CONCURRENTLY`, `VACUUM`, its own `BEGIN`), or a comment line says
///   `-- no-transaction`. Such a file that broke off goes on at the statement that failed.
/// - What was run is kept in the table `citus_client_migrations`, with a checksum: a file that was changed
///   afterwards, or that is gone, is an error before anything is run.
/// - One process at a time: the others wait for its advisory lock.
/// - Servers without Citus leave out calls of Citus' functions (`create_distributed_table`, …). Of several
///   such servers, each is brought up to date.
///
/// ```no_run
/// # async fn example(cluster: citus_client::Cluster) -> Result<(), citus_client::MigrateError> {
/// let migrator = cluster.migrator("migrations")?;
/// for file in migrator.pending().await? {
///     println!("to be run: {file}");
/// }
/// migrator.run().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is run before `run`"]
pub struct Migrator {
    inner: Arc<Inner>,
    files: Vec<File>,
    lock_timeout: Duration,
    statement_timeout: Duration,
}

/// The key of the advisory lock: `citus-cl` as a number.
const LOCK: i64 = 0x6369_7475_732d_636c;

impl Migrator {
    pub(crate) fn new(inner: Arc<Inner>, path: &Path) -> Result<Self, MigrateError> {
        Ok(Self {
            inner,
            files: file::read(path)?,
            lock_timeout: Duration::from_secs(60),
            statement_timeout: Duration::from_secs(60 * 60),
        })
    }

    /// How long another process that migrates is waited for (60 s).
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
        self
    }

    /// How long one statement may take (1 h).
    pub fn statement_timeout(mut self, timeout: Duration) -> Self {
        self.statement_timeout = timeout;
        self
    }

    /// The files that [`Migrator::run`] would run, without running them: below the folder, in their order.
    ///
    /// # Errors
    /// See [`MigrateError`].
    pub async fn pending(&self) -> Result<Vec<String>, MigrateError> {
        let mut pending = Vec::new();
        for node in self.nodes() {
            let lease = node.acquire().await?.session_may_change();
            let ledger = Ledger::read(lease.connection()?, self.inner.config()).await?;
            ledger.check(&self.files)?;
            for file in &self.files {
                let is_new = ledger.progress(file) != Entry::Done;
                if is_new && !pending.contains(&file.name) {
                    pending.push(file.name.clone());
                }
            }
        }
        Ok(pending)
    }

    /// Runs what has not been run, and gives the names of these files. The cluster knows the new schema then.
    ///
    /// # Errors
    /// See [`MigrateError`]. What was run before stays.
    pub async fn run(&self) -> Result<Vec<String>, MigrateError> {
        let mut run = Vec::new();
        for node in self.nodes() {
            // The lock goes with the session's settings.
            let lease = node.acquire().await?.session_may_change();
            let connection = lease.connection()?;
            self.lock(connection).await?;
            Ledger::create(connection, self.inner.config()).await?;
            let ledger = Ledger::read(connection, self.inner.config()).await?;
            ledger.check(&self.files)?;
            for file in &self.files {
                let done = match ledger.progress(file) {
                    Entry::Done => continue,
                    Entry::Begun { done } => done,
                };
                tracing::info!(file = %file.name, node = %node.address(), "migrating");
                self.run_file(connection, file, done).await?;
                if !run.contains(&file.name) {
                    run.push(file.name.clone());
                }
            }
        }
        if let Err(error) = refresh::refresh(&self.inner).await {
            tracing::warn!(%error, "the new schema cannot be read yet");
        }
        Ok(run)
    }

    /// The coordinator; of plain servers that know nothing of each other, all.
    fn nodes(&self) -> Vec<Arc<NodeHandle>> {
        let snapshot = self.inner.snapshot.load();
        match snapshot.topology.kind() {
            TopologyKind::Fixed => snapshot.nodes().to_vec(),
            _ => vec![Arc::clone(snapshot.coordinator())],
        }
    }

    async fn lock(&self, connection: &Connection) -> Result<(), MigrateError> {
        let until = Instant::now() + self.lock_timeout;
        let question = format!("SELECT pg_catalog.pg_try_advisory_lock({LOCK})");
        loop {
            let limit = self.inner.config().query_timeout;
            if ledger::ask(connection, &question, limit).await?.as_deref() == Some("t") {
                return Ok(());
            }
            if Instant::now() >= until {
                let after = self.lock_timeout;
                return Err(MigrateError::Locked { after });
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    async fn run_file(
        &self,
        connection: &Connection,
        file: &File,
        done: usize,
    ) -> Result<(), MigrateError> {
        let limit = self.inner.config().query_timeout;
        if file.in_transaction {
            connection.begin("BEGIN", limit).await?;
        } else {
            Ledger::begin(connection, file, limit).await?;
        }
        for (index, statement) in file.statements.iter().enumerate().skip(done) {
            self.run_statement(connection, file, statement).await?;
            if !file.in_transaction {
                Ledger::advance(connection, file, index + 1, limit).await?;
            }
        }
        if file.in_transaction {
            Ledger::begin(connection, file, limit).await?;
        }
        Ledger::advance(connection, file, file.statements.len(), limit).await?;
        if file.in_transaction {
            connection.end("COMMIT", limit).await?;
        }
        Ok(())
    }

    async fn run_statement(
        &self,
        connection: &Connection,
        file: &File,
        statement: &Statement,
    ) -> Result<(), MigrateError> {
        let has_citus = self.inner.snapshot.load().topology.forwards();
        if statement.is_of_citus && !has_citus {
            tracing::debug!(file = %file.name, line = statement.line, "left out without Citus");
            return Ok(());
        }
        let result = connection.run(&statement.sql, self.statement_timeout).await;
        result.map_err(|error: RequestError| MigrateError::Statement {
            file: file.name.clone(),
            line: statement.line,
            error: Box::new(error),
        })
    }
}
