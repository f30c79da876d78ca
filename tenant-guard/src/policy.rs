//! What a team allows beyond the defaults.

use std::collections::BTreeSet;

use crate::Ident;

/// The bounds of what a [`Guard`](crate::Guard) accepts.
///
/// ```
/// use tenant_guard::Policy;
/// let policy = Policy::default().allow_function("slugify").max_bytes(16 * 1024);
/// # let _ = policy;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Policy {
    pub(crate) allowed_functions: BTreeSet<Ident>,
    pub(crate) max_bytes: usize,
    pub(crate) cache_bytes: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            allowed_functions: BTreeSet::new(),
            max_bytes: 256 * 1024,
            cache_bytes: 16 * 1024 * 1024,
        }
    }
}

impl Policy {
    /// Declares a function of yours (or of an extension) tenant-safe: what it returns depends on
    /// nothing but its arguments, and it reads and writes no table. The guard cannot check that.
    /// The name is as stored: lower case, without schema.
    pub fn allow_function(mut self, name: impl Into<Ident>) -> Self {
        self.allowed_functions.insert(name.into());
        self
    }

    /// The longest statement that is read, in bytes; 256 KiB by default.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// How much memory accepted statements may take in the cache of
    /// [`Guard::cached`](crate::Guard::cached), in bytes; 16 MiB by default. The least used go first.
    /// Statements of [`Guard::fixed`](crate::Guard::fixed) come on top: they are a part of the program.
    pub fn cache_bytes(mut self, bytes: u64) -> Self {
        self.cache_bytes = bytes;
        self
    }
}
