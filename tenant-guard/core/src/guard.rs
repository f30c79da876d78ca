//! The way from plain SQL to guarded SQL.

use std::sync::Arc;

#[cfg(feature = "pg-grammar")]
use crate::cache::Cache;
#[cfg(feature = "pg-grammar")]
use crate::certify::certify;
use crate::decide::decide;
use crate::draft::Draft;
#[cfg(feature = "pg-grammar")]
use crate::guarded::Parts;
#[cfg(feature = "pg-grammar")]
use crate::places::Places;
#[cfg(feature = "pg-grammar")]
use crate::read::pg;
use crate::read::sqlparser;
use crate::splice::splice;
#[cfg(feature = "pg-grammar")]
use crate::{Code, Fingerprint, GuardedSql, StaticSql};
use crate::{Policy, Refusal, Tenancy};

/// Checks and rewrites statements under one tenancy and policy. Cloning is cheap, and clones share
/// what `cached` and `fixed` remember.
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
    policy_fingerprint: Fingerprint,
    #[cfg(feature = "pg-grammar")]
    cache: Arc<Cache>,
    #[cfg(feature = "pg-grammar")]
    places: Arc<Places>,
}

impl Guard {
    /// A guard for this schema.
    pub fn new(tenancy: impl Into<Arc<Tenancy>>, policy: Policy) -> Self {
        Self {
            tenancy: tenancy.into(),
            #[cfg(feature = "pg-grammar")]
            cache: Arc::new(Cache::new(policy.cache_bytes)),
            #[cfg(feature = "pg-grammar")]
            places: Arc::new(Places::new()),
            #[cfg(feature = "pg-grammar")]
            policy_fingerprint: policy.fingerprint(),
            policy: Arc::new(policy),
        }
    }

    /// The schema it guards.
    pub fn tenancy(&self) -> &Tenancy {
        &self.tenancy
    }

    /// What it allows beyond the defaults.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether a statement was proven under this guard's schema and policy. One that was not may mean
    /// other tables here, or may not be allowed.
    ///
    /// ```
    /// use tenant_guard::{Guard, Policy, Tenancy};
    ///
    /// let guard = |policy| Ok::<_, tenant_guard::TenancyError>(Guard::new(Tenancy::builder().build()?, policy));
    /// let allowing = guard(Policy::default().allow_function("slugify(text)")?)?;
    /// let guarded = allowing.check("SELECT slugify($1)")?;
    /// assert!(allowing.vouches_for(&guarded));
    /// assert!(!guard(Policy::default())?.vouches_for(&guarded));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "pg-grammar")]
    pub fn vouches_for(&self, guarded: &GuardedSql) -> bool {
        guarded.tenancy() == self.tenancy.fingerprint()
            && guarded.policy() == self.policy_fingerprint
    }

    /// What the guard would make of a statement, read in Rust alone and **not proven**. It needs no C
    /// and works in every build; it accepts a part of what `check` accepts, and makes the same of it.
    ///
    /// # Errors
    /// A [`Refusal`] with its code, the place and a hint.
    ///
    /// ```
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
        let read_query = |query: &str| sqlparser::read(query, &self.policy);
        let decision = decide(&statement, &self.tenancy, &self.policy, &read_query)?;
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
        let read_query = |query: &str| pg::facts(&pg::parse(query, &self.policy)?);
        let decision = decide(&statement, &self.tenancy, &self.policy, &read_query)?;
        let spliced = splice(
            sql,
            &decision.edits,
            decision.barrier,
            decision.tenant_param,
        );
        certify(
            &parsed.tree,
            &spliced,
            &self.tenancy,
            self.policy.catalogs(),
            decision.tenant_param,
        )?;
        Ok(GuardedSql::certified(Parts {
            text: spliced.text,
            tenant_param: decision.tenant_param,
            tenant_param_slots: spliced.tenant_param_slots,
            table_slots: spliced.table_slots,
            access: decision.access,
            writes: decision.writes,
            locks: decision.locks,
            effect: decision.effect,
            tenancy: self.tenancy.fingerprint(),
            policy: self.policy_fingerprint,
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

    /// Like [`Guard::check`], for a statement that is a part of the program: it is checked once and
    /// kept for as long as the guard. Another guard has its own.
    ///
    /// # Errors
    /// As [`Guard::check`]; refusals are not remembered. [`Code::TooComplex`] where the program has
    /// made more than 131,008 of them, which a `static` for each cannot do.
    #[cfg(feature = "pg-grammar")]
    pub fn fixed<const PARAMS: usize>(
        &self,
        statement: &StaticSql<PARAMS>,
    ) -> Result<&GuardedSql, Refusal> {
        let place = self.places.at(statement.place()).ok_or_else(too_many)?;
        if let Some(guarded) = place.get() {
            return Ok(guarded);
        }
        let guarded = self.check(statement.text())?;
        // Two threads may have checked it; they came to the same.
        Ok(place.get_or_init(|| guarded))
    }

    /// How many statements [`Guard::cached`] remembers at the moment.
    #[cfg(feature = "pg-grammar")]
    pub fn cached_statements(&self) -> usize {
        self.cache.len()
    }
}

#[cfg(feature = "pg-grammar")]
fn too_many() -> Refusal {
    Refusal::new(
        Code::TooComplex,
        "the program has made more statements with `StaticSql::new` than can be kept",
        "make one in a `static` for each text; use Guard::cached for texts that are made at run time",
    )
}

#[cfg(test)]
#[cfg(feature = "pg-grammar")]
mod tests {
    use crate::{Table, TenantType};

    use super::*;

    fn guard(tenant_column: &str) -> Guard {
        let tasks = Table::distributed("tasks", tenant_column, TenantType::Int8).columns([
            tenant_column,
            "id",
            "title",
        ]);
        Guard::new(
            Tenancy::builder().table(tasks).build().unwrap(),
            Policy::default(),
        )
    }

    #[test]
    fn each_guard_keeps_its_own_of_a_fixed_statement() {
        static TITLES: StaticSql<0> = StaticSql::new("SELECT title FROM tasks");
        static IDS: StaticSql<0> = StaticSql::new("SELECT id FROM tasks");
        let (a, b) = (guard("a_id"), guard("b_id"));
        for _ in 0..2 {
            for (guard, column) in [(&a, "a_id"), (&b, "b_id"), (&a.clone(), "a_id")] {
                for (statement, output) in [(&TITLES, "title"), (&IDS, "id")] {
                    assert_eq!(
                        guard.fixed(statement).unwrap().text(),
                        format!("SELECT {output} FROM public.tasks WHERE tasks.{column} = $1")
                    );
                }
            }
        }
        assert_eq!((a.places.taken(), b.places.taken()), (2, 2));
        assert_eq!(a.cached_statements(), 0);
    }

    #[test]
    fn a_refused_fixed_statement_is_refused_again() {
        static SECRETS: StaticSql<0> = StaticSql::new("SELECT * FROM secrets");
        let guard = guard("tenant_id");
        for _ in 0..2 {
            assert_eq!(
                guard.fixed(&SECRETS).unwrap_err().code(),
                Code::UnknownTable
            );
        }
        assert_eq!(guard.places.taken(), 0);
    }

    #[test]
    fn threads_that_race_get_the_same_fixed_statement() {
        static TITLES: StaticSql<0> = StaticSql::new("SELECT title FROM tasks WHERE id = 1");
        let guard = guard("tenant_id");
        let barrier = std::sync::Barrier::new(4);
        let texts: Vec<usize> = std::thread::scope(|scope| {
            let threads = [(); 4].map(|()| {
                scope.spawn(|| {
                    barrier.wait();
                    guard.fixed(&TITLES).unwrap().text().as_ptr().addr()
                })
            });
            threads.map(|thread| thread.join().unwrap()).into()
        });
        assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
    }

    #[test]
    fn what_was_seen_before_allocates_nothing() {
        static TITLES: StaticSql<1> = StaticSql::new("SELECT title FROM tasks WHERE id = $1");
        let guard = guard("tenant_id");
        let run = || {
            let fixed = guard.fixed(&TITLES).unwrap().clone();
            let cached = guard.cached(TITLES.text()).unwrap();
            assert_eq!(fixed, cached);
        };
        run();
        assert_eq!(allocation_counter::measure(run).count_total, 0);
    }
}
