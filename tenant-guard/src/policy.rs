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
    pub(crate) refuse_unknown_columns: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            allowed_functions: BTreeSet::new(),
            max_bytes: 256 * 1024,
            cache_bytes: 16 * 1024 * 1024,
            refuse_unknown_columns: false,
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

    /// Refuses a name that is surely no column, such as `titel` for `title`: PostgreSQL would, too,
    /// when the statement is prepared. It is for checks of a program that is being built, where the
    /// tenancy is the schema that the program will run on; a server may be ahead of what a running
    /// program knows of it. Off by default.
    ///
    /// ```
    /// # #[cfg(feature = "pg-grammar")] {
    /// use tenant_guard::{Guard, Policy, Table, Tenancy};
    ///
    /// let countries = Table::reference("countries").columns(["code", "name"]);
    /// let tenancy = Tenancy::builder().table(countries).build()?;
    /// let guard = Guard::new(tenancy, Policy::default().refuse_unknown_columns());
    /// let refusal = guard.check("SELECT nmae FROM countries").unwrap_err();
    /// assert_eq!(refusal.to_string(), "TG023: countries has no column nmae");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn refuse_unknown_columns(mut self) -> Self {
        self.refuse_unknown_columns = true;
        self
    }
}
