//! `INSERT`: the tenant column is added, never taken from the statement.

use crate::facts::{
    Body, ConflictTarget, FromItem, Grouping, Insert, InsertColumns, InsertSource, OnConflict,
    Output, Query,
};
use crate::{Code, Distribution, Ident, Refusal, Table};

use super::new_row::{NewRow, without_columns};
use super::relation::columns;
use super::scope::{Columns, CteScope, Item, Scope};
use super::write::{check_tenant_column_kept, check_unique_keys};
use super::{Decider, Edit, TenantValue};

impl Decider<'_> {
    pub(super) fn insert(
        &mut self,
        insert: &Insert,
        ctes: &CteScope<'_>,
        outer: Option<&Scope<'_>>,
    ) -> Result<Columns, Refusal> {
        let (table, distribution) = self.written_table(&insert.target, ctes)?;
        if let Some(distribution) = distribution {
            check_unique_keys(table, distribution, &insert.target)?;
        }
        if let InsertColumns::Listed { columns, .. } = &insert.columns {
            self.check_own_columns(columns, table, &insert.target)?;
        }
        let target = self.keep(&insert.target, table)?;
        match distribution {
            Some(distribution) => self.source(insert, table, distribution, ctes, outer)?,
            None => self.source_as_it_is(insert, ctes, outer)?,
        }
        if let Some(on_conflict) = &insert.on_conflict {
            if let Some(distribution) = distribution {
                check_conflict(on_conflict, table, distribution, insert)?;
            }
            self.check_own_columns(&on_conflict.assigned, table, &insert.target)?;
        }

        let mut scope = Scope::new(outer, vec![target]);
        if insert
            .on_conflict
            .as_ref()
            .is_some_and(|conflict| conflict.updates)
        {
            scope.add(Item::of_row("excluded".into(), columns(table)));
        }
        self.expressions(&insert.expressions, &scope, ctes)?;
        self.returning(&insert.returning, table, scope, ctes)
    }

    /// What is inserted into a table that is the tenant's as a whole.
    fn source_as_it_is(
        &mut self,
        insert: &Insert,
        ctes: &CteScope<'_>,
        outer: Option<&Scope<'_>>,
    ) -> Result<(), Refusal> {
        match &insert.source {
            InsertSource::DefaultValues(_) => Ok(()),
            InsertSource::Values { expressions, .. } => {
                self.expressions(expressions, &Scope::new(outer, Vec::new()), ctes)
            }
            InsertSource::Query(query) => self.query(query, ctes, outer).map(drop),
        }
    }

    /// What is inserted, with the tenant added to the columns and to each row.
    fn source(
        &mut self,
        insert: &Insert,
        table: &Table,
        distribution: &Distribution,
        ctes: &CteScope<'_>,
        outer: Option<&Scope<'_>>,
    ) -> Result<(), Refusal> {
        let row = NewRow {
            target: &insert.target,
            table,
            distribution,
            value: TenantValue::Param,
        };
        match &insert.source {
            InsertSource::DefaultValues(words) => self.edits.push(row.of_defaults(words)),
            InsertSource::Values {
                row_ends,
                width,
                expressions,
            } => {
                self.edits
                    .push(row.with_tenant(&insert.columns, Some(*width))?);
                let scope = Scope::new(outer, Vec::new());
                self.expressions(expressions, &scope, ctes)?;
                self.edits
                    .extend(row_ends.iter().map(|at| row.value_at(*at)));
            }
            InsertSource::Query(query) if self.copies_tenant(insert, query, table, ctes) => {
                self.query(query, ctes, outer)?;
            }
            InsertSource::Query(query) => {
                let columns = self.edits.len();
                let outputs = self.query(query, ctes, outer)?;
                let edit = row.with_tenant(&insert.columns, outputs.len())?;
                // What stands at the same byte keeps the order of the edits.
                self.edits.insert(columns, edit);
                self.add_output(query, distribution, insert)?;
            }
        }
        Ok(())
    }

    /// Whether the tenant column gets what the tenant column of one other tenant table holds, whose
    /// rows are read as they are: `INSERT INTO archive SELECT * FROM tasks WHERE done`. Then nothing
    /// has to be added, and Citus keeps the rows where they are.
    fn copies_tenant(
        &self,
        insert: &Insert,
        query: &Query,
        table: &Table,
        ctes: &CteScope<'_>,
    ) -> bool {
        let Body::Select(select) = &query.body else {
            return false;
        };
        let [FromItem::Relation(relation)] = select.from.as_slice() else {
            return false;
        };
        let is_cte = query.ctes.iter().any(|cte| cte.name == relation.name)
            || ctes.find(&relation.name).is_some();
        let renamed = relation
            .alias
            .as_ref()
            .is_some_and(|alias| !alias.columns.is_empty());
        let plain = select.grouping == Grouping::None && relation.sample_end.is_none();
        if !plain || renamed || (relation.schema.is_none() && is_cte) {
            return false;
        }
        let schema = relation.schema.as_ref().map(Ident::as_str);
        let Some(source) = self.tenancy.resolve(schema, relation.name.as_str()) else {
            return false;
        };
        let (Some(from), Some(to)) = (source.distribution(), table.distribution()) else {
            return false;
        };
        let place = match &insert.columns {
            InsertColumns::Listed { columns, .. } => {
                columns.iter().position(|column| *column == to.column)
            }
            InsertColumns::Implied { .. } => table.position(&to.column),
        };
        let Some(place) = place else { return false };
        match select.outputs.as_slice() {
            [Output::Star { .. }] => source.position(&from.column) == Some(place),
            outputs => {
                let is_star =
                    |output: &Output| matches!(output, Output::Star { .. } | Output::Fields);
                let name = relation.reference_name();
                let is_tenant = |output: &Output| {
                    matches!(output, Output::Column { qualifier, column, .. }
                        if *column == from.column
                            && qualifier.as_ref().is_none_or(|qualifier| qualifier == name))
                };
                !outputs.iter().any(is_star) && outputs.get(place).is_some_and(is_tenant)
            }
        }
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
            Body::Insert(_) | Body::Update(_) | Body::Delete(_) | Body::Merge(_) => {
                Err(without_columns(&insert.target))
            }
        }
    }
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
