//! The statements that are prepared on a connection.

use std::num::NonZeroUsize;

use lru::LruCache;
use tokio_postgres::Statement;

/// A bounded number of prepared statements by their text. The least recently used one makes room;
/// dropping it has the server close it, too.
pub(super) struct Statements(LruCache<Box<str>, Statement, foldhash::fast::RandomState>);

impl Statements {
    pub(super) fn new(capacity: usize) -> Self {
        let capacity = NonZeroUsize::new(capacity).unwrap_or(NonZeroUsize::MIN);
        Self(LruCache::with_hasher(
            capacity,
            foldhash::fast::RandomState::default(),
        ))
    }

    pub(super) fn get(&mut self, text: &str) -> Option<Statement> {
        self.0.get(text).cloned()
    }

    pub(super) fn insert(&mut self, text: &str, statement: Statement) {
        self.0.put(text.into(), statement);
    }

    pub(super) fn remove(&mut self, text: &str) {
        self.0.pop(text);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl std::fmt::Debug for Statements {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Statements({} of {})", self.0.len(), self.0.cap())
    }
}
