//! Accepted statements by their text.

use std::fmt;

use foldhash::fast::RandomState;
use quick_cache::Weighter;

use crate::GuardedSql;

/// A bounded map from a statement as written to the statement as guarded.
///
/// A hit compares the whole text, so that no collision of hashes can pass one statement off as another,
/// and the hash only has to be fast. (A keyed hash that could stand for the text, 128 bits of
/// `SipHash` 1-3, takes more instructions than hashing and comparing take together.)
pub(crate) struct Cache(quick_cache::sync::Cache<Box<str>, GuardedSql, Bytes, RandomState>);

impl Cache {
    pub(crate) fn new(bytes: u64) -> Self {
        let typical_entry = 1024;
        let entries = usize::try_from(bytes / typical_entry)
            .unwrap_or(usize::MAX)
            .max(1);
        Self(quick_cache::sync::Cache::with(
            entries,
            bytes,
            Bytes,
            RandomState::default(),
            quick_cache::sync::DefaultLifecycle::default(),
        ))
    }

    pub(crate) fn get(&self, sql: &str) -> Option<GuardedSql> {
        self.0.get(sql)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn insert(&self, sql: &str, guarded: GuardedSql) {
        self.0.insert(sql.into(), guarded);
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("statements", &self.0.len())
            .finish_non_exhaustive()
    }
}

/// What the map itself takes for an entry, and the allocator for its parts; rather too much.
const ENTRY: usize = 256;

/// Weighs an entry by all that it keeps in memory.
#[derive(Clone, Debug)]
struct Bytes;

impl Weighter<Box<str>, GuardedSql> for Bytes {
    fn weight(&self, sql: &Box<str>, guarded: &GuardedSql) -> u64 {
        (sql.len() + guarded.bytes() + ENTRY) as u64
    }
}

#[cfg(test)]
mod tests {
    use crate::{Guard, Policy, Table, Tenancy};

    #[test]
    fn the_cache_is_bounded_in_bytes() {
        let policy = Policy::default().cache_bytes(64 * 1024);
        let guard = Guard::new(Tenancy::builder().build().unwrap(), policy);
        for number in 0..2_000 {
            guard.cached(&format!("SELECT {number}")).unwrap();
        }
        assert!(guard.cached_statements() > 0);
        assert!(guard.cached_statements() < 64 * 1024 / 256);
    }

    #[test]
    fn the_cache_weighs_what_it_keeps() {
        const LIMIT: u64 = 256 * 1024;
        let guard = Guard::new(
            Tenancy::builder()
                .table(Table::reference("t").columns(["id"]))
                .build()
                .unwrap(),
            Policy::default().cache_bytes(LIMIT),
        );
        // Little text and many tables: most of its memory are the places of these.
        let fill = || {
            for number in 0..200 {
                let arms = vec!["SELECT id FROM t"; 40].join(" UNION ALL ");
                guard
                    .cached(&format!("SELECT {number} UNION ALL {arms}"))
                    .unwrap();
            }
        };
        let kept = allocation_counter::measure(fill).bytes_current;
        assert!(
            guard.cached_statements() > 10,
            "{}",
            guard.cached_statements()
        );
        assert!(
            kept < i64::try_from(LIMIT).unwrap(),
            "{kept} bytes are kept"
        );
        assert!(
            kept > i64::try_from(LIMIT / 4).unwrap(),
            "{kept} bytes are kept"
        );
    }

    #[test]
    fn a_cached_statement_is_the_same_one() {
        let guard = Guard::new(Tenancy::builder().build().unwrap(), Policy::default());
        let first = guard.cached("SELECT 1").unwrap();
        assert_eq!(guard.cached("SELECT 1").unwrap(), first);
        assert_eq!(guard.cached_statements(), 1);
    }
}
