//! Against real servers: Citus where it is installed, else plain PostgreSQL.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, which the setting for tests does not reach"
)]

mod batch;
mod clean_return;
#[cfg(feature = "cli")]
mod command;
mod copy;
#[cfg(all(feature = "rustls-023", unix))]
mod credentials;
mod faults;
mod membership;
mod migrations;
mod moves;
mod network_faults;
mod observer;
#[cfg(all(feature = "rustls-023", unix))]
mod pgbouncer;
mod pools;
mod refresh;
mod requests;
mod retries;
mod routing;
mod schema_checks;
mod schema_tenants;
#[cfg(all(feature = "rustls-023", unix))]
mod server;
mod static_sql;
mod support;
#[cfg(all(feature = "rustls-023", unix))]
mod tls;
mod transactions;
mod unscoped;
mod views;
