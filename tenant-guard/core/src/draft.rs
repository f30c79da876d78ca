//! What the guard would make of a statement.

use crate::decide::Decision;
use crate::splice::Spliced;
use crate::{Access, Effect, TableSlot};

/// What the guard would make of a statement: read in Rust alone, decided and written, but **not
/// proven** by PostgreSQL's own grammar. It is for tools: a compile-time check, an editor, a
/// playground in the browser.
///
/// There is no way from a draft to a driver. What may be sent is a `GuardedSql`, which only
/// `Guard::check` makes, from the statement as written.
///
/// ```compile_fail
/// # fn drafted() -> tenant_guard::Draft { unimplemented!() }
/// let sent: tenant_guard::GuardedSql = drafted().into();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    text: String,
    tenant_param: u32,
    table_slots: Vec<TableSlot>,
    access: Access,
    writes: bool,
    locks: bool,
    effect: Effect,
}

impl Draft {
    pub(crate) fn new(spliced: Spliced, decision: Decision) -> Self {
        let Spliced {
            text,
            tenant_param_slots: _,
            table_slots,
        } = spliced;
        let Decision {
            edits: _,
            barrier: _,
            access,
            writes,
            locks,
            effect,
            tenant_param,
        } = decision;
        Self {
            text,
            tenant_param,
            table_slots,
            access,
            writes,
            locks,
            effect,
        }
    }

    /// The text as it would be sent.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The number `n` of the added parameter `$n` that would take the tenant's value; `None` where
    /// the statement touches no tenant table.
    pub fn tenant_param(&self) -> Option<u32> {
        matches!(self.access, Access::Tenant { .. }).then_some(self.tenant_param)
    }

    /// How many parameters the caller binds: the highest `$n` in the statement as written.
    pub fn caller_params(&self) -> u32 {
        self.tenant_param.saturating_sub(1)
    }

    /// Each place in [`Draft::text`] where a real table is named, in order.
    pub fn table_slots(&self) -> &[TableSlot] {
        &self.table_slots
    }

    /// What it touches.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Whether it inserts, updates or deletes rows, also inside a `WITH` query.
    pub fn writes(&self) -> bool {
        self.writes
    }

    /// Whether it locks rows (`FOR UPDATE` and its kin), which a standby refuses.
    pub fn locks(&self) -> bool {
        self.locks
    }

    /// What it does to the rows it meets.
    pub fn effect(&self) -> Effect {
        self.effect
    }
}
