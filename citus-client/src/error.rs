//! What can go wrong, one enum for each stage.
//!
//! `Display` and `Debug` of all of them are fit for a log: they show SQLSTATEs, names of tables and
//! constraints, nodes and times, and never a `DETAIL`, a parameter or another value. What the
//! server said in full is there for those who ask ([`RequestError::db_error`]).

mod bulk_load;
mod connect;
mod migrate;
mod pg;
mod request;

pub use bulk_load::BulkLoadError;
pub use connect::{ConnectError, NodeError};
pub use migrate::MigrateError;
pub use pg::PgError;
pub use request::RequestError;
