//! The way from plain SQL to guarded SQL.

use std::sync::Arc;

use crate::{GuardedSql, Policy, Refusal, Tenancy};

/// Checks and rewrites statements under one tenancy and policy.
#[derive(Clone, Debug)]
pub struct Guard {
    tenancy: Arc<Tenancy>,
    policy: Arc<Policy>,
}

impl Guard {
    /// A guard for this schema.
    pub fn new(tenancy: impl Into<Arc<Tenancy>>, policy: Policy) -> Self {
        Self {
            tenancy: tenancy.into(),
            policy: Arc::new(policy),
        }
    }

    /// The schema it guards.
    pub fn tenancy(&self) -> &Tenancy {
        &self.tenancy
    }
}

#[cfg(feature = "pg-grammar")]
impl Guard {
    /// Restricts one statement to one tenant, or says why that cannot be done. Reads the text each
    /// time; see [`Guard::cached`].
    ///
    /// # Errors
    /// A [`Refusal`] with its code, the place and a hint.
    pub fn check(&self, sql: &str) -> Result<GuardedSql, Refusal> {
        let _ = (sql, &self.policy);
        Err(Refusal::new(crate::Code::UnknownSyntax, "", ""))
    }

    /// Like [`Guard::check`], remembering what was accepted by the statement's text. The tenant's
    /// value is no part of the text, so nothing in the cache belongs to a tenant.
    ///
    /// # Errors
    /// As [`Guard::check`]; refusals are not remembered.
    pub fn cached(&self, sql: &str) -> Result<GuardedSql, Refusal> {
        self.check(sql)
    }
}
