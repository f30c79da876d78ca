//! `INSERT`: the tenant column is added, never taken from the statement.

use crate::facts::{Body, ConflictTarget, Insert, InsertSource, OnConflict, Query};
use crate::{Code, Distribution, Refusal, Table};

use super::relation::columns;
use super::scope::{Columns, CteScope, Item, Scope};
use super::write::{check_tenant_column_kept, check_unique_keys};
use super::{Decider, Edit};

impl Decider<'_> {
    pub(super) fn insert(
        &mut self,
        insert: &Insert,
        ctes: &CteScope<'_>,
        outer: Option<&Scope<'_>>,
    ) -> Result<Columns, Refusal> {
        let (table, distribution) = self.written_table(&insert.target, ctes)?;
        check_unique_keys(table, distribution, &insert.target)?;
        check_tenant_column_missing(insert, distribution)?;
        let Some(columns_end) = insert.columns_end else {
            return Err(without_columns(insert));
        };

        let target = self.keep(&insert.target, table)?;
        self.edits.push(Edit::InsertColumn {
            at: columns_end,
            tenant_column: distribution.column.clone(),
        });
        match &insert.source {
            InsertSource::DefaultValues => return Err(without_columns(insert)),
            InsertSource::Values {
                row_ends,
                expressions,
            } => {
                let scope = Scope::new(outer, Vec::new());
                self.expressions(expressions, &scope, ctes)?;
                self.edits
                    .extend(row_ends.iter().map(|at| Edit::InsertValue { at: *at }));
            }
            InsertSource::Query(query) => {
                self.query(query, ctes, outer)?;
                self.add_output(query, distribution, insert)?;
            }
        }
        if let Some(on_conflict) = &insert.on_conflict {
            check_conflict(on_conflict, table, distribution, insert)?;
        }

        let mut scope = Scope::new(outer, vec![target]);
        if insert
            .on_conflict
            .as_ref()
            .is_some_and(|conflict| conflict.updates)
        {
            let name = Some("excluded".into());
            scope.add(Item {
                name,
                columns: columns(table),
                plain_table: None,
                is_tenant_table: false,
            });
        }
        self.expressions(&insert.expressions, &scope, ctes)?;
        scope.outputs(&insert.returning)
    }

    /// Adds the tenant to each select list of an INSERT's query.
    fn add_output(
        &mut self,
        query: &Query,
        distribution: &Distribution,
        insert: &Insert,
    ) -> Result<(), Refusal> {
        match &query.body {
            Body::Select(select) => {
                let at = select.outputs_end.ok_or_else(|| {
                    Refusal::new(
                        Code::InsertColumns,
                        "the tenant cannot be added to a VALUES list or an empty select list here",
                        "write INSERT … VALUES without anything around it, or SELECT the values",
                    )
                    .at(insert.target.name_span.clone())
                })?;
                let tenant_type = distribution.tenant_type.clone();
                self.edits.push(Edit::InsertOutput { at, tenant_type });
                Ok(())
            }
            Body::SetOperation(operation) => {
                self.add_output(&operation.left, distribution, insert)?;
                self.add_output(&operation.right, distribution, insert)
            }
            Body::Insert(_) | Body::Update(_) | Body::Delete(_) => Err(without_columns(insert)),
        }
    }
}

fn check_tenant_column_missing(
    insert: &Insert,
    distribution: &Distribution,
) -> Result<(), Refusal> {
    if !insert.columns.contains(&distribution.column) {
        return Ok(());
    }
    Err(Refusal::new(
        Code::TenantColumnGiven,
        format!(
            "the INSERT gives {}.{} itself, which could be another tenant's",
            insert.target.name, distribution.column
        ),
        "leave the column and its values out: they are added",
    )
    .at(insert.target.name_span.clone()))
}

fn without_columns(insert: &Insert) -> Refusal {
    Refusal::new(
        Code::InsertColumns,
        "the INSERT does not name its columns, so that the tenant cannot be added",
        "write INSERT INTO table (columns, without the tenant column) VALUES …",
    )
    .at(insert.target.name_span.clone())
}

/// The row that is met has to be the tenant's own: the key that decides holds the tenant column.
fn check_conflict(
    conflict: &OnConflict,
    table: &Table,
    distribution: &Distribution,
    insert: &Insert,
) -> Result<(), Refusal> {
    check_tenant_column_kept(&conflict.assigned, distribution, &insert.target)?;
    let within_tenant = match &conflict.target {
        // All unique keys hold the tenant column: that was checked.
        ConflictTarget::Any => !conflict.updates,
        ConflictTarget::Columns(columns) => columns.contains(&distribution.column),
        ConflictTarget::Constraint(name) => table.unique_keys().iter().any(|key| {
            key.name.as_ref() == Some(name) && key.columns.contains(&distribution.column)
        }),
    };
    if within_tenant {
        return Ok(());
    }
    Err(Refusal::new(
        Code::ConflictTarget,
        format!(
            "ON CONFLICT does not name {}, so that it could meet another tenant's row",
            distribution.column
        ),
        format!(
            "use a unique key with {} and name it in ON CONFLICT ({}, …)",
            distribution.column, distribution.column
        ),
    )
    .at(insert.target.name_span.clone()))
}
