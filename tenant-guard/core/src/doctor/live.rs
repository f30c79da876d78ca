//! The questions that a server answers with the facts.

/// Asks any PostgreSQL (15 or newer) for all facts but Citus'. The answer is one text value, a JSON
/// document that [`SchemaFacts`](super::SchemaFacts) reads. Any role may ask; nothing but catalogs is
/// read.
///
/// It holds no parameters and can be sent as a simple query.
pub const CATALOG_QUERY: &str = include_str!("live/catalog.sql");

/// Asks Citus (11 or newer) how it keeps the tables. The answer is one text value, a JSON document
/// that [`CitusFacts`](super::CitusFacts) reads. Without Citus the server answers with SQLSTATE 42P01
/// (undefined table).
pub const CITUS_QUERY: &str = include_str!("live/citus.sql");
