//! What a tenant's request takes as its statement.

use postgres_types::ToSql;
use tenant_guard::{Guard, GuardedSql, Refusal, StaticSql};

mod sealed {
    #[allow(unnameable_types, reason = "nobody else is to implement it")]
    pub trait Sealed {}
}

/// Parameters of any number.
type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// SQL for a tenant:
///
/// - plain text, which is guarded and remembered,
/// - a [`StaticSql`], of `sql!` or of a `static` of yours, which is guarded once and found without
///   looking at its text. It says how many parameters it takes, so that a wrong number does not build:
///   they are an array, `&[&id, &title]`.
/// - a [`GuardedSql`] that was guarded before ([`Cluster::guard`](crate::Cluster::guard)).
pub trait IntoGuarded: sealed::Sealed + Copy {
    /// What its parameters are given as: `&[&(dyn ToSql + Sync)]`, or an array where their number is
    /// known.
    type Params<'a>;

    /// Guards it, unless that has been done.
    #[doc(hidden)]
    fn into_guarded(self, guard: &Guard) -> Result<GuardedSql, Refusal>;

    #[doc(hidden)]
    fn as_slice(params: Self::Params<'_>) -> Params<'_>;
}

impl sealed::Sealed for &str {}

impl IntoGuarded for &str {
    type Params<'a> = Params<'a>;

    fn into_guarded(self, guard: &Guard) -> Result<GuardedSql, Refusal> {
        guard.cached(self)
    }

    fn as_slice(params: Self::Params<'_>) -> Params<'_> {
        params
    }
}

impl sealed::Sealed for &String {}

impl IntoGuarded for &String {
    type Params<'a> = Params<'a>;

    fn into_guarded(self, guard: &Guard) -> Result<GuardedSql, Refusal> {
        guard.cached(self)
    }

    fn as_slice(params: Self::Params<'_>) -> Params<'_> {
        params
    }
}

impl<const PARAMS: usize> sealed::Sealed for &StaticSql<PARAMS> {}

impl<const PARAMS: usize> IntoGuarded for &StaticSql<PARAMS> {
    type Params<'a> = &'a [&'a (dyn ToSql + Sync); PARAMS];

    fn into_guarded(self, guard: &Guard) -> Result<GuardedSql, Refusal> {
        guard.fixed(self).cloned()
    }

    fn as_slice(params: Self::Params<'_>) -> Params<'_> {
        params
    }
}

impl sealed::Sealed for &GuardedSql {}

impl IntoGuarded for &GuardedSql {
    type Params<'a> = Params<'a>;

    fn into_guarded(self, _: &Guard) -> Result<GuardedSql, Refusal> {
        Ok(self.clone())
    }

    fn as_slice(params: Self::Params<'_>) -> Params<'_> {
        params
    }
}
