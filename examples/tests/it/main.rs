//! The programs run, and the documents say what is so.

#![allow(
    clippy::unwrap_used,
    reason = "a helper of a test fails as a test does"
)]

mod documents;
mod programs;
