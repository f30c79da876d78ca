//! `MERGE`: the target is restricted where it is joined, and once more where rows of it are met that
//! the join did not find.

use crate::facts::{
    ConditionSite, FromItem, InsertColumns, Merge, MergeAction, MergeArm, MergeValues, MergeWhen,
    Relation,
};
use crate::{Refusal, Table};

use super::new_row::NewRow;
use super::scope::{Columns, CteScope, Scope};
use super::write::{check_tenant_column_kept, check_unique_keys};
use super::{Decider, Edit, Flat, Restriction, TenantColumn, TenantValue};

impl Decider<'_> {
    pub(super) fn merge(
        &mut self,
        merge: &Merge,
        ctes: &CteScope<'_>,
        outer: Option<&Scope<'_>>,
    ) -> Result<Columns, Refusal> {
        let (table, distribution) = self.written_table(&merge.target, ctes)?;
        let mut scope = Scope::new(outer, Vec::new());
        self.add_from_item(&merge.source, &mut scope, ctes, &mut Flat::default())?;
        let source = self.source_column(&merge.source, &scope);
        let target = self.keep(&merge.target, table)?;
        scope.add(target);

        let restrict = |decider: &mut Self, site: &ConditionSite, equal_to| {
            decider
                .edits
                .extend(distribution.map(|distribution| Edit::Condition {
                    site: site.clone(),
                    restrictions: vec![Restriction {
                        qualifier: merge.target.reference_name().clone(),
                        tenant_column: distribution.column.clone(),
                        equal_to,
                    }],
                }));
        };
        restrict(self, &merge.condition, source.clone());
        self.expressions(&merge.filter, &scope, ctes)?;
        for arm in &merge.arms {
            // Rows of the target that match no source are those of all tenants.
            if arm.when == MergeWhen::NotMatchedBySource {
                restrict(self, &arm.condition, None);
            }
            self.expressions(&arm.filter, &scope, ctes)?;
            let row = distribution.map(|distribution| NewRow {
                target: &merge.target,
                table,
                distribution,
                value: source
                    .clone()
                    .map_or(TenantValue::Param, TenantValue::Column),
            });
            self.action(arm, (table, &merge.target), row.as_ref(), &scope, ctes)?;
        }
        self.returning(&merge.returning, table, scope, ctes)
    }

    /// The tenant column of a source that is just a tenant table. Citus plans a MERGE by the equality
    /// of both sides' columns, and a new row's tenant by where it comes from (13.2,
    /// `merge_planner.c`).
    fn source_column(&self, source: &FromItem, scope: &Scope<'_>) -> Option<TenantColumn> {
        let FromItem::Relation(relation) = source else {
            return None;
        };
        let name = relation.reference_name();
        let renamed = relation
            .alias
            .as_ref()
            .is_some_and(|alias| !alias.columns.is_empty());
        if renamed || relation.sample_end.is_some() || !scope.is_tenant_table(name) {
            return None;
        }
        let schema = relation.schema.as_ref().map(crate::Ident::as_str);
        let table = self.tenancy.resolve(schema, relation.name.as_str())?;
        Some(TenantColumn {
            qualifier: name.clone(),
            name: table.distribution()?.column.clone(),
        })
    }

    fn action(
        &mut self,
        arm: &MergeArm,
        (table, target): (&Table, &Relation),
        row: Option<&NewRow<'_>>,
        scope: &Scope<'_>,
        ctes: &CteScope<'_>,
    ) -> Result<(), Refusal> {
        match &arm.action {
            MergeAction::DoNothing | MergeAction::Delete => Ok(()),
            MergeAction::Update {
                assigned,
                expressions,
            } => {
                if let Some(row) = row {
                    check_unique_keys(table, row.distribution, target)?;
                    check_tenant_column_kept(assigned, row.distribution, target)?;
                }
                self.check_own_columns(assigned, table, target)?;
                self.expressions(expressions, scope, ctes)
            }
            MergeAction::Insert {
                columns,
                values,
                expressions,
            } => {
                if let InsertColumns::Listed { columns, .. } = columns {
                    self.check_own_columns(columns, table, target)?;
                }
                if let Some(row) = row {
                    check_unique_keys(table, row.distribution, target)?;
                    match values {
                        MergeValues::Defaults(words) => self.edits.push(row.of_defaults(words)),
                        MergeValues::Row { width, end } => {
                            self.edits.push(row.with_tenant(columns, Some(*width))?);
                            self.edits.push(row.value_at(*end));
                        }
                    }
                }
                self.expressions(expressions, scope, ctes)
            }
        }
    }
}
