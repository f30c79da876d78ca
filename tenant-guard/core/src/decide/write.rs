//! `UPDATE` and `DELETE`.

use crate::facts::{Delete, Relation, Update};
use crate::{Code, Distribution, Ident, Refusal, Table};

use super::Decider;
use super::scope::{Columns, CteScope, Scope};

impl Decider<'_> {
    pub(super) fn update(
        &mut self,
        update: &Update,
        ctes: &CteScope<'_>,
        outer: Option<&Scope<'_>>,
    ) -> Result<Columns, Refusal> {
        let (table, distribution) = self.written_table(&update.target, ctes)?;
        if let Some(distribution) = distribution {
            check_tenant_column_kept(&update.assigned, distribution, &update.target)?;
            check_unique_keys(table, distribution, &update.target)?;
        }
        self.check_own_columns(&update.assigned, table, &update.target)?;

        let mut scope = Scope::new(outer, Vec::new());
        self.add_from_list(&update.from, &mut scope, ctes)?;
        let target = self.keep_and_restrict(&update.target, table, &update.condition)?;
        scope.add(target);
        self.expressions(&update.filter, &scope, ctes)?;
        self.expressions(&update.expressions, &scope, ctes)?;
        self.returning(&update.returning, table, scope, ctes)
    }

    pub(super) fn delete(
        &mut self,
        delete: &Delete,
        ctes: &CteScope<'_>,
        outer: Option<&Scope<'_>>,
    ) -> Result<Columns, Refusal> {
        let (table, _) = self.written_table(&delete.target, ctes)?;
        let mut scope = Scope::new(outer, Vec::new());
        self.add_from_list(&delete.using, &mut scope, ctes)?;
        let target = self.keep_and_restrict(&delete.target, table, &delete.condition)?;
        scope.add(target);
        self.expressions(&delete.filter, &scope, ctes)?;
        self.returning(&delete.returning, table, scope, ctes)
    }
}

/// A row never changes its tenant.
pub(super) fn check_tenant_column_kept(
    assigned: &[Ident],
    distribution: &Distribution,
    target: &Relation,
) -> Result<(), Refusal> {
    if !assigned.contains(&distribution.column) {
        return Ok(());
    }
    Err(Refusal::new(
        Code::TenantColumnChanged,
        format!("{}.{} says whose row it is and cannot be assigned", target.name, distribution.column),
        "leave the column out; to move rows to another tenant, insert them there and delete them here",
    )
    .at(target.name_span.clone()))
}

/// In a unique key without the tenant column a row can collide with another tenant's, which then
/// shows that this row exists. Which columns an UPDATE would have to leave alone is not known for
/// keys of expressions and of some rows only, so it may change none.
pub(super) fn check_unique_keys(
    table: &Table,
    distribution: &Distribution,
    target: &Relation,
) -> Result<(), Refusal> {
    let shared = table
        .unique_keys()
        .iter()
        .find(|key| !key.columns.contains(&distribution.column));
    let Some(key) = shared else { return Ok(()) };
    let columns: Vec<&str> = key.columns.iter().map(Ident::as_str).collect();
    Err(Refusal::new(
        Code::UniqueKey,
        format!(
            "{} has a unique key ({}) without {}, in which tenants collide",
            target.name,
            columns.join(", "),
            distribution.column
        ),
        "put the tenant column into the key",
    )
    .at(target.name_span.clone()))
}
