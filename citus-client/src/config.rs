//! How to reach a cluster and how to behave towards it.

mod connection_string;
mod credentials;
mod error;
mod pass_file;
mod pool_settings;
mod read_policy;
mod resolver;
mod schema_checks;
mod ssl_mode;
mod statement_mode;

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tenant_guard::doctor::Exceptions;
use tenant_guard::{Policy, Tenancy};

pub(crate) use connection_string::ConnectionString;
pub(crate) use credentials::Provider;
pub use credentials::{Credentials, CredentialsRequest, Password};
pub use error::ConfigError;
pub use pool_settings::PoolSettings;
pub use read_policy::{ReadPolicy, ReferenceReads};
pub(crate) use resolver::Resolver;
pub use schema_checks::SchemaChecks;
pub use ssl_mode::SslMode;
pub use statement_mode::StatementMode;

use crate::observer::Observers;
use crate::{NodeAddress, Observer, RetryPolicy, TenantHashKey, Topology};

/// How to reach a cluster and how to behave towards it. Every default is finite: nothing waits for
/// ever, and nothing grows without bounds.
///
/// ```
/// use std::time::Duration;
/// use citus_client::Config;
///
/// let config = Config::new("postgresql://app@coordinator.example/app?sslmode=verify-full")?
///     .application_name("billing")
///     .pool_size(32)
///     .query_timeout(Duration::from_secs(5));
/// # let _ = config;
/// # Ok::<(), citus_client::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Config {
    pub(crate) server: Arc<ConnectionString>,
    pub(crate) tenancy: Option<Arc<Tenancy>>,
    pub(crate) topology: Option<Topology>,
    pub(crate) policy: Policy,
    pub(crate) schema_checks: SchemaChecks,
    pub(crate) schema_exceptions: Exceptions,
    pub(crate) pool: PoolKind,
    pub(crate) pools: PoolSettings,
    pub(crate) coordinator_pool: Option<PoolSettings>,
    pub(crate) max_connections: usize,
    pub(crate) concurrent_connects: usize,
    pub(crate) reconnect_pause: Duration,
    pub(crate) wait_for_node: Duration,
    pub(crate) statement_mode: StatementMode,
    pub(crate) statements: usize,
    pub(crate) statement_bytes: usize,
    pub(crate) connect_timeout: Duration,
    pub(crate) query_timeout: Duration,
    pub(crate) refresh_every: Duration,
    pub(crate) retry: RetryPolicy,
    pub(crate) reads: ReadPolicy,
    pub(crate) observers: Observers,
    pub(crate) application_name: Option<String>,
    pub(crate) translate: Option<Translate>,
    pub(crate) provider: Option<Provider>,
    pub(crate) resolver: Option<Resolver>,
}

/// When the connection string says nothing else.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) type Translate = Arc<dyn Fn(&NodeAddress) -> NodeAddress + Send + Sync>;

/// Which crate keeps the connections of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PoolKind {
    /// bb8. By itself it lets requests overtake each other; here they stand in line before it.
    #[cfg(feature = "bb8")]
    Bb8,
    /// deadpool: waiting requests are served in the order in which they came.
    #[cfg(feature = "deadpool")]
    Deadpool,
}

impl Default for PoolKind {
    #[cfg(feature = "deadpool")]
    fn default() -> Self {
        Self::Deadpool
    }

    #[cfg(not(feature = "deadpool"))]
    fn default() -> Self {
        Self::Bb8
    }
}

impl Config {
    /// Reads a connection string as libpq writes it: a URL or `key=value` pairs. It names the
    /// coordinator (or any node; several hosts are tried in turn), the user, and the database. Of
    /// every other node the address is learnt, and the rest is taken from here.
    ///
    /// `sslmode` may be `disable`, `allow`, `prefer` (the default), `require`, `verify-ca` or
    /// `verify-full`; `sslrootcert` is a file of certificates in PEM, or `system`; `channel_binding`
    /// is `disable`, `prefer` (the default) or `require`.
    ///
    /// Without a password one is looked for in the file `passfile`, else in that of the variable
    /// `PGPASSFILE`, else in `.pgpass` in the home directory.
    ///
    /// A peer that is silently gone is noticed after 10 s where something was sent
    /// (`tcp_user_timeout`), and else after about a minute (`keepalives_idle` of 30 s,
    /// `keepalives_interval` of 10 s, `keepalives_retries` of 3).
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn new(connection_string: &str) -> Result<Self, ConfigError> {
        let server: ConnectionString = connection_string.parse()?;
        Ok(Self {
            connect_timeout: server.connect_timeout().unwrap_or(CONNECT_TIMEOUT),
            server: Arc::new(server),
            tenancy: None,
            topology: None,
            policy: Policy::default(),
            schema_checks: SchemaChecks::default(),
            schema_exceptions: Exceptions::default(),
            pool: PoolKind::default(),
            pools: PoolSettings::default(),
            coordinator_pool: None,
            max_connections: usize::MAX,
            concurrent_connects: 4,
            reconnect_pause: Duration::from_secs(5),
            wait_for_node: Duration::ZERO,
            statement_mode: StatementMode::default(),
            statements: 256,
            statement_bytes: 8 * 1024 * 1024,
            query_timeout: Duration::from_secs(30),
            refresh_every: Duration::from_secs(30),
            retry: RetryPolicy::default(),
            reads: ReadPolicy::default(),
            observers: Observers::default(),
            application_name: None,
            translate: None,
            provider: None,
            resolver: None,
        })
    }

    /// What the tables are. On Citus the live metadata tell it, so that this is for those who want
    /// the schema of their migrations to decide; without Citus it has to be given.
    pub fn tenancy(mut self, tenancy: impl Into<Arc<Tenancy>>) -> Self {
        self.tenancy = Some(tenancy.into());
        self
    }

    /// Which plain PostgreSQL servers hold which tenants, see [`Topology::fixed`]. Nothing is
    /// discovered then, and a tenancy has to be given.
    pub fn topology(mut self, topology: Topology) -> Self {
        self.topology = Some(topology);
        self
    }

    /// What the guard allows beyond its defaults.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// What is done about a schema in which tenants can meet each other past the guard: told in the
    /// trace unless said otherwise.
    pub fn schema_checks(mut self, checks: SchemaChecks) -> Self {
        self.schema_checks = checks;
        self
    }

    /// What of that was looked at and is fine. Functions that the [`Policy`] allows are fine, too.
    pub fn schema_exceptions(mut self, exceptions: Exceptions) -> Self {
        self.schema_exceptions = exceptions;
        self
    }

    /// Which crate keeps the connections; deadpool unless said otherwise.
    pub fn pool(mut self, pool: PoolKind) -> Self {
        self.pool = pool;
        self
    }

    /// How many connections each node gets at most (16; at least 1). Citus counts them against
    /// `max_connections` of each node, for every process of the application.
    pub fn pool_size(mut self, connections: usize) -> Self {
        self.pools = self.pools.size(connections);
        self
    }

    /// How many idle connections to each node are kept ready; see [`PoolSettings::min_idle`].
    pub fn min_idle(mut self, connections: usize) -> Self {
        self.pools = self.pools.min_idle(connections);
        self
    }

    /// How many connections there are at most to all nodes together (no bound; at least 1), beside
    /// the one over which the coordinator is asked for changes, a second one while everything is read
    /// anew, and those that cancel a query.
    ///
    /// When there are so many, and a request needs one to a node that has none idle, an idle one to
    /// another node is closed for it, or the next one that comes back. Requests are served in the
    /// order in which they came, but for half a second a connection serves the node for which it was
    /// made first. With fewer connections than are needed at a time, making them takes longer than
    /// using them; so a few for each node should be among them.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections.max(1);
        self
    }

    /// Another pool for the coordinator than for the workers: it gets nothing but what is
    /// [`unscoped`](crate::Cluster::unscoped) or cannot be sent to a worker.
    pub fn coordinator_pool(mut self, settings: PoolSettings) -> Self {
        self.coordinator_pool = Some(settings);
        self
    }

    /// How many connections to a node are made at the same time at most (4; at least 1). It is one
    /// to begin with, and after each failure.
    pub fn concurrent_connects(mut self, connects: usize) -> Self {
        self.concurrent_connects = connects.max(1);
        self
    }

    /// How long the pause between two attempts to reach a node that is down becomes (5 s; at least
    /// 10 ms). The first is 100 ms, and each is twice as long as the one before, up to a half less.
    /// One task does this for each node; requests do not try it themselves.
    pub fn reconnect_pause(mut self, longest: Duration) -> Self {
        self.reconnect_pause = longest.max(Duration::from_millis(10));
        self
    }

    /// How long a request waits for a node that is known to be down (not at all; at most as long as
    /// for a free connection), before it fails with [`NodeError::Down`](crate::NodeError::Down).
    pub fn wait_for_node(mut self, wait: Duration) -> Self {
        self.wait_for_node = wait;
        self
    }

    /// How many prepared statements each connection keeps (256; at least 1). The least recently
    /// used one is closed for a new one.
    pub fn statement_cache(mut self, statements: usize) -> Self {
        self.statements = statements.max(1);
        self
    }

    /// How much memory the prepared statements of a connection take at most, here and on the server
    /// (8 MiB): for each some 8 KiB, three times its text, and the names of its columns. A statement
    /// that alone takes more is not kept.
    pub fn statement_cache_bytes(mut self, bytes: usize) -> Self {
        self.statement_bytes = bytes;
        self
    }

    /// Whether the server remembers statements; not with a pooler that gives each transaction another
    /// session.
    pub fn statement_mode(mut self, mode: StatementMode) -> Self {
        self.statement_mode = mode;
        self
    }

    /// How long a new connection may take, until it can be used (the connection string's
    /// `connect_timeout`, else 5 s). A host name with several addresses has as much for each of them,
    /// so that one that is silent does not use up the time of the others.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long a request may wait for a free connection (5 s; an hour at most). Where none is free and
    /// one may be made, it may wait as long for the right to make it (see [`Config::max_connections`]);
    /// making it has a time of its own.
    pub fn acquire_timeout(mut self, timeout: Duration) -> Self {
        self.pools = self.pools.acquire_timeout(timeout);
        self
    }

    /// How long a statement may take, from sending it to its last row (30 s); of
    /// [`RowStream`](crate::RowStream) each wait for the next row. What runs longer is cancelled.
    pub fn query_timeout(mut self, timeout: Duration) -> Self {
        self.query_timeout = timeout;
        self
    }

    /// How old a connection may become (30 min, up to a tenth less, so that they do not all end
    /// at once).
    pub fn max_lifetime(mut self, lifetime: Duration) -> Self {
        self.pools = self.pools.max_lifetime(lifetime);
        self
    }

    /// How long a connection may lie unused (10 min).
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.pools = self.pools.idle_timeout(timeout);
        self
    }

    /// How often the topology is read anew in the background (30 s, up to a fifth less, so that
    /// the processes of an application do not ask at once). An error that hints at a change has it
    /// read at once.
    pub fn refresh_every(mut self, period: Duration) -> Self {
        self.refresh_every = period.max(Duration::from_millis(100));
        self
    }

    /// How requests that failed for a while are repeated.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Which node answers a read, where several can; the tenant's own unless said otherwise.
    pub fn read_policy(mut self, policy: ReadPolicy) -> Self {
        self.reads = policy;
        self
    }

    /// Who is told what happens to requests; any number of them.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observers.add(observer);
        self
    }

    /// The key by which [`RequestEvent::tenant`](crate::RequestEvent) stands for a tenant: one by chance for
    /// each [`Config`] unless given here.
    pub fn tenant_hash_key(mut self, key: TenantHashKey) -> Self {
        self.observers.set_key(key);
        self
    }

    /// The `application_name` of every connection, which `pg_stat_activity` shows; the connection
    /// string's unless given here, else `citus-client`.
    pub fn application_name(mut self, name: impl Into<String>) -> Self {
        self.application_name = Some(name.into());
        self
    }

    /// Whether and how connections are encrypted; the connection string's `sslmode` unless given
    /// here.
    pub fn ssl_mode(mut self, mode: SslMode) -> Self {
        Arc::make_mut(&mut self.server).ssl_mode = mode;
        self
    }

    /// The file with the certificates that sign the servers' (PEM), instead of the connection
    /// string's `sslrootcert`.
    pub fn ssl_root_cert(mut self, file: impl Into<PathBuf>) -> Self {
        Arc::make_mut(&mut self.server).ssl_root_cert = Some(file.into());
        self
    }

    /// Asks for the credentials of each connection that is made, instead of the connection string's
    /// password: for passwords that are exchanged now and then, or tokens that end. When a server
    /// refuses them they are asked for once more, with [`CredentialsRequest::refused`]. It has as long
    /// as [`Config::connect_timeout`].
    ///
    /// ```
    /// use citus_client::{Config, Credentials};
    ///
    /// let config = Config::new("postgresql://app@coordinator.example/app")?.credentials(|request| async move {
    ///     // … ask a vault; `request.refused` says that what it gave last is out of date …
    ///     Ok::<_, std::io::Error>(Credentials::new("today's password"))
    /// });
    /// # let _ = config;
    /// # Ok::<(), citus_client::ConfigError>(())
    /// ```
    pub fn credentials<F, A, E>(mut self, ask: F) -> Self
    where
        F: Fn(CredentialsRequest) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Credentials, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.provider = Some(Provider::new(ask));
        self
    }

    /// Looks host names up in another way than the system's; asked for each connection that is made.
    pub fn resolver<F, A>(mut self, look_up: F) -> Self
    where
        F: Fn(String) -> A + Send + Sync + 'static,
        A: Future<Output = std::io::Result<Vec<IpAddr>>> + Send + 'static,
    {
        self.resolver = Some(Resolver::new(look_up));
        self
    }

    /// Where this process reaches a node that the cluster's metadata give another address, as when
    /// the nodes are in a network of their own.
    pub fn translate_address(
        mut self,
        translate: impl Fn(&NodeAddress) -> NodeAddress + Send + Sync + 'static,
    ) -> Self {
        self.translate = Some(Arc::new(translate));
        self
    }

    /// What a node's pool is like.
    pub(crate) fn pool_of(&self, is_coordinator: bool) -> &PoolSettings {
        match &self.coordinator_pool {
            Some(settings) if is_coordinator => settings,
            _ => &self.pools,
        }
    }

    pub(crate) fn translated(&self, address: NodeAddress) -> NodeAddress {
        match &self.translate {
            Some(translate) => translate(&address),
            None => address,
        }
    }
}

/// Without the password.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("server", &self.server)
            .field("pool", &self.pool)
            .field("pools", &self.pools)
            .field("coordinator_pool", &self.coordinator_pool)
            .field("max_connections", &self.max_connections)
            .field("statements", &self.statements)
            .field("connect_timeout", &self.connect_timeout)
            .field("query_timeout", &self.query_timeout)
            .field("refresh_every", &self.refresh_every)
            .finish_non_exhaustive()
    }
}
