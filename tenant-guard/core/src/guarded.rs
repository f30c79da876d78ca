//! A statement that has been proven to touch one tenant's rows only.

use std::ops::Range;
use std::sync::Arc;

use crate::tenancy::PLACEHOLDER;
use crate::{Access, Effect, Fingerprint, TableSlot, TenantSchema};

/// A statement that passed the guard: text that may be sent, and what a driver has to know to send
/// it. It can only be made by [`Guard::check`](crate::Guard::check). Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardedSql(Arc<Parts>);

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) text: String,
    pub(crate) tenant_param: u32,
    pub(crate) tenant_param_slots: Vec<Range<usize>>,
    pub(crate) table_slots: Vec<TableSlot>,
    pub(crate) access: Access,
    pub(crate) writes: bool,
    pub(crate) locks: bool,
    pub(crate) effect: Effect,
    pub(crate) tenancy: Fingerprint,
    pub(crate) policy: Fingerprint,
}

impl GuardedSql {
    /// Called with what was certified.
    pub(crate) fn certified(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The text to send.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The number `n` of the added parameter `$n` that takes the tenant's value: one more than the
    /// statement's own highest. `None` where the statement touches no tenant table.
    pub fn tenant_param(&self) -> Option<u32> {
        matches!(self.0.access, Access::Tenant { .. }).then_some(self.0.tenant_param)
    }

    /// How many parameters the caller binds: the highest `$n` in the statement as written.
    pub fn caller_params(&self) -> u32 {
        self.0.tenant_param.saturating_sub(1)
    }

    /// The bytes of each occurrence of the tenant parameter in [`GuardedSql::text`], in order.
    pub fn tenant_param_slots(&self) -> &[Range<usize>] {
        &self.0.tenant_param_slots
    }

    /// Each place where a real table is named, in order. References to a table's columns by the
    /// table's name (`tasks.id`) are not among them: they are resolved through an alias.
    pub fn table_slots(&self) -> &[TableSlot] {
        &self.0.table_slots
    }

    /// The text for one tenant, where tenants have a schema each ([`Access::TenantSchema`]): its schema
    /// stands in the place of each placeholder, and nothing else changes.
    ///
    /// `None` where the schema was taken for a tenant's under another tenancy than the statement was
    /// proven under.
    ///
    /// ```
    /// use tenant_guard::{Guard, Policy, Table, Tenancy};
    ///
    /// let tasks = Table::in_tenant_schema("tasks").columns(["id"]);
    /// let guard = Guard::new(Tenancy::builder().table(tasks).build()?, Policy::default());
    /// let guarded = guard.check("DELETE FROM tasks WHERE id = $1")?;
    /// let acme = guard.tenancy().tenant_schema("acme")?;
    /// assert_eq!(
    ///     guarded.text_for_schema(&acme).unwrap(),
    ///     "DELETE FROM acme.tasks WHERE id = $1"
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn text_for_schema(&self, schema: &TenantSchema) -> Option<String> {
        if schema.tenancy() != self.0.tenancy {
            return None;
        }
        let quoted = schema.name().quoted();
        let mut text = self.0.text.clone();
        for slot in self.0.table_slots.iter().rev() {
            if slot.table.schema.as_str() == PLACEHOLDER {
                let start = slot.range.start;
                text.replace_range(start..start + PLACEHOLDER.len(), &quoted);
            }
        }
        Some(text)
    }

    /// What it touches.
    pub fn access(&self) -> &Access {
        &self.0.access
    }

    /// Whether it inserts, updates or deletes rows, also inside a `WITH` query.
    pub fn writes(&self) -> bool {
        self.0.writes
    }

    /// Whether it locks rows (`FOR UPDATE` and its kin), which a standby refuses.
    pub fn locks(&self) -> bool {
        self.0.locks
    }

    /// What it does to the rows it meets.
    pub fn effect(&self) -> Effect {
        self.0.effect
    }

    /// What it takes of memory, but for what the allocator adds: the cache weighs by it.
    pub(crate) fn bytes(&self) -> usize {
        let parts = &*self.0;
        let slots = parts.table_slots.iter();
        let names: usize = slots
            .map(|slot| slot.table.schema.as_str().len() + slot.table.name.as_str().len())
            .sum();
        size_of::<Parts>()
            + parts.text.capacity()
            + parts.tenant_param_slots.capacity() * size_of::<Range<usize>>()
            + parts.table_slots.capacity() * size_of::<TableSlot>()
            + names
    }

    /// The tenancy it was proven under.
    pub fn tenancy(&self) -> Fingerprint {
        self.0.tenancy
    }

    /// The policy it was proven under.
    pub fn policy(&self) -> Fingerprint {
        self.0.policy
    }
}
