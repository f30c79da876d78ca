//! What the benches share: a schema and statements of known sizes.

pub mod statements;
