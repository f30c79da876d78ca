//! Real clusters, on whatever this machine has.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "helpers of tests may do what tests may"
)]

mod citus;
mod cleanup;
mod databases;
mod external;
mod lifecycle;
mod proxied;
mod proxy;
mod scenario;
mod support;
