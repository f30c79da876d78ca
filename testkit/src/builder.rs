//! What to start.

use crate::{BackendChoice, StartError, TestCluster};

/// What to start; made by [`TestCluster::builder`].
#[derive(Debug, Clone)]
#[must_use = "nothing is started before `start`"]
pub struct TestClusterBuilder {
    pub(crate) workers: usize,
    pub(crate) backend: BackendChoice,
    pub(crate) settings: Vec<(String, String)>,
}

impl TestClusterBuilder {
    pub(crate) fn new() -> Self {
        Self {
            workers: 2,
            backend: BackendChoice::Auto,
            settings: Vec::new(),
        }
    }

    /// How many workers stand beside the coordinator; 2 unless said otherwise. An external cluster
    /// must have at least as many.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// Takes this backend and no other.
    pub fn backend(mut self, backend: BackendChoice) -> Self {
        self.backend = backend;
        self
    }

    /// A setting for `postgresql.conf` on every node, such as `("work_mem", "64MB")`. It goes
    /// before this crate's own, except for the address and the port. Servers that run already
    /// ([`BackendChoice::External`]) are left as they are.
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// Starts the cluster, and returns when every node accepts connections and, on Citus, knows
    /// the others.
    ///
    /// # Errors
    /// See [`StartError`]; each says what to do.
    pub async fn start(self) -> Result<TestCluster, StartError> {
        TestCluster::from_builder(self).await
    }
}
