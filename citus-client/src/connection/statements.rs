//! What a connection remembers of statements, by their text.

use lru::LruCache;
use tokio_postgres::Statement;
use tokio_postgres::types::Type;

/// What the server holds for a prepared statement beyond its text: measured on PostgreSQL 15, 7.8 KiB
/// after it was run once with a plan of its own.
const PREPARED: usize = 8 * 1024;

/// How much a connection remembers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) statements: usize,
    pub(crate) bytes: usize,
}

/// A bounded number of what is kept for statements, and a bounded size of it. What was used least
/// recently makes room; a prepared statement that is dropped is closed on the server, too.
pub(super) struct Kept<V> {
    entries: LruCache<Box<str>, V, foldhash::fast::RandomState>,
    bytes: usize,
    bounds: Bounds,
}

/// What is kept for a statement.
pub(super) trait Keep: Clone {
    /// About how much memory it takes here and on the server, without the text.
    fn size(&self) -> usize;
}

impl Keep for Statement {
    fn size(&self) -> usize {
        let names = self.columns().iter().map(|column| column.name().len());
        let entries = self.params().len() + self.columns().len();
        PREPARED + names.sum::<usize>() + entries * size_of::<Type>()
    }
}

/// The types of the parameters, for statements that the server does not remember.
impl Keep for std::sync::Arc<[Type]> {
    fn size(&self) -> usize {
        size_of_val::<[Type]>(self)
    }
}

impl<V: Keep> Kept<V> {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            entries: LruCache::unbounded_with_hasher(foldhash::fast::RandomState::default()),
            bytes: 0,
            bounds,
        }
    }

    pub(super) fn get(&mut self, text: &str) -> Option<V> {
        self.entries.get(text).cloned()
    }

    /// What alone is larger than all may be is not kept.
    pub(super) fn insert(&mut self, text: &str, value: V) {
        let size = size(text, &value);
        if size > self.bounds.bytes {
            return;
        }
        if let Some(before) = self.entries.put(text.into(), value) {
            self.bytes -= self::size(text, &before);
        }
        self.bytes += size;
        while self.entries.len() > self.bounds.statements.max(1) || self.bytes > self.bounds.bytes {
            let Some((text, value)) = self.entries.pop_lru() else {
                break;
            };
            self.bytes -= self::size(&text, &value);
        }
    }

    pub(super) fn remove(&mut self, text: &str) {
        if let Some(value) = self.entries.pop(text) {
            self.bytes -= size(text, &value);
        }
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.bytes = 0;
    }
}

/// The text is here and, for a prepared statement, in the server's source and tree.
fn size(text: &str, value: &impl Keep) -> usize {
    3 * text.len() + value.size()
}

impl<V> std::fmt::Debug for Kept<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} statements, {} bytes", self.entries.len(), self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Sized(usize);

    impl Keep for Sized {
        fn size(&self) -> usize {
            self.0
        }
    }

    fn kept(statements: usize, bytes: usize) -> Kept<Sized> {
        Kept::new(Bounds { statements, bytes })
    }

    #[test]
    fn the_least_recently_used_make_room_by_number_and_by_size() {
        let mut kept = kept(3, 100);
        for text in ["a", "b", "c"] {
            kept.insert(text, Sized(7));
        }
        assert!(kept.get("a").is_some());
        kept.insert("d", Sized(7));
        assert!(kept.get("b").is_none());
        assert_eq!(kept.bytes, 30);
        // So large that two of the others have to go.
        kept.insert("e", Sized(78));
        assert_eq!(kept.bytes, 91);
        assert_eq!(kept.entries.len(), 2);
        assert!(kept.get("d").is_some());
        kept.remove("e");
        assert_eq!(kept.bytes, 10);
    }

    #[test]
    fn what_is_too_large_is_not_kept_and_what_is_replaced_counts_once() {
        let mut kept = kept(3, 100);
        kept.insert("a", Sized(7));
        kept.insert("b", Sized(98));
        assert!(kept.get("a").is_some() && kept.get("b").is_none());
        kept.insert("a", Sized(17));
        assert_eq!(kept.bytes, 20);
        kept.clear();
        assert_eq!(kept.bytes, 0);
    }
}
