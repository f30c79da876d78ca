//! How to reach a cluster and how to behave towards it.

mod connection_string;
mod error;
mod schema_checks;
mod ssl_mode;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tenant_guard::doctor::Exceptions;
use tenant_guard::{Policy, Tenancy};

pub(crate) use connection_string::ConnectionString;
pub use error::ConfigError;
pub use schema_checks::SchemaChecks;
pub use ssl_mode::SslMode;

use crate::{NodeAddress, RetryPolicy, Topology};

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
    pub(crate) server: ConnectionString,
    pub(crate) tenancy: Option<Arc<Tenancy>>,
    pub(crate) topology: Option<Topology>,
    pub(crate) policy: Policy,
    pub(crate) schema_checks: SchemaChecks,
    pub(crate) schema_exceptions: Exceptions,
    pub(crate) pool: PoolKind,
    pub(crate) pool_size: usize,
    pub(crate) statements: usize,
    pub(crate) connect_timeout: Duration,
    pub(crate) acquire_timeout: Duration,
    pub(crate) query_timeout: Duration,
    pub(crate) max_lifetime: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) refresh_every: Duration,
    pub(crate) retry: RetryPolicy,
    pub(crate) application_name: Option<String>,
    pub(crate) translate: Option<Translate>,
}

pub(crate) type Translate = Arc<dyn Fn(&NodeAddress) -> NodeAddress + Send + Sync>;

/// Which crate keeps the connections of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PoolKind {
    /// bb8: waiting requests may overtake each other.
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
    /// `verify-full`; `sslrootcert` is a file of certificates in PEM, or `system`.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn new(connection_string: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            server: connection_string.parse()?,
            tenancy: None,
            topology: None,
            policy: Policy::default(),
            schema_checks: SchemaChecks::default(),
            schema_exceptions: Exceptions::default(),
            pool: PoolKind::default(),
            pool_size: 16,
            statements: 256,
            connect_timeout: Duration::from_secs(5),
            acquire_timeout: Duration::from_secs(5),
            query_timeout: Duration::from_secs(30),
            max_lifetime: Duration::from_secs(30 * 60),
            idle_timeout: Duration::from_secs(10 * 60),
            refresh_every: Duration::from_secs(30),
            retry: RetryPolicy::default(),
            application_name: None,
            translate: None,
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
        self.pool_size = connections.max(1);
        self
    }

    /// How many prepared statements each connection keeps (256; at least 1). The least recently
    /// used one is closed for a new one.
    pub fn statement_cache(mut self, statements: usize) -> Self {
        self.statements = statements.max(1);
        self
    }

    /// How long a new connection may take, until it can be used (5 s).
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long a request may wait for a free connection (5 s).
    pub fn acquire_timeout(mut self, timeout: Duration) -> Self {
        self.acquire_timeout = timeout;
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
        self.max_lifetime = lifetime;
        self
    }

    /// How long a connection may lie unused (10 min).
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
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

    /// The `application_name` of every connection, which `pg_stat_activity` shows; the connection
    /// string's unless given here, else `citus-client`.
    pub fn application_name(mut self, name: impl Into<String>) -> Self {
        self.application_name = Some(name.into());
        self
    }

    /// Whether and how connections are encrypted; the connection string's `sslmode` unless given
    /// here.
    pub fn ssl_mode(mut self, mode: SslMode) -> Self {
        self.server.ssl_mode = mode;
        self
    }

    /// The file with the certificates that sign the servers' (PEM), instead of the connection
    /// string's `sslrootcert`.
    pub fn ssl_root_cert(mut self, file: impl Into<PathBuf>) -> Self {
        self.server.ssl_root_cert = Some(file.into());
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
            .field("pool_size", &self.pool_size)
            .field("statements", &self.statements)
            .field("connect_timeout", &self.connect_timeout)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("query_timeout", &self.query_timeout)
            .field("refresh_every", &self.refresh_every)
            .finish_non_exhaustive()
    }
}
