//! A driver for multi-tenant applications on Citus: plain SQL for a tenant goes in, and goes
//! straight to the worker that owns the tenant's rows, restricted to them.
//!
//! # Connecting
//! [`Cluster::connect`] takes a connection string, and finds out the rest: the nodes, the shards,
//! the tables and their tenant columns.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use citus_client::Cluster;
//!
//! let cluster = Cluster::connect("postgresql://app@coordinator/app").await?;
//! let tenant = cluster.tenant(42);
//!
//! // Sent as `SELECT … WHERE tasks.tenant_id = $2 AND (done = $1)`, to the worker of tenant 42.
//! for row in tenant.query("SELECT id, title FROM tasks WHERE done = $1", &[&false]).await? {
//!     println!("{} {}", row.get::<_, i64>("id"), row.get::<_, String>("title"));
//! }
//!
//! let transaction = tenant.begin().await?;
//! transaction.execute("UPDATE tasks SET done = true WHERE id = $1", &[&7_i64]).await?;
//! transaction.execute("INSERT INTO log (id, what) VALUES ($1, 'done')", &[&7_i64]).await?;
//! transaction.commit().await?;
//!
//! // What concerns all tenants says so.
//! let report = cluster.unscoped("monthly report");
//! let count: i64 = report.query_one("SELECT count(*) FROM tasks", &[]).await?.get(0);
//! # Ok(())
//! # }
//! ```
//!
//! # How a request goes
//! 1. [`Tenant`] reads the snapshot once: the topology, the guard and the nodes' pools.
//! 2. The guard (crate `tenant-guard`) turns the SQL into SQL that sees one tenant's rows, or
//!    refuses it; what it accepted it remembers by its text.
//! 3. [`TenantId`] becomes a value of the tenant column's type, is hashed as Citus does ([`hash`]),
//!    and [`Topology`] says which node owns that hash. Nothing is allocated, nothing awaited.
//! 4. The node's pool lends a connection; the statement is prepared on it once, and executed.
//! 5. The connection goes back idle and clean, or is closed.
//!
//! In the background a task reads the topology anew, now and then and when an error hints at a
//! change. A route that is out of date costs a hop between nodes and is never wrong, because
//! statements name the distributed table and Citus passes them on.
//!
//! # What always holds
//! - No SQL reaches a socket but guarded, through [`Cluster::unscoped`], or as a constant of this
//!   crate. There is no way to the client below.
//! - Every wait has an end: see [`Config`].
//! - A write is never sent twice, unless the server had refused the first one before carrying
//!   anything out.
//! - Errors and traces hold no tenant's data: see [`RequestError`]. (tokio-postgres below logs the
//!   caller's parameters through the crate `log` at level `debug`; leave that off.)
//!
//! # Features
//! - `deadpool` (default), `bb8`: which crates can keep connections.
//! - `rustls-023` (default): TLS.
//! - `metrics-024`: figures by the crate `metrics` 0.24.
//! - `macros`: [`sql!`], [`sql_file!`] and [`sql_deferred!`], statements that are checked while the
//!   application is built.
//! - `cli`: the command `citus-client`.

#![cfg_attr(
    not(feature = "rustls-023"),
    allow(
        clippy::clone_on_copy,
        clippy::trivially_copy_pass_by_ref,
        reason = "what makes TLS sessions is `Copy` only without TLS"
    )
)]

mod batch;
mod bulk_load;
mod cluster;
mod config;
mod connection;
mod copy;
mod error;
pub mod hash;
#[cfg(feature = "macros")]
mod macros;
mod metadata;
mod migrator;
mod observer;
mod pool;
mod request;
mod retry;
mod row_stream;
mod sighting;
mod snapshot;
mod statement;
mod tenant;
mod tenant_id;
mod tls;
mod topology;
mod transaction;
mod unscoped;

pub use batch::Batch;
pub use bulk_load::{BulkLoad, BulkLoaded};
pub use cluster::{Cluster, ClusterEvent, Explanation, Ping, RouteError, StatementRoute, Watch};
pub use config::{
    Config, ConfigError, Credentials, CredentialsRequest, Password, PoolKind, PoolSettings,
    ReadPolicy, ReferenceReads, SchemaChecks, SslMode, StatementMode,
};
pub use copy::{CopyFormat, CopyIn, CopyOut};
pub use error::{BulkLoadError, ConnectError, MigrateError, NodeError, PgError, RequestError};
pub use migrator::Migrator;
#[cfg(feature = "metrics-024")]
pub use observer::Metrics;
pub use observer::{Observer, RequestEvent, Retried, TenantHash, TenantHashKey, TopTenants};
pub use pool::PoolStatus;
pub use request::CompleteAnswer;
pub use retry::RetryPolicy;
pub use row_stream::RowStream;
pub use statement::IntoGuarded;
pub use tenant::Tenant;
pub use tenant_id::{TenantId, TenantIdError};
pub use topology::{
    Colocation, Node, NodeAddress, NodeRole, Route, RouteReason, ShardRange, Topology,
    TopologyError, TopologyKind,
};
pub use transaction::{IsolationLevel, Transaction, TransactionBuilder};
pub use unscoped::{Unscoped, UnscopedTransaction};

// Parts of this crate's own interface, and what one needs to use them.
pub use postgres_types::{FromSql, ToSql};
pub use tenant_guard::{self, GuardedSql, Policy, Refusal, StaticSql, Tenancy, TenantType};
pub use tokio_postgres::Row;
pub use tokio_postgres::error::{DbError, SqlState};
