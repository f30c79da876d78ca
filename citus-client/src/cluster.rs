//! A cluster: the way to its tenants.

mod bootstrap;
mod changes;
mod events;
mod explain;
mod explain_statement;
mod membership;
mod ping;
pub(crate) mod refresh;
mod schema_checks;
mod version_skew;

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tenant_guard::{GuardedSql, Refusal, Tenancy};
use tokio::sync::{Mutex, Notify, Semaphore, watch};

pub use events::{ClusterEvent, Watch};
pub use explain::{Explanation, RouteError};
pub use explain_statement::StatementRoute;
pub use ping::Ping;

use crate::config::Config;
use crate::error::{ConnectError, RequestError};
use crate::pool::{NodePool, PoolStatus, keeper};
use crate::sighting::Sightings;
use crate::snapshot::{Connecting, Snapshot};
use crate::{Batch, BulkLoad, MigrateError, Migrator, Tenant, TenantId, Topology, Unscoped};

/// A cluster. Cloning is cheap, and clones share the connections and what is known of the cluster;
/// both are given up with the last clone, tenant and transaction.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use citus_client::Cluster;
///
/// let cluster = Cluster::connect("postgresql://app@coordinator/app").await?;
/// let tenant = cluster.tenant(42);
/// let rows = tenant.query("SELECT id, title FROM tasks WHERE done = $1", &[&false]).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Cluster {
    pub(crate) inner: Arc<Inner>,
}

/// What clones share.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) connecting: Connecting,
    pub(crate) snapshot: ArcSwap<Snapshot>,
    /// Asks for the topology to be read anew, and wakes the task that does so when this is dropped.
    kick: Arc<Notify>,
    /// Tells the tasks when this is dropped.
    alive: watch::Sender<()>,
    pub(crate) sightings: Sightings,
    /// Room for requests that wait to be repeated.
    pub(crate) waiting: Semaphore,
    events: events::Events,
    /// Held by the one that reads the cluster and replaces the snapshot: what was read earlier never
    /// replaces what was read later.
    refreshing: Mutex<()>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.kick.notify_one();
    }
}

impl Inner {
    pub(crate) fn config(&self) -> &Config {
        &self.connecting.config
    }

    /// Looks at what went wrong for a hint that the cluster has changed.
    pub(crate) fn observe<T>(&self, result: Result<T, RequestError>) -> Result<T, RequestError> {
        if let Err(error) = &result {
            self.hint(error);
        }
        result
    }

    /// The same for an error.
    pub(crate) fn hint(&self, error: &RequestError) {
        if error.hints_at_change() {
            self.kick.notify_one();
        }
    }
}

impl Cluster {
    /// Connects with the defaults of [`Config`]: see [`Cluster::connect_with`].
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn connect(connection_string: &str) -> Result<Self, ConnectError> {
        Self::connect_with(Config::new(connection_string)?).await
    }

    /// Reads what the cluster tells of itself, from the first host of the connection string that
    /// answers. From then on a task of the current tokio runtime reads it anew now and then, and
    /// when an error hints at a change; requests never wait for that.
    ///
    /// A server without Citus is a cluster of one node. Which of its tables belong to tenants has
    /// to be told then ([`Config::tenancy`]): without, the guard takes all for local tables and
    /// refuses tenants' statements.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn connect_with(config: Config) -> Result<Self, ConnectError> {
        let (connecting, snapshot) = bootstrap::connect(config).await?;
        let inner = Arc::new(Inner {
            sightings: Sightings::new(),
            waiting: Semaphore::new(connecting.config.retry.waiting),
            connecting,
            snapshot: ArcSwap::from_pointee(snapshot),
            kick: Arc::new(Notify::new()),
            alive: watch::Sender::new(()),
            events: events::Events::default(),
            refreshing: Mutex::new(()),
        });
        inner.snapshot.load().warm_up();
        keeper::spawn(&inner.connecting.capacity);
        refresh::spawn(&inner);
        changes::spawn(&inner);
        Ok(Self { inner })
    }

    /// The way to one tenant's rows. Cheap: nothing is sent, and nothing is remembered of the
    /// tenant.
    pub fn tenant(&self, tenant: impl Into<TenantId>) -> Tenant {
        Tenant::new(Arc::clone(&self.inner), tenant.into())
    }

    /// The way to the rows of a tenant that has its tables in a schema of its own, by the schema's name
    /// as it is stored. Statements name the tables without a schema, and go to the node that has it.
    ///
    /// The name tells the tenant, as the value of the tenant column does elsewhere: whether it may be
    /// used for this request is the application's to know. With Citus the schema has to be one that is
    /// distributed (`pg_dist_schema`, Citus 12); on a single PostgreSQL server any that could be a
    /// tenant's is taken.
    ///
    /// ```no_run
    /// # async fn example(cluster: citus_client::Cluster) -> Result<(), citus_client::RequestError> {
    /// let acme = cluster.schema_tenant("acme");
    /// // Sent as `SELECT id FROM acme.tasks`.
    /// let rows = acme.query("SELECT id FROM tasks", &[]).await?;
    /// # let _ = rows;
    /// # Ok(())
    /// # }
    /// ```
    pub fn schema_tenant(&self, schema: impl Into<Box<str>>) -> Tenant {
        self.tenant(TenantId::schema(schema))
    }

    /// Statements of one tenant or of many, to be sent together.
    pub fn batch<'a>(&self) -> Batch<'a> {
        Batch::new(Arc::clone(&self.inner))
    }

    /// Loads rows of many tenants into a table, straight to the nodes that own them. Names are as stored;
    /// the tenant column is not among them.
    ///
    /// ```no_run
    /// # async fn example(cluster: citus_client::Cluster) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut load = cluster.bulk_load("tasks", &["id", "title"]).await?;
    /// for tenant in 1..=1000_i64 {
    ///     load.write(tenant, &[&1_i64, &"Read the manual"]).await?;
    /// }
    /// println!("{} rows", load.finish().await?.rows());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn bulk_load(&self, table: &str, columns: &[&str]) -> Result<BulkLoad, RequestError> {
        BulkLoad::start(Arc::clone(&self.inner), table, columns).await
    }

    /// For bringing the schema up to date by the files of a folder, or one file.
    ///
    /// # Errors
    /// Files that cannot be read: see [`MigrateError`].
    pub fn migrator(&self, path: impl AsRef<Path>) -> Result<Migrator, MigrateError> {
        Migrator::new(Arc::clone(&self.inner), path.as_ref())
    }

    /// Brings the schema up to date: [`Migrator::run`], as it is without being told otherwise.
    ///
    /// # Errors
    /// See [`MigrateError`].
    pub async fn migrate(&self, path: impl AsRef<Path>) -> Result<Vec<String>, MigrateError> {
        self.migrator(path)?.run().await
    }

    /// The only way to SQL that is not restricted to a tenant: reports over all tenants,
    /// migrations, maintenance. It goes to the coordinator, as it is. The reason stands in the
    /// trace (a span `unscoped` at level `info`), so it must hold no secret.
    pub fn unscoped(&self, reason: impl Into<Cow<'static, str>>) -> Unscoped {
        Unscoped::new(Arc::clone(&self.inner), reason.into())
    }

    /// What is known of the nodes and shards at this moment.
    pub fn topology(&self) -> Arc<Topology> {
        Arc::clone(&self.inner.snapshot.load().topology)
    }

    /// What is known of the tables at this moment.
    pub fn tenancy(&self) -> Tenancy {
        self.inner.snapshot.load().guard.tenancy().clone()
    }

    /// Guards a statement, to be handed to requests of any tenant. [`Tenant::query`] and its kin
    /// do the same with plain SQL, and remember it.
    ///
    /// # Errors
    /// What the guard does not accept.
    pub fn guard(&self, sql: &str) -> Result<GuardedSql, Refusal> {
        self.inner.snapshot.load().guard.cached(sql)
    }

    /// Where statements of a tenant on a table go, and why. Nothing is sent. The name is as stored,
    /// with or without its schema: `tasks`, `public.tasks`.
    ///
    /// # Errors
    /// See [`RouteError`].
    pub fn route(
        &self,
        table: &str,
        tenant: impl Into<TenantId>,
    ) -> Result<Explanation, RouteError> {
        explain::explain(&self.inner.snapshot.load(), table, &tenant.into())
    }

    /// Where a statement of a tenant goes, and why. Nothing is sent; the guard, the hash and the node are
    /// those of a request.
    ///
    /// ```no_run
    /// # fn example(cluster: &citus_client::Cluster) -> Result<(), citus_client::RequestError> {
    /// let route = cluster.route_statement("UPDATE tasks SET done = true WHERE id = $1", 42)?;
    /// println!("{route}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of a request before anything is sent, see [`RequestError`].
    pub fn route_statement(
        &self,
        sql: &str,
        tenant: impl Into<TenantId>,
    ) -> Result<StatementRoute, RequestError> {
        explain_statement::explain(&self.inner.snapshot.load(), sql, &tenant.into())
    }

    /// What changes in the cluster from now on: nodes, owners of shards, the schema.
    ///
    /// ```no_run
    /// # async fn example(cluster: citus_client::Cluster) {
    /// use citus_client::ClusterEvent;
    ///
    /// let mut watch = cluster.watch();
    /// while let Some(event) = watch.next().await {
    ///     if let ClusterEvent::NodeLeft { node } = event {
    ///         println!("{} is gone", node.address());
    ///     }
    /// }
    /// # }
    /// ```
    pub fn watch(&self) -> Watch {
        self.inner.events.watch()
    }

    /// Asks every node whether it answers, also those to which nothing is routed.
    pub async fn ping(&self) -> Vec<Ping> {
        ping::ping(&self.inner).await
    }

    /// The connections to each node to which something was sent, or is to be.
    pub fn pools(&self) -> Vec<PoolStatus> {
        let snapshot = self.inner.snapshot.load();
        let pools = snapshot.nodes().iter().filter_map(|node| node.used_pool());
        pools.map(NodePool::status).collect()
    }

    /// Ends the work with the cluster, for all clones. From now on requests fail with
    /// [`RequestError::ClusterClosed`], also those that wait for a connection. Requests and
    /// transactions that have one go on for so long; what is left then is cancelled, and its
    /// connection closed. Gives the number of these connections.
    ///
    /// Not calling this closes everything, too, when the last clone is dropped, but waits for
    /// nothing.
    pub async fn close(&self, within: Duration) -> usize {
        let connecting = &self.inner.connecting;
        let left = connecting.capacity.close(within, &connecting.canceller);
        let left = left.await;
        self.inner.kick.notify_one();
        left
    }

    /// Reads what the cluster tells of itself now, and not only when it is next due.
    ///
    /// # Errors
    /// See [`ConnectError`]; what was known stays in force then.
    pub async fn refresh(&self) -> Result<(), ConnectError> {
        refresh::refresh(&self.inner).await
    }
}
