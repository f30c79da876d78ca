//! Accepted statements by their place, for statements that are a part of the program.

use std::fmt;
use std::sync::OnceLock;

use crate::GuardedSql;

/// How many places the first block has. Each block has twice as many as the one before.
const FIRST_BLOCK: usize = 64;

/// More blocks than a program has statements for: 131,008 places.
const BLOCKS: usize = 11;

/// What one guard made of each [`StaticSql`](crate::StaticSql). Finding a place takes neither a hash
/// nor a lock, and nothing is ever moved or taken out, so that what was found can be borrowed.
///
/// A place takes 16 bytes and a block is made when it is first needed: at most 48 bytes for each
/// statement of the program, beside the statement itself.
pub(crate) struct Places([OnceLock<Box<[OnceLock<GuardedSql>]>>; BLOCKS]);

impl Places {
    pub(crate) fn new() -> Self {
        Self([const { OnceLock::new() }; BLOCKS])
    }

    /// The place of this number; `None` beyond the last.
    pub(crate) fn at(&self, number: usize) -> Option<&OnceLock<GuardedSql>> {
        let block = (number / FIRST_BLOCK + 1).ilog2() as usize;
        let size = FIRST_BLOCK << block.min(BLOCKS);
        let places = self
            .0
            .get(block)?
            .get_or_init(|| (0..size).map(|_| OnceLock::new()).collect());
        places.get(number - (size - FIRST_BLOCK))
    }

    /// How many places hold a statement.
    pub(crate) fn taken(&self) -> usize {
        let blocks = self.0.iter().filter_map(OnceLock::get);
        blocks
            .flat_map(|places| places.iter())
            .filter(|place| place.get().is_some())
            .count()
    }
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Places")
            .field("statements", &self.taken())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_number_has_a_place_of_its_own() {
        let places = Places::new();
        let all = FIRST_BLOCK * ((1 << BLOCKS) - 1);
        let found: BTreeSet<_> = (0..all)
            .map(|number| std::ptr::from_ref(places.at(number).unwrap()))
            .collect();
        assert_eq!(found.len(), all);
        assert!(places.at(all).is_none());
        assert!(places.at(usize::MAX).is_none());
    }
}
