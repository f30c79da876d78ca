//! From text to facts. One module a reader; each makes the same [`facts`](crate::facts).

#[cfg(feature = "pg-grammar")]
pub(crate) mod pg;
