//! What a tenant's request takes as its statement.

use tenant_guard::{Guard, GuardedSql, Refusal};

mod sealed {
    #[allow(unnameable_types, reason = "nobody else is to implement it")]
    pub trait Sealed {}
}

/// SQL for a tenant: plain text, which is guarded and remembered, or a [`GuardedSql`] that was
/// guarded before ([`Cluster::guard`](crate::Cluster::guard)), which saves looking it up.
pub trait IntoGuarded: sealed::Sealed {
    /// Guards it, unless that has been done.
    #[doc(hidden)]
    fn into_guarded(self, guard: &Guard) -> Result<GuardedSql, Refusal>;
}

impl sealed::Sealed for &str {}

impl IntoGuarded for &str {
    fn into_guarded(self, guard: &Guard) -> Result<GuardedSql, Refusal> {
        guard.cached(self)
    }
}

impl sealed::Sealed for &String {}

impl IntoGuarded for &String {
    fn into_guarded(self, guard: &Guard) -> Result<GuardedSql, Refusal> {
        guard.cached(self)
    }
}

impl sealed::Sealed for &GuardedSql {}

impl IntoGuarded for &GuardedSql {
    fn into_guarded(self, _: &Guard) -> Result<GuardedSql, Refusal> {
        Ok(self.clone())
    }
}
