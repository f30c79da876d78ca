//! Small programs that show one thing each, the demo, and a cluster for them to play in.
//!
//! | program | shows |
//! |---|---|
//! | `quickstart` | plain SQL for a tenant |
//! | `compile_time` | statements that are checked while the program is built |
//! | `transactions` | several statements, all or nothing |
//! | `streaming` | more rows than one wants in memory |
//! | `unscoped_report` | the one door to SQL over all tenants |
//! | `custom_tenancy` | a schema described by hand, and what the guard makes of it |
//! | `demo` | all of it, with 1,000 tenants: `cargo xtask demo` |
//!
//! Each runs by itself: `cargo run -p citus-examples --bin quickstart`.

mod playground;

pub use playground::{MIGRATIONS, Playground};

/// The page about statements that are checked while a program is built, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../docs/compile-time.md")]
#[derive(Debug)]
pub struct CompileTime;

/// The README's example, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
#[derive(Debug)]
pub struct Readme;

/// The example of the page about a schema for each tenant, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/schema-per-tenant.md")]
#[derive(Debug)]
pub struct SchemaPerTenant;
