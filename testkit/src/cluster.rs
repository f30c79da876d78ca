//! A running cluster.

use tokio::sync::OnceCell;

use crate::address::Address;
use crate::connect::connect;
use crate::local::{self, Home, Installation};
use crate::nodes::Nodes;
use crate::{
    Backend, BackendChoice, DatabaseError, Node, StartError, TestClusterBuilder, TestDatabase,
    citus, external,
};

/// A coordinator and its workers. Dropping it stops the servers and removes their data.
///
/// It is tied to no tokio runtime: one cluster serves tests that each have a runtime of their own.
#[derive(Debug)]
pub struct TestCluster {
    // Dropped before the directory that the servers work in.
    nodes: Nodes<Node>,
    backend: Backend,
    is_citus: bool,
    home: Option<Home>,
}

impl TestCluster {
    /// A coordinator and two workers.
    ///
    /// # Errors
    /// As [`TestClusterBuilder::start`].
    pub async fn start() -> Result<Self, StartError> {
        Self::builder().start().await
    }

    /// For another number of workers, a certain backend, or settings.
    pub fn builder() -> TestClusterBuilder {
        TestClusterBuilder::new()
    }

    /// The cluster of this process, started by the first call: for a test binary whose tests each
    /// take a database of it ([`TestCluster::create_database`]). It is stopped and removed when the
    /// process ends, however it ends.
    ///
    /// A runner that gives each test a process of its own, such as nextest, has a cluster for each,
    /// unless `CITUS_TEST_URL` names one.
    ///
    /// # Errors
    /// As [`TestClusterBuilder::start`]; a later call then tries again.
    pub async fn shared() -> Result<&'static Self, StartError> {
        static SHARED: OnceCell<TestCluster> = OnceCell::const_new();
        SHARED.get_or_try_init(Self::start).await
    }

    pub(crate) async fn from_builder(builder: TestClusterBuilder) -> Result<Self, StartError> {
        let cluster = match builder.backend.or_environment()? {
            BackendChoice::External => {
                Self::external(&external::url().ok_or(StartError::UrlMissing)?, &builder).await
            }
            BackendChoice::Docker => Self::docker(&builder).await,
            BackendChoice::Citus => {
                let installation = Installation::find()?;
                if installation.citus.is_none() {
                    return Err(StartError::CitusMissing {
                        postgres: installation.version,
                    });
                }
                Self::local(&installation, true, &builder).await
            }
            BackendChoice::Postgres => Self::local(&Installation::find()?, false, &builder).await,
            BackendChoice::Auto => Self::first_there(&builder).await,
        }?;
        let nodes: Vec<String> = cluster
            .nodes()
            .map(|node| node.address().to_string())
            .collect();
        tracing::info!(backend = %cluster.backend, nodes = nodes.join(" "), "test cluster is up");
        Ok(cluster)
    }

    /// What the nodes are.
    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// Whether the nodes form a Citus cluster. If not, they are servers that know nothing of each
    /// other.
    pub fn is_citus(&self) -> bool {
        self.is_citus
    }

    /// The coordinator.
    pub fn coordinator(&self) -> &Node {
        &self.nodes.coordinator
    }

    /// The workers, in the order in which they were added.
    pub fn workers(&self) -> &[Node] {
        &self.nodes.workers
    }

    /// All nodes, the coordinator first.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter()
    }

    /// Creates an empty database with a name of its own on all nodes. On Citus the extension is in
    /// it, and the nodes are added and have the metadata: tables can be distributed at once.
    ///
    /// # Errors
    /// [`DatabaseError::Connect`], [`DatabaseError::Statement`], [`DatabaseError::Timeout`]; a node
    /// that is stopped is an error, too.
    pub async fn create_database(&self) -> Result<TestDatabase, DatabaseError> {
        let nodes = self.addresses();
        let template = match self.backend {
            Backend::Citus { .. } => Some(local::CITUS_DATABASE),
            _ => None,
        };
        TestDatabase::create(nodes, self.is_citus, template, self.home.is_none()).await
    }

    async fn first_there(builder: &TestClusterBuilder) -> Result<Self, StartError> {
        if let Some(url) = external::url() {
            return Self::external(&url, builder).await;
        }
        #[cfg(feature = "docker")]
        if crate::docker::engine_answers().await {
            return Self::docker(builder).await;
        }
        let installation = Installation::find()?;
        let citus = installation.citus.is_some();
        Self::local(&installation, citus, builder).await
    }

    async fn external(url: &str, builder: &TestClusterBuilder) -> Result<Self, StartError> {
        let external = external::discover(url).await?;
        let found = external.nodes.workers.len();
        if found < builder.workers {
            return Err(StartError::TooFewWorkers {
                found,
                wanted: builder.workers,
            });
        }
        Ok(Self {
            nodes: external.nodes.map(Node::external),
            backend: Backend::External,
            is_citus: external.is_citus,
            home: None,
        })
    }

    async fn local(
        installation: &Installation,
        citus: bool,
        builder: &TestClusterBuilder,
    ) -> Result<Self, StartError> {
        let (servers, home) =
            local::start(installation, citus, builder.workers, &builder.settings).await?;
        let mut cluster = Self {
            nodes: servers.map(Node::local),
            backend: Backend::Postgres {
                version: installation.version.clone(),
            },
            is_citus: citus,
            home: Some(home),
        };
        if citus {
            let version = cluster.form().await?;
            cluster.backend = Backend::Citus { version };
        }
        Ok(cluster)
    }

    #[cfg(feature = "docker")]
    async fn docker(builder: &TestClusterBuilder) -> Result<Self, StartError> {
        let cluster = Self {
            nodes: crate::docker::start(builder.workers, &builder.settings).await?,
            backend: Backend::Docker,
            is_citus: true,
            home: None,
        };
        cluster.form().await?;
        Ok(cluster)
    }

    #[cfg(not(feature = "docker"))]
    #[expect(
        clippy::unused_async,
        reason = "the same signature as with the feature"
    )]
    async fn docker(_: &TestClusterBuilder) -> Result<Self, StartError> {
        Err(StartError::Docker {
            reason: "citus-testkit was built without its feature `docker`".to_owned(),
        })
    }

    fn addresses(&self) -> Nodes<Address> {
        Nodes {
            coordinator: self.coordinator().address().clone(),
            workers: self
                .workers()
                .iter()
                .map(|node| node.address().clone())
                .collect(),
        }
    }

    /// Makes the nodes a cluster in the first database; gives the version of Citus.
    async fn form(&self) -> Result<String, DatabaseError> {
        let addresses = self.addresses();
        let coordinator = &addresses.coordinator;
        if self.home.is_some() {
            citus::renew_identities(&addresses, &coordinator.database).await?;
        }
        citus::form(&addresses, &coordinator.database).await?;
        let client = connect(coordinator, &coordinator.database).await?;
        Ok(citus::version(&client, coordinator)
            .await?
            .unwrap_or_default())
    }
}

/// All servers are told first, so that they stop at the same time.
impl Drop for TestCluster {
    fn drop(&mut self) {
        for node in self.nodes.iter_mut() {
            node.abandon();
        }
    }
}
