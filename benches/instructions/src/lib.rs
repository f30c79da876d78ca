//! What measures of the guard share: a schema and statements of known sizes.

pub mod statements;
