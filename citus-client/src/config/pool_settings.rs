//! How many connections to a node there are, and how long they stay.

use std::time::Duration;

/// Nothing waits for ever, whatever is asked for.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// How many connections to a node there are, and how long they stay: of every node
/// ([`Config::pool_size`](crate::Config::pool_size) and its neighbours), or of the coordinator alone
/// ([`Config::coordinator_pool`](crate::Config::coordinator_pool)).
///
/// ```
/// use citus_client::{Config, PoolSettings};
///
/// let config = Config::new("postgresql://app@coordinator.example/app")?
///     .pool_size(32)
///     .coordinator_pool(PoolSettings::default().size(4).min_idle(1));
/// # let _ = config;
/// # Ok::<(), citus_client::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct PoolSettings {
    pub(crate) size: usize,
    pub(crate) min_idle: usize,
    pub(crate) acquire_timeout: Duration,
    pub(crate) max_lifetime: Duration,
    pub(crate) idle_timeout: Duration,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            size: 16,
            min_idle: 0,
            acquire_timeout: Duration::from_secs(5),
            max_lifetime: Duration::from_secs(30 * 60),
            idle_timeout: Duration::from_secs(10 * 60),
        }
    }
}

impl PoolSettings {
    /// How many connections there are at most (16; at least 1).
    pub fn size(mut self, connections: usize) -> Self {
        self.size = connections.max(1);
        self
    }

    /// How many idle connections are kept ready (0). They are made in the background, also before
    /// the first request, and not given up for being unused.
    pub fn min_idle(mut self, connections: usize) -> Self {
        self.min_idle = connections;
        self
    }

    /// How long a request may wait for a free connection (5 s; an hour at most).
    pub fn acquire_timeout(mut self, timeout: Duration) -> Self {
        self.acquire_timeout = timeout.min(LONGEST_WAIT);
        self
    }

    /// How old a connection may become (30 min, up to a tenth less, so that they do not all end at
    /// once).
    pub fn max_lifetime(mut self, lifetime: Duration) -> Self {
        self.max_lifetime = lifetime;
        self
    }

    /// How long a connection may lie unused (10 min).
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }
}
