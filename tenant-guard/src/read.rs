//! From text to facts. One module a reader; each makes the same [`facts`](crate::facts).

pub(crate) mod pg;
