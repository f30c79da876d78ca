//! Bob Jenkins' lookup3, as in PostgreSQL's `src/common/hashfn.c` on little-endian machines.

/// What PostgreSQL adds to the golden ratio and the length.
const SEED: u32 = 0x9e37_79b9_u32.wrapping_add(3_923_095);

/// `hash_bytes`.
pub(super) fn hash_bytes(bytes: &[u8]) -> i32 {
    // PostgreSQL's lengths are 32-bit, too; a value is at most 1 GiB.
    #[allow(clippy::cast_possible_truncation, reason = "as the server does")]
    let start = SEED.wrapping_add(bytes.len() as u32);
    let mut state = State {
        a: start,
        b: start,
        c: start,
    };

    let mut blocks = bytes.chunks_exact(12);
    for block in &mut blocks {
        state.add(word(block, 0), word(block, 4), word(block, 8));
        state.mix();
    }

    // The lowest byte of `c` is reserved for the length, so the last word moves up by one.
    let mut tail = [0; 12];
    let rest = blocks.remainder();
    tail[..rest.len()].copy_from_slice(rest);
    state.add(word(&tail, 0), word(&tail, 4), word(&tail, 8) << 8);
    state.finish()
}

/// `hash_bytes_uint32`.
pub(super) fn hash_u32(value: u32) -> i32 {
    let start = SEED.wrapping_add(4);
    State {
        a: start.wrapping_add(value),
        b: start,
        c: start,
    }
    .finish()
}

struct State {
    a: u32,
    b: u32,
    c: u32,
}

impl State {
    fn add(&mut self, a: u32, b: u32, c: u32) {
        self.a = self.a.wrapping_add(a);
        self.b = self.b.wrapping_add(b);
        self.c = self.c.wrapping_add(c);
    }

    fn mix(&mut self) {
        let Self {
            mut a,
            mut b,
            mut c,
        } = *self;
        (a, c) = mix_step(a, b, c, 4);
        (b, a) = mix_step(b, c, a, 6);
        (c, b) = mix_step(c, a, b, 8);
        (a, c) = mix_step(a, b, c, 16);
        (b, a) = mix_step(b, c, a, 19);
        (c, b) = mix_step(c, a, b, 4);
        *self = Self { a, b, c };
    }

    fn finish(self) -> i32 {
        let Self {
            mut a,
            mut b,
            mut c,
        } = self;
        c = (c ^ b).wrapping_sub(b.rotate_left(14));
        a = (a ^ c).wrapping_sub(c.rotate_left(11));
        b = (b ^ a).wrapping_sub(a.rotate_left(25));
        c = (c ^ b).wrapping_sub(b.rotate_left(16));
        a = (a ^ c).wrapping_sub(c.rotate_left(4));
        b = (b ^ a).wrapping_sub(a.rotate_left(14));
        c = (c ^ b).wrapping_sub(b.rotate_left(24));
        c.cast_signed()
    }
}

/// `x -= z; x ^= rot(z, n); z += y`, and gives the new `x` and `z`.
fn mix_step(x: u32, y: u32, z: u32, n: u32) -> (u32, u32) {
    (x.wrapping_sub(z) ^ z.rotate_left(n), z.wrapping_add(y))
}

fn word(block: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn four_bytes_hash_as_their_word(value: u32) {
            // True of lookup3 only because the length is part of the seed in both.
            prop_assert_eq!(hash_bytes(&value.to_le_bytes()), hash_u32(value));
        }

        #[test]
        fn any_length_is_hashed(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let longer = [&bytes[..], &[0]].concat();
            prop_assert_ne!(hash_bytes(&bytes), hash_bytes(&longer));
        }
    }
}
