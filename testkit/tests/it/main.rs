//! Real clusters, on whatever this machine has.

mod lifecycle;
