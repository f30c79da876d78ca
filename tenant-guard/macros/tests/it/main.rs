//! Integration tests of tenant-guard-macros.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod errors;
mod expansion;
mod messages;
