//! One server of a cluster.

use tokio_postgres::Client;

use crate::address::Address;
use crate::connect::connect;
use crate::local::{Server, Stop};
use crate::{DatabaseError, NodeError};

/// One server of a cluster: the coordinator or a worker.
#[derive(Debug)]
pub struct Node {
    address: Address,
    control: Control,
}

/// How a node is stopped and started.
#[derive(Debug)]
enum Control {
    /// A process of ours. Boxed: it is much larger than the others.
    Local(Box<Server>),
    #[cfg(feature = "docker")]
    Docker(crate::docker::Container),
    /// Somebody else's.
    None,
}

impl Node {
    pub(crate) fn local(server: Server) -> Self {
        Self {
            address: Address::local(server.port()),
            control: Control::Local(Box::new(server)),
        }
    }

    #[cfg(feature = "docker")]
    pub(crate) fn docker(address: Address, container: crate::docker::Container) -> Self {
        Self {
            address,
            control: Control::Docker(container),
        }
    }

    pub(crate) fn external(address: Address) -> Self {
        Self {
            address,
            control: Control::None,
        }
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// The URL of this node and of the cluster's first database, such as
    /// `postgresql://postgres@127.0.0.1:15432/postgres`.
    pub fn url(&self) -> String {
        self.address.url(&self.address.database)
    }

    /// The host that clients connect to.
    pub fn host(&self) -> &str {
        &self.address.host
    }

    /// The TCP port that clients connect to. It stays the same over a restart.
    pub fn port(&self) -> u16 {
        self.address.port
    }

    /// Connects to the cluster's first database on this node, without TLS. A task of the current
    /// tokio runtime drives the connection.
    ///
    /// # Errors
    /// [`DatabaseError::Connect`] and [`DatabaseError::Timeout`].
    pub async fn connect(&self) -> Result<Client, DatabaseError> {
        connect(&self.address, &self.address.database).await
    }

    /// Stops the server in an orderly way: sessions are ended, everything is written out. Its port
    /// stays reserved and refuses connections. Does nothing when the server does not run.
    ///
    /// # Errors
    /// [`NodeError::Unsupported`] on an external cluster, [`NodeError::Timeout`].
    pub async fn stop(&self) -> Result<(), NodeError> {
        match &self.control {
            Control::Local(server) => server.stop(Stop::Fast).await,
            #[cfg(feature = "docker")]
            Control::Docker(container) => container.stop(None).await,
            Control::None => Err(self.unsupported("stop")),
        }
    }

    /// Stops the server as a crash would (`pg_ctl stop -m immediate`): nothing is written out, open
    /// transactions are lost, and the next start recovers. No acknowledged commit is lost.
    ///
    /// # Errors
    /// As [`Node::stop`].
    pub async fn stop_hard(&self) -> Result<(), NodeError> {
        match &self.control {
            Control::Local(server) => server.stop(Stop::Immediate).await,
            #[cfg(feature = "docker")]
            Control::Docker(container) => container.stop(Some(0)).await,
            Control::None => Err(self.unsupported("stop_hard")),
        }
    }

    /// Starts the server again on its port, and returns when it accepts connections. Does nothing
    /// when it runs.
    ///
    /// # Errors
    /// [`NodeError::Unsupported`] on an external cluster, [`NodeError::PortTaken`],
    /// [`NodeError::Exited`], [`NodeError::Timeout`].
    pub async fn start(&self) -> Result<(), NodeError> {
        match &self.control {
            Control::Local(server) => server.start().await,
            #[cfg(feature = "docker")]
            Control::Docker(container) => container.start(&self.address).await,
            Control::None => Err(self.unsupported("start")),
        }
    }

    /// [`Node::stop`] and [`Node::start`].
    ///
    /// # Errors
    /// As these two.
    pub async fn restart(&self) -> Result<(), NodeError> {
        self.stop().await?;
        self.start().await
    }

    /// Freezes the whole server (`SIGSTOP` to all its processes): connections stay open, new ones
    /// are accepted by the kernel, and nothing ever answers. So does a machine that hangs.
    ///
    /// # Errors
    /// [`NodeError::Unsupported`] on an external cluster, [`NodeError::Process`] when the server
    /// does not run.
    pub async fn pause(&self) -> Result<(), NodeError> {
        match &self.control {
            Control::Local(server) => server.pause().await,
            #[cfg(feature = "docker")]
            Control::Docker(container) => container.pause().await,
            Control::None => Err(self.unsupported("pause")),
        }
    }

    /// Lets a paused server go on where it was.
    ///
    /// # Errors
    /// As [`Node::pause`].
    pub async fn resume(&self) -> Result<(), NodeError> {
        match &self.control {
            Control::Local(server) => server.resume().await,
            #[cfg(feature = "docker")]
            Control::Docker(container) => container.resume().await,
            Control::None => Err(self.unsupported("resume")),
        }
    }

    /// The end of the server's log, at most 4 KiB; empty when the server is not a local process.
    pub fn log(&self) -> String {
        match &self.control {
            Control::Local(server) => server.log(),
            #[cfg(feature = "docker")]
            Control::Docker(_) => String::new(),
            Control::None => String::new(),
        }
    }

    /// Tells it to stop, without waiting: dropping then waits for all nodes at once.
    pub(crate) fn abandon(&mut self) {
        if let Control::Local(server) = &mut self.control {
            server.abandon();
        }
    }

    fn unsupported(&self, operation: &'static str) -> NodeError {
        NodeError::Unsupported {
            operation,
            node: self.address.to_string(),
        }
    }
}
