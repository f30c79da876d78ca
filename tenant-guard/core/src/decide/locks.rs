//! `FOR UPDATE` and its kin: a tenant locks its own rows only.

use crate::facts::{Locking, Span};
use crate::{Code, Refusal};

use super::Decider;
use super::scope::Scope;

/// What a statement locks, as far as it matters.
#[derive(Debug, Default)]
pub(super) struct Locks {
    pub(super) any: bool,
    /// Something is locked that is not just a tenant table's restricted rows: all of a `FROM`
    /// list, or a sub-query.
    beyond_tenant_tables: bool,
    /// Where a reference table is read.
    pub(super) reference_table: Option<Span>,
    /// Where a view is read.
    view: Option<Span>,
}

impl Decider<'_> {
    pub(super) fn note_reference_table(&mut self, span: &Span) {
        self.locks
            .reference_table
            .get_or_insert_with(|| span.clone());
    }

    pub(super) fn note_view(&mut self, span: &Span) {
        self.locks.view.get_or_insert_with(|| span.clone());
    }

    pub(super) fn note_locks(&mut self, locking: &Locking, scope: &Scope<'_>) {
        match locking {
            Locking::None => return,
            Locking::All => self.locks.beyond_tenant_tables = true,
            Locking::Of(names) => {
                self.locks.beyond_tenant_tables |=
                    names.iter().any(|name| !scope.is_tenant_table(name));
            }
        }
        self.locks.any = true;
    }

    /// A lock on a reference table's row would have tenants wait for each other. One on a view locks
    /// rows of its tables where PostgreSQL would refuse to lock the view's query (`GROUP BY`).
    pub(super) fn check_locks(&self) -> Result<(), Refusal> {
        if let Some(span) = &self.locks.view
            && self.locks.beyond_tenant_tables
        {
            return Err(Refusal::new(
                Code::RelationUse,
                "the statement locks rows and reads a view, which is replaced by its query",
                "name the tenant tables to lock: FOR UPDATE OF table",
            )
            .at(span.clone()));
        }
        match &self.locks.reference_table {
            Some(span) if self.locks.beyond_tenant_tables => Err(Refusal::new(
                Code::ReferenceWrite,
                "the statement locks rows and reads a reference table, whose rows belong to all",
                "name the tenant tables to lock: FOR UPDATE OF table",
            )
            .at(span.clone())),
            _ => Ok(()),
        }
    }
}
