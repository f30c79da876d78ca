//! Texts, byte strings and UUIDs.
//!
//! Texts hash as their bytes in the server's encoding. Collations do not matter: Citus refuses a
//! distribution column with a non-deterministic one (13.2), and of a deterministic one equal texts
//! are equal bytes.

use super::lookup3::hash_bytes;

/// The hash of a `text` or `varchar`. Trailing blanks count.
pub fn hash_text(value: &str) -> i32 {
    hash_bytes(value.as_bytes())
}

/// The hash of a `char(n)`: blanks at the end do not count, because they do not when comparing.
pub fn hash_bpchar(value: &str) -> i32 {
    hash_bytes(value.trim_end_matches(' ').as_bytes())
}

/// The hash of a `bytea`.
pub fn hash_bytea(value: &[u8]) -> i32 {
    hash_bytes(value)
}

/// The hash of a `uuid`, given its 16 bytes in the order in which they are written.
pub fn hash_uuid(value: &[u8; 16]) -> i32 {
    hash_bytes(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailing_blanks_count_in_text_only() {
        assert_ne!(hash_text("ab"), hash_text("ab  "));
        assert_eq!(hash_bpchar("ab"), hash_bpchar("ab  "));
        assert_ne!(hash_bpchar("ab"), hash_bpchar("ab\t"));
    }
}
