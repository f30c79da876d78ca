//! From text to facts. One module a reader; each makes the same [`facts`](crate::facts).

mod characters;
#[cfg(test)]
#[cfg(feature = "pg-grammar")]
mod differential;
mod limits;
#[cfg(feature = "pg-grammar")]
pub(crate) mod pg;
pub(crate) mod sqlparser;

#[cfg(feature = "pg-grammar")]
pub(crate) use limits::too_deep;
