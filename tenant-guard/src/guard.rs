//! The way from plain SQL to guarded SQL.

use std::sync::Arc;

#[cfg(feature = "pg-grammar")]
use crate::GuardedSql;
#[cfg(feature = "pg-grammar")]
use crate::cache::Cache;
#[cfg(feature = "pg-grammar")]
use crate::certify::certify;
use crate::decide::decide;
use crate::draft::Draft;
#[cfg(feature = "pg-grammar")]
use crate::guarded::Parts;
#[cfg(feature = "pg-grammar")]
use crate::read::pg;
use crate::read::sqlparser;
use crate::splice::splice;
use crate::{Policy, Refusal, Tenancy};

/// Checks and rewrites statements under one tenancy and policy. Cloning is cheap, and clones share
/// what `cached` remembers.
///
/// ```
/// # #[cfg(feature = "pg-grammar")] {
/// use tenant_guard::{Guard, Policy, Table, Tenancy, TenantType};
///
/// let tasks = Table::distributed("tasks", "tenant_id", TenantType::Int8)
///     .columns(["tenant_id", "id", "title"])
///     .unique_key(["tenant_id", "id"]);
/// let guard = Guard::new(Tenancy::builder().table(tasks).build()?, Policy::default());
///
/// let guarded = guard.check("SELECT title FROM tasks WHERE id = $1")?;
/// assert_eq!(
///     guarded.text(),
///     "SELECT title FROM public.tasks WHERE tasks.tenant_id = $2 AND (id = $1)"
/// );
/// assert_eq!(guarded.tenant_param(), Some(2));
///
/// let refusal = guard.check("SELECT * FROM invoices").unwrap_err();
/// assert_eq!(refusal.code().as_str(), "TG006");
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Guard {
    tenancy: Arc<Tenancy>,
    policy: Arc<Policy>,
    #[cfg(feature = "pg-grammar")]
    cache: Arc<Cache>,
}

impl Guard {
    /// A guard for this schema.
    pub fn new(tenancy: impl Into<Arc<Tenancy>>, policy: Policy) -> Self {
        Self {
            tenancy: tenancy.into(),
            #[cfg(feature = "pg-grammar")]
            cache: Arc::new(Cache::new(policy.cache_bytes)),
            policy: Arc::new(policy),
        }
    }

    /// The schema it guards.
    pub fn tenancy(&self) -> &Tenancy {
        &self.tenancy
    }

    /// What the guard would make of a statement, read in Rust alone and **not proven**. It needs no C
    /// and works in every build; it accepts a part of what `check` accepts, and makes the same of it.
    ///
    /// # Errors
    /// A [`Refusal`] with its code, the place and a hint.
    ///
    /// ```no_run
    /// use tenant_guard::{Guard, Policy, Table, Tenancy, TenantType};
    ///
    /// let tasks = Table::distributed("tasks", "tenant_id", TenantType::Int8)
    ///     .columns(["tenant_id", "id", "title"]);
    /// let guard = Guard::new(Tenancy::builder().table(tasks).build()?, Policy::default());
    ///
    /// let draft = guard.draft("SELECT title FROM tasks WHERE id = $1")?;
    /// assert_eq!(
    ///     draft.text(),
    ///     "SELECT title FROM public.tasks WHERE tasks.tenant_id = $2 AND (id = $1)"
    /// );
    ///
    /// let refusal = guard.draft("SELECT * FROM invoices").unwrap_err();
    /// assert_eq!(refusal.code().as_str(), "TG006");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn draft(&self, sql: &str) -> Result<Draft, Refusal> {
        let statement = sqlparser::read(sql, &self.policy)?;
        let decision = decide(&statement, &self.tenancy, &self.policy)?;
        let spliced = splice(
            sql,
            &decision.edits,
            decision.barrier,
            decision.tenant_param,
        );
        Ok(Draft::new(spliced, decision))
    }

    /// Restricts one statement to one tenant, or says why that cannot be done. Reads the text each
    /// time; see [`Guard::cached`].
    ///
    /// # Errors
    /// A [`Refusal`] with its code, the place and a hint.
    #[cfg(feature = "pg-grammar")]
    pub fn check(&self, sql: &str) -> Result<GuardedSql, Refusal> {
        let parsed = pg::parse(sql, &self.policy)?;
        let statement = pg::facts(&parsed)?;
        let decision = decide(&statement, &self.tenancy, &self.policy)?;
        let spliced = splice(
            sql,
            &decision.edits,
            decision.barrier,
            decision.tenant_param,
        );
        certify(&parsed.tree, &spliced, &self.tenancy, decision.tenant_param)?;
        Ok(GuardedSql::certified(Parts {
            text: spliced.text,
            tenant_param: decision.tenant_param,
            tenant_param_slots: spliced.tenant_param_slots,
            table_slots: spliced.table_slots,
            access: decision.access,
            writes: decision.writes,
            locks: decision.locks,
            tenancy: self.tenancy.fingerprint(),
        }))
    }

    /// Like [`Guard::check`], remembering what was accepted by the statement's text. The tenant's
    /// value is no part of the text, so nothing in the cache belongs to a tenant.
    ///
    /// # Errors
    /// As [`Guard::check`]; refusals are not remembered.
    #[cfg(feature = "pg-grammar")]
    pub fn cached(&self, sql: &str) -> Result<GuardedSql, Refusal> {
        if let Some(guarded) = self.cache.get(sql) {
            return Ok(guarded);
        }
        let guarded = self.check(sql)?;
        self.cache.insert(sql, guarded.clone());
        Ok(guarded)
    }

    /// How many statements [`Guard::cached`] remembers at the moment.
    #[cfg(feature = "pg-grammar")]
    pub fn cached_statements(&self) -> usize {
        self.cache.len()
    }
}
