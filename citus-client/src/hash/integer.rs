//! Integers and booleans. Equal numbers hash alike, whatever their width.

use super::lookup3::hash_u32;

/// The hash of an `int2`.
pub fn hash_int2(value: i16) -> i32 {
    hash_int4(value.into())
}

/// The hash of an `int4`.
pub fn hash_int4(value: i32) -> i32 {
    hash_u32(value.cast_unsigned())
}

/// The hash of an `int8`.
///
/// ```
/// use citus_client::hash::{hash_int2, hash_int8};
/// assert_eq!(hash_int8(1), -1905060026); // SELECT worker_hash(1::bigint)
/// assert_eq!(hash_int8(-7), hash_int2(-7));
/// ```
pub fn hash_int8(value: i64) -> i32 {
    // The high half is folded in so that numbers of 32 bits hash as an `int4` does.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the bits of the two halves are wanted"
    )]
    let (low, high) = (value as u32, (value >> 32) as u32);
    hash_u32(low ^ if value >= 0 { high } else { !high })
}

/// The hash of a `boolean`.
pub fn hash_bool(value: bool) -> i32 {
    hash_u32(value.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn equal_numbers_hash_alike(value: i16) {
            prop_assert_eq!(hash_int2(value), hash_int4(value.into()));
            prop_assert_eq!(hash_int2(value), hash_int8(value.into()));
        }

        #[test]
        fn an_int4_hashes_as_an_int8(value: i32) {
            prop_assert_eq!(hash_int4(value), hash_int8(value.into()));
        }
    }
}
