//! Dates and points in time, in PostgreSQL's own units.

use super::integer::{hash_int4, hash_int8};

/// The hash of a `date`, given the days since 2000-01-01 (`i32::MAX` and `i32::MIN` are the
/// infinities).
pub fn hash_date(days: i32) -> i32 {
    hash_int4(days)
}

/// The hash of a `timestamptz`, given the microseconds since 2000-01-01 00:00 UTC (`i64::MAX` and
/// `i64::MIN` are the infinities).
pub fn hash_timestamptz(microseconds: i64) -> i32 {
    hash_int8(microseconds)
}
