//! Real Citus or PostgreSQL clusters for tests and demos, started in a second and gone when
//! dropped.
//!
//! [`TestCluster::start`] gives a coordinator and two workers: real PostgreSQL processes on free
//! ports of 127.0.0.1, with their data in a temporary directory. They are stopped and removed when
//! the handle is dropped, when a test panics, and when the test process is killed.
//!
//! ```no_run
//! # async fn test() -> Result<(), Box<dyn std::error::Error>> {
//! use citus_testkit::TestCluster;
//!
//! let cluster = TestCluster::shared().await?; // one for all tests of a binary
//! let database = cluster.create_database().await?; // one for this test
//! database
//!     .migrate(
//!         "CREATE TABLE projects (tenant_id bigint, id bigint, PRIMARY KEY (tenant_id, id));
//!          SELECT create_distributed_table('projects', 'tenant_id');",
//!     )
//!     .await?;
//! let client = database.connect().await?;
//! client.execute("INSERT INTO projects VALUES (42, 1)", &[]).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What is started
//! The first of these that is there; one line of `tracing` at level `info` says which:
//! 1. `CITUS_TEST_URL`: a cluster that runs already ([`Backend::External`]);
//! 2. Docker, with the feature `docker` and when an engine answers ([`Backend::Docker`]);
//! 3. a local PostgreSQL with the extension `citus`: a real Citus cluster ([`Backend::Citus`]);
//! 4. a local PostgreSQL 15 or newer: independent nodes, on which [`TestDatabase::migrate`] creates
//!    every table ([`Backend::Postgres`]).
//!
//! [`TestClusterBuilder::backend`] or the variable `CITUS_TEST_BACKEND` takes one of them and nothing
//! else.
//!
//! # A network that fails
//! [`TestCluster::proxied`] puts a [`FaultProxy`] before each node: it delays, cuts, holds back,
//! swallows, refuses, and answers with errors, between PostgreSQL's messages or inside of them. A
//! [`Scenario`] says what happens to nodes and network, and when.
//!
//! # Variables
//! | variable | meaning |
//! | --- | --- |
//! | `CITUS_TEST_URL` | the coordinator of a running cluster; after it, separated by blanks, the workers, where the names in `pg_dist_node` do not resolve here or the servers have no Citus |
//! | `CITUS_TEST_BACKEND` | `external`, `docker`, `citus` or `postgres` |
//! | `PG_CONFIG` | the `pg_config` of the PostgreSQL to use; without it, `PATH` and the usual directories are searched |
//! | `TMPDIR` | where the data goes; without it, `/dev/shm` where at least 4 GiB are free there and 8 GiB of memory, else `/tmp` |
//! | `XDG_CACHE_HOME` | where the result of `initdb` is kept; without it, `~/.cache` |
//!
//! # Not for production data
//! The servers run with `fsync = off`, and anyone who can log in on the same machine can connect to
//! them as superuser while they run.

#[cfg(not(unix))]
compile_error!("citus-testkit starts servers on Linux and macOS only");

mod address;
mod backend;
mod builder;
mod citus;
mod cluster;
mod connect;
mod database;
#[cfg(feature = "docker")]
mod docker;
mod error;
mod external;
mod local;
mod node;
mod nodes;
mod proxied;
mod proxy;
mod scenario;
mod script;

pub use backend::{Backend, BackendChoice};
pub use builder::TestClusterBuilder;
pub use cluster::TestCluster;
pub use database::{DatabaseNode, TestDatabase};
pub use error::{DatabaseError, NodeError, StartError};
pub use node::Node;
pub use proxied::{Addresses, ProxiedCluster};
pub use proxy::{Armed, Counts, Cut, Direction, ErrorResponse, FaultProxy, Message, Reaction};
pub use scenario::{Event, Scenario};
// `connect()` hands out its client: users need the very same version.
pub use tokio_postgres;
