//! Tables that are distributed alike, and how.

use std::fmt;

/// A colocation group: the hash ranges that its tables share, and who owns each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Colocation {
    id: u32,
    /// The lowest hash of each range, ascending; the first is `i32::MIN`, so that every hash is in
    /// one of them.
    bounds: Box<[i32]>,
    /// The place of the owner of each range among the nodes, where one is known.
    owners: Box<[Option<usize>]>,
    /// The shard of one of its tables for each range; those of the others are changed with it.
    shards: Box<[Option<i64>]>,
}

/// The hashes that one shard holds, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardRange {
    /// `pg_dist_shard.shardminvalue`
    pub min: i32,
    /// `pg_dist_shard.shardmaxvalue`
    pub max: i32,
}

impl fmt::Display for ShardRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..={}", self.min, self.max)
    }
}

/// A range and its owner.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shard {
    pub(super) range: ShardRange,
    pub(super) owner: Option<usize>,
    /// `pg_dist_shard.shardid` of one of the group's tables.
    pub(super) id: Option<i64>,
}

impl Colocation {
    /// From the lowest hash, the owner and the shard of each range; `None` when they do not cover all
    /// hashes in ascending order.
    pub(crate) fn new(id: u32, ranges: Vec<(i32, Option<usize>, Option<i64>)>) -> Option<Self> {
        let (bounds, owners, shards): (Vec<_>, Vec<_>, Vec<_>) = ranges.into_iter().collect();
        let covers = bounds.first() == Some(&i32::MIN) && bounds.is_sorted_by(|a, b| a < b);
        covers.then(|| Self {
            id,
            bounds: bounds.into(),
            owners: owners.into(),
            shards: shards.into(),
        })
    }

    /// `pg_dist_colocation.colocationid`; 0 where there is no Citus.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// How many shards each table of the group has.
    pub fn shard_count(&self) -> usize {
        self.bounds.len()
    }

    /// The hash ranges, ascending.
    pub fn ranges(&self) -> impl Iterator<Item = ShardRange> {
        (0..self.bounds.len())
            .filter_map(|index| self.at(index))
            .map(|shard| shard.range)
    }

    /// The places of the owners, in the order of the ranges.
    pub(super) fn owners(&self) -> impl Iterator<Item = Option<usize>> {
        self.owners.iter().copied()
    }

    /// The shard that holds a hash.
    pub(super) fn shard(&self, hash: i32) -> Option<Shard> {
        self.at(self
            .bounds
            .partition_point(|bound| *bound <= hash)
            .checked_sub(1)?)
    }

    fn at(&self, index: usize) -> Option<Shard> {
        let max = match self.bounds.get(index + 1) {
            Some(next) => next - 1,
            None => i32::MAX,
        };
        let range = ShardRange {
            min: *self.bounds.get(index)?,
            max,
        };
        Some(Shard {
            range,
            owner: *self.owners.get(index)?,
            id: *self.shards.get(index)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_that_leave_hashes_out_are_none() {
        assert_eq!(Colocation::new(1, vec![]), None);
        assert_eq!(Colocation::new(1, vec![(0, Some(0), None)]), None);
        assert_eq!(
            Colocation::new(
                1,
                vec![(i32::MIN, None, None), (5, None, None), (5, None, None)]
            ),
            None
        );
    }

    proptest! {
        #[test]
        fn every_hash_is_in_the_shard_that_is_found(
            mut bounds in proptest::collection::btree_set(any::<i32>(), 0..40),
            hashes in proptest::collection::vec(any::<i32>(), 50),
        ) {
            bounds.insert(i32::MIN);
            let ranges = bounds.iter().enumerate().map(|(owner, min)| (*min, Some(owner), None));
            let colocation = Colocation::new(1, ranges.collect()).unwrap();
            for hash in hashes.into_iter().chain(bounds).chain([i32::MAX]) {
                let shard = colocation.shard(hash).unwrap();
                prop_assert!(shard.range.min <= hash && hash <= shard.range.max);
            }
        }
    }
}
