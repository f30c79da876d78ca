//! Restricts SQL to one tenant, and refuses what it cannot prove.
//!
//! An application keeps all customers in shared tables with a tenant column. One forgotten predicate shows
//! one customer's data to another. A [`Guard`] takes plain SQL and gives SQL in which every tenant
//! table is restricted to one tenant:
//!
//! ```
//! # #[cfg(feature = "pg-grammar")] {
//! use tenant_guard::{Guard, Policy, Table, Tenancy, TenantType};
//!
//! let tenancy = Tenancy::builder()
//!     .table(
//!         Table::distributed("projects", "tenant_id", TenantType::Int8)
//!             .columns(["tenant_id", "id", "name"])
//!             .unique_key(["tenant_id", "id"]),
//!     )
//!     .table(Table::reference("countries").columns(["code", "name"]))
//!     .build()?;
//! let guard = Guard::new(tenancy, Policy::default());
//!
//! let guarded = guard.check("UPDATE projects SET name = $2 WHERE id = $1")?;
//! assert_eq!(
//!     guarded.text(),
//!     "UPDATE public.projects SET name = $2 WHERE projects.tenant_id = $3 AND (id = $1)"
//! );
//!
//! let refusal = guard.check("UPDATE projects SET tenant_id = 7").unwrap_err();
//! assert_eq!(refusal.code().as_str(), "TG017");
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The law
//! For each statement `q` that is accepted and each tenant `t`: the guarded statement, run for `t`
//! on the whole database, does exactly what `q` does on a database that holds only `t`'s rows.
//! Whatever `q` says of the tenant column is never taken for a proof.
//!
//! # The way of a statement
//! *read* (PostgreSQL's own grammar makes facts) → *decide* (rules make edits, or a [`Refusal`]) →
//! *splice* (the original text gets insertions; no tree is printed) → *certify* (the new text is read
//! again and proven to be the input plus exactly the restrictions) → [`GuardedSql`].
//!
//! # Features
//! - `pg-grammar` (default): the reader that is trusted, by libpg_query, and the proof. It needs a C
//!   compiler and libclang to build. Without it a statement can be drafted ([`Guard::draft`]) but not
//!   proven, so that there is nothing to send.
//! - `macros` (default): [`sql!`] and its kin, statements that are checked against the project's migrations
//!   while the application is built. They need no C compiler.
//! - `cli`: the `tenant-guard` command.
//!
//! What is here but the macros is defined in `tenant-guard-core`, because the macros need it, too.

#[doc(inline)]
pub use tenant_guard_core::*;
#[cfg(feature = "macros")]
pub use tenant_guard_macros::{sql, sql_deferred, sql_file, tenancy};
