//! Clusters of containers.
//!
//! The containers use the host's network: a node then has the same address for clients as for the
//! other nodes, which a client that reads `pg_dist_node` depends on. Docker Desktop needs its
//! option "Enable host networking" for that.

use std::ffi::OsStr;
use std::future::Future;
use std::io;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use testcontainers::core::client::docker_client_instance;
use testcontainers::core::{ContainerRequest, WaitFor};
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{ContainerAsync, GenericImage, ImageExt as _, TestcontainersError};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{sleep, timeout};

use crate::address::Address;
use crate::connect::connect;
use crate::local::configuration::{CITUS, COMMON, lines};
use crate::local::port::Reservation;
use crate::local::watchdog::Watchdog;
use crate::nodes::Nodes;
use crate::{Node, NodeError, StartError};

const IMAGE: &str = "citusdata/citus";
const TAG: &str = "latest";
const LABEL: &str = "citus-testkit";
/// The first start can have to pull the image.
const START_TIMEOUT: Duration = Duration::from_secs(300);
const READY_TIMEOUT: Duration = Duration::from_secs(60);
const CONTROL_TIMEOUT: Duration = Duration::from_secs(60);
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// For a process that ends without dropping its containers. Its argument is the label's value.
const WATCHDOG: &str = r#"
trap '' HUP INT QUIT TERM
while read -r _; do :; done
for container in $(docker ps --all --quiet --filter "label=citus-testkit=$1"); do
    docker rm --force --volumes "$container"
done
"#;

/// A node that runs in a container. Dropping it removes the container.
#[derive(Debug)]
pub(crate) struct Container {
    container: Option<Arc<ContainerAsync<GenericImage>>>,
    _watchdog: Arc<Watchdog>,
}

/// Whether a Docker engine answers.
pub(crate) async fn engine_answers() -> bool {
    let ping = on_own_runtime(PING_TIMEOUT, async {
        docker_client_instance().await.ok()?.ping().await.ok()
    });
    matches!(ping.await, Ok(Some(_)))
}

/// Starts a container for each node; they are no cluster yet.
pub(crate) async fn start(
    workers: usize,
    settings: &[(String, String)],
) -> Result<Nodes<Node>, StartError> {
    if !engine_answers().await {
        return Err(failed(
            "no engine answers (is it running, and may this user use it?)",
        ));
    }
    // Refuses what is no setting, as the local servers do.
    lines(
        settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    )?;
    let cluster = format!("{}-{}", std::process::id(), free_port()?);
    let watchdog = Watchdog::running(WATCHDOG, OsStr::new(&cluster))
        .map(Arc::new)
        .map_err(StartError::io("run", "/bin/sh"))?;
    let start = async || {
        let port = free_port()?;
        let request = request(port, settings).with_label(LABEL, &cluster);
        let container = on_own_runtime(START_TIMEOUT, request.start())
            .await
            .and_then(|started| started.map_err(io::Error::other))
            .map_err(|error| failed(&error.to_string()))?;
        let container = Container {
            container: Some(Arc::new(container)),
            _watchdog: Arc::clone(&watchdog),
        };
        let address = Address::local(port);
        ready(&address).await?;
        Ok::<_, StartError>(Node::docker(address, container))
    };
    let coordinator = start().await?;
    let mut nodes = Nodes {
        coordinator,
        workers: Vec::with_capacity(workers),
    };
    for _ in 0..workers {
        nodes.workers.push(start().await?);
    }
    Ok(nodes)
}

impl Container {
    /// Stops it, and kills it when it has not ended after so many seconds.
    pub(crate) async fn stop(&self, seconds: Option<i32>) -> Result<(), NodeError> {
        self.control(move |it| async move { it.stop_with_timeout(seconds).await })
            .await
    }

    pub(crate) async fn start(&self, address: &Address) -> Result<(), NodeError> {
        self.control(|it| async move { it.start().await }).await?;
        ready(address).await
    }

    pub(crate) async fn pause(&self) -> Result<(), NodeError> {
        self.control(|it| async move { it.pause().await }).await
    }

    pub(crate) async fn resume(&self) -> Result<(), NodeError> {
        self.control(|it| async move { it.unpause().await }).await
    }

    async fn control<F>(
        &self,
        operation: impl FnOnce(Arc<ContainerAsync<GenericImage>>) -> F,
    ) -> Result<(), NodeError>
    where
        F: Future<Output = Result<(), TestcontainersError>> + Send + 'static,
    {
        let Some(container) = self.container.clone() else {
            return Ok(());
        };
        on_own_runtime(CONTROL_TIMEOUT, operation(container))
            .await
            .and_then(|done| done.map_err(io::Error::other))
            .map_err(|error| NodeError::Docker {
                reason: error.to_string(),
            })
    }
}

/// On a thread of its own: the caller's can drive a runtime, which must not be blocked on another.
impl Drop for Container {
    fn drop(&mut self) {
        let container = self.container.take().and_then(Arc::into_inner);
        let (Some(container), Ok(runtime)) = (container, runtime()) else {
            return;
        };
        let removal = move || {
            if let Err(error) = runtime.block_on(container.rm()) {
                tracing::warn!(%error, "a container could not be removed");
            }
        };
        if let Ok(thread) = thread::Builder::new().spawn(removal) {
            let _ = thread.join();
        }
    }
}

fn request(port: u16, settings: &[(String, String)]) -> ContainerRequest<GenericImage> {
    let port = port.to_string();
    let own = [("listen_addresses", "127.0.0.1"), ("port", &port)];
    let custom = settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let mut command = vec!["postgres".to_owned()];
    for (name, value) in COMMON.into_iter().chain(CITUS).chain(custom).chain(own) {
        command.extend(["-c".to_owned(), format!("{name}={value}")]);
    }
    GenericImage::new(IMAGE, TAG)
        .with_wait_for(WaitFor::Nothing)
        .with_network("host")
        .with_env_var("POSTGRES_HOST_AUTH_METHOD", "trust")
        .with_shm_size(256 << 20)
        .with_startup_timeout(START_TIMEOUT)
        .with_cmd(command)
}

/// Until it answers. While the image prepares its data directory, its server has no TCP port.
async fn ready(address: &Address) -> Result<(), NodeError> {
    let deadline = Instant::now() + READY_TIMEOUT;
    loop {
        match connect(address, &address.database).await {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() > deadline => {
                return Err(NodeError::Docker {
                    reason: error.to_string(),
                });
            }
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
}

fn free_port() -> Result<u16, StartError> {
    let reservation = Reservation::any().map_err(StartError::io("bind", "127.0.0.1"))?;
    Ok(reservation.release())
}

fn failed(reason: &str) -> StartError {
    StartError::Docker {
        reason: reason.to_owned(),
    }
}

/// The engine's client is tied to the runtime it was made on, and a cluster outlives the runtime of
/// the test that started it.
fn runtime() -> io::Result<&'static Runtime> {
    static RUNTIME: OnceLock<io::Result<Runtime>> = OnceLock::new();
    RUNTIME
        .get_or_init(|| {
            Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
        })
        .as_ref()
        .map_err(|error| io::Error::from(error.kind()))
}

async fn on_own_runtime<T: Send + 'static>(
    limit: Duration,
    future: impl Future<Output = T> + Send + 'static,
) -> io::Result<T> {
    let task = runtime()?.spawn(async move { timeout(limit, future).await });
    task.await
        .map_err(io::Error::other)?
        .map_err(io::Error::from)
}
