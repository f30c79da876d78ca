//! A statement whose text is a part of the program.

use std::sync::OnceLock;
#[cfg(feature = "pg-grammar")]
use std::sync::atomic::{AtomicUsize, Ordering};

/// A statement whose text is a part of the program, with its number of parameters as a type.
///
/// It stands in a `static`, and each guard has a place of its own for what it made of it: from the
/// second use on, [`Guard::fixed`](crate::Guard::fixed) looks into that place, hashes nothing and
/// allocates nothing. The macro `sql!` makes one of a text that was checked while the program was
/// built; one that is made here is checked when it is first used.
///
/// ```
/// # #[cfg(feature = "pg-grammar")] {
/// use tenant_guard::{Guard, Policy, StaticSql, Table, Tenancy, TenantType};
///
/// static TITLE: StaticSql<1> = StaticSql::new("SELECT title FROM tasks WHERE id = $1");
///
/// let tasks = Table::distributed("tasks", "tenant_id", TenantType::Int8)
///     .columns(["tenant_id", "id", "title"]);
/// let guard = Guard::new(Tenancy::builder().table(tasks).build()?, Policy::default());
/// let guarded = guard.fixed(&TITLE)?;
/// assert_eq!(guarded.caller_params(), 1);
/// assert!(std::ptr::eq(guarded, guard.fixed(&TITLE)?));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct StaticSql<const PARAMS: usize> {
    text: &'static str,
    /// Its place in each guard, given when it is first used.
    #[cfg_attr(
        not(feature = "pg-grammar"),
        expect(dead_code, reason = "no guard keeps anything")
    )]
    place: OnceLock<usize>,
}

impl<const PARAMS: usize> StaticSql<PARAMS> {
    /// How many parameters the caller binds.
    pub const PARAMS: usize = PARAMS;

    /// A statement that binds `$1` to `$PARAMS`. Nothing is checked here.
    ///
    /// Make one for each text and program, in a `static`: places are never given back.
    pub const fn new(text: &'static str) -> Self {
        Self {
            text,
            place: OnceLock::new(),
        }
    }

    /// The statement as written.
    pub const fn text(&self) -> &'static str {
        self.text
    }

    /// Its place in each guard: no other statement has it.
    #[cfg(feature = "pg-grammar")]
    pub(crate) fn place(&self) -> usize {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        *self
            .place
            .get_or_init(|| NEXT.fetch_add(1, Ordering::Relaxed))
    }
}
