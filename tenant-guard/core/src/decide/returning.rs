//! `RETURNING`.

use crate::facts::Returning;
use crate::{Refusal, Table};

use super::Decider;
use super::relation::columns;
use super::scope::{Columns, CteScope, Item, Scope};

impl Decider<'_> {
    /// Looks at a `RETURNING` list, which in PostgreSQL 18 also sees the target's row before and after.
    pub(super) fn returning(
        &mut self,
        returning: &Returning,
        target: &Table,
        mut scope: Scope<'_>,
        ctes: &CteScope<'_>,
    ) -> Result<Columns, Refusal> {
        let columns_of_star = scope.outputs(&returning.outputs)?;
        for (name, default) in [(&returning.old, "old"), (&returning.new, "new")] {
            let name = name.clone().unwrap_or_else(|| default.into());
            scope.add(Item::of_row(name, columns(target)));
        }
        self.expressions(&returning.expressions, &scope, ctes)?;
        Ok(columns_of_star)
    }
}
