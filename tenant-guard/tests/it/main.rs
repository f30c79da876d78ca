//! Integration tests of tenant-guard, one module a theme.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod bad_input;
mod cases;
#[cfg(feature = "cli")]
mod cli;
mod doctor;
mod extensions;
mod isolation;
#[cfg(feature = "cli")]
mod lint;
mod messages;
mod migrations;
mod readers;
mod refusals;
mod rls;
mod schema;
mod schemas;
mod views;
