//! A cluster with a fault proxy before each node.

use std::collections::HashMap;
use std::sync::Arc;

use crate::address::Address;
use crate::nodes::Nodes;
use crate::{FaultProxy, StartError, TestCluster, TestDatabase};

impl TestCluster {
    /// Puts a [`FaultProxy`] before each node, for clients: the nodes themselves go on talking to
    /// each other directly. The proxies are served by the current tokio runtime.
    ///
    /// ```no_run
    /// # async fn test() -> Result<(), Box<dyn std::error::Error>> {
    /// use citus_testkit::{Direction, TestCluster};
    ///
    /// let cluster = TestCluster::shared().await?;
    /// let database = cluster.create_database().await?;
    /// let proxied = cluster.proxied().await?;
    /// // For an application that learns the nodes from the coordinator, such as one with
    /// // citus-client: `Config::new(&url)?.translate_address(move |node| …)`.
    /// let url = proxied.url(&database);
    /// let addresses = proxied.addresses();
    /// let translate = move |host: &str, port: u16| addresses.translate(host, port);
    ///
    /// proxied.workers()[0].black_hole(Direction::Both);
    /// // … and what does the application do now?
    /// proxied.workers()[0].heal().await;
    /// # let _ = (url, translate);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`StartError::Io`] when no port can be bound.
    pub async fn proxied(&self) -> Result<ProxiedCluster, StartError> {
        let coordinator = before(self.coordinator().address()).await?;
        let mut workers = Vec::new();
        for worker in self.workers() {
            workers.push(before(worker.address()).await?);
        }
        let proxies = Nodes {
            coordinator,
            workers,
        };
        let mut addresses = HashMap::new();
        for (node, proxy) in self.nodes().zip(proxies.iter()) {
            let (node, proxy) = (node.address(), proxy.address());
            let proxy = (proxy.ip().to_string(), proxy.port());
            // As the nodes know each other, and as clients do.
            addresses.insert((node.peer_host.clone(), node.peer_port), proxy.clone());
            addresses.insert((node.host.clone(), node.port), proxy);
        }
        let addresses = Addresses(Arc::new(addresses));
        Ok(ProxiedCluster { proxies, addresses })
    }
}

async fn before(node: &Address) -> Result<FaultProxy, StartError> {
    let proxy = FaultProxy::start(node.host.clone(), node.port).await;
    proxy.map_err(StartError::io("bind", "127.0.0.1"))
}

/// The fault proxies before the nodes of a cluster; made by [`TestCluster::proxied`].
#[derive(Debug)]
pub struct ProxiedCluster {
    proxies: Nodes<FaultProxy>,
    addresses: Addresses,
}

impl ProxiedCluster {
    /// The one before the coordinator.
    pub fn coordinator(&self) -> &FaultProxy {
        &self.proxies.coordinator
    }

    /// Those before the workers, in the order of [`TestCluster::workers`].
    pub fn workers(&self) -> &[FaultProxy] {
        &self.proxies.workers
    }

    /// All, the coordinator's first.
    pub fn nodes(&self) -> impl Iterator<Item = &FaultProxy> {
        self.proxies.iter()
    }

    /// The one before a node: 0 is the coordinator, 1 the first worker.
    pub fn node(&self, index: usize) -> Option<&FaultProxy> {
        self.nodes().nth(index)
    }

    /// The one that listens on this port.
    pub fn on_port(&self, port: u16) -> Option<&FaultProxy> {
        self.nodes().find(|proxy| proxy.port() == port)
    }

    /// The URL of a database through the coordinator's proxy.
    pub fn url(&self, database: &TestDatabase) -> String {
        self.node_urls(database).swap_remove(0)
    }

    /// The URL of a database through each node's proxy, the coordinator's first.
    pub fn node_urls(&self, database: &TestDatabase) -> Vec<String> {
        let nodes = database.nodes().zip(self.nodes());
        nodes
            .map(|(node, proxy)| {
                let address = Address {
                    host: proxy.address().ip().to_string(),
                    port: proxy.port(),
                    ..node.address().clone()
                };
                address.url(database.name())
            })
            .collect()
    }

    /// Which proxy stands for which node.
    pub fn addresses(&self) -> Addresses {
        self.addresses.clone()
    }
}

/// Which proxy stands for which node. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Addresses(Arc<HashMap<(String, u16), (String, u16)>>);

impl Addresses {
    /// Host and port of the proxy before a node that is known by this host and port; the same ones
    /// when there is none.
    pub fn translate(&self, host: &str, port: u16) -> (String, u16) {
        let node = (host.to_owned(), port);
        self.0.get(&node).cloned().unwrap_or(node)
    }
}
