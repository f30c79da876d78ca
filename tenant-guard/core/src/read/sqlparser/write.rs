//! `UPDATE` and `DELETE`.

use sqlparser::ast::{
    AccessExpr, Assignment, AssignmentTarget, Delete as WrittenDelete, Expr, FromTable, SelectItem,
    TableFactor, TableWithJoins, Update as WrittenUpdate, UpdateTableFromKind,
};

use crate::facts::{Delete, Expressions, Relation, Returning, Update};
use crate::{Ident, Refusal};

use super::reader::Reader;

impl Reader<'_> {
    pub(super) fn update(&mut self, update: &WrittenUpdate) -> Result<Update, Refusal> {
        let WrittenUpdate {
            update_token: _,
            optimizer_hints,
            table,
            on_cluster,
            assignments,
            from,
            selection,
            returning,
            output,
            or,
            order_by,
            limit,
            settings,
        } = update;
        let known = optimizer_hints.is_empty()
            && on_cluster.is_none()
            && output.is_none()
            && or.is_none()
            && order_by.is_empty()
            && limit.is_none()
            && settings.is_none();
        self.absent(known, "this clause of an UPDATE")?;
        self.words("update")?;
        let target = self.target_table(table)?;
        self.words("set")?;
        let mut expressions = Expressions::default();
        let assigned = self.assignments(assignments, &mut expressions)?;
        let from = match from {
            None => Vec::new(),
            Some(UpdateTableFromKind::AfterSet(items)) => {
                self.words("from")?;
                self.table_list(items)?
            }
            Some(UpdateTableFromKind::BeforeSet(_)) => {
                return Err(self.unknown("FROM before SET"));
            }
        };
        let mut filter = Expressions::default();
        let condition = self.condition(selection.as_ref(), &mut filter)?;
        let returning = self.returning(returning.as_deref())?;
        Ok(Update {
            target,
            assigned,
            from,
            condition,
            filter,
            expressions,
            returning,
        })
    }

    pub(super) fn delete(&mut self, delete: &WrittenDelete) -> Result<Delete, Refusal> {
        let WrittenDelete {
            delete_token: _,
            optimizer_hints,
            tables,
            from,
            on_cluster,
            using,
            selection,
            returning,
            output,
            order_by,
            limit,
            settings,
        } = delete;
        let known = optimizer_hints.is_empty()
            && tables.is_empty()
            && on_cluster.is_none()
            && output.is_none()
            && order_by.is_empty()
            && limit.is_none()
            && settings.is_none();
        self.absent(known, "this clause of a DELETE")?;
        self.words("delete from")?;
        let target = match from {
            FromTable::WithFromKeyword(tables) => match tables.as_slice() {
                [table] => self.target_table(table)?,
                _ => return Err(self.unknown("a DELETE from several tables")),
            },
            FromTable::WithoutKeyword(_) => return Err(self.lost()),
        };
        let mut using_items = Vec::new();
        if let Some(items) = using {
            self.words("using")?;
            using_items = self.table_list(items)?;
        }
        let mut filter = Expressions::default();
        let condition = self.condition(selection.as_ref(), &mut filter)?;
        let returning = self.returning(returning.as_deref())?;
        Ok(Delete {
            target,
            using: using_items,
            condition,
            filter,
            returning,
        })
    }

    /// The one table of a `FROM` that is changed.
    fn target_table(&mut self, table: &TableWithJoins) -> Result<Relation, Refusal> {
        let TableWithJoins { relation, joins } = table;
        self.absent(joins.is_empty(), "a join in the place of a target")?;
        self.target(relation)
    }

    /// The table that is changed, with an alias without columns (`relation_expr_opt_alias`).
    pub(super) fn target(&mut self, factor: &TableFactor) -> Result<Relation, Refusal> {
        let target = self.relation(factor)?;
        let is_plain = match (factor, &target.alias) {
            (TableFactor::Table { alias, .. }, Some(read)) => {
                // `UPDATE t set SET …` has no alias in PostgreSQL.
                let is_set = alias.as_ref().is_some_and(|alias| {
                    !alias.explicit
                        && alias.name.quote_style.is_none()
                        && alias.name.value.eq_ignore_ascii_case("set")
                });
                read.columns.is_empty() && !is_set
            }
            (_, _) => true,
        };
        self.absent(is_plain, "this alias of a target")?;
        self.absent(target.sample_end.is_none(), "a sample of a target")?;
        Ok(target)
    }

    /// A `SET` list: the columns; what the values name goes into `expressions`.
    pub(super) fn assignments(
        &mut self,
        assignments: &[Assignment],
        expressions: &mut Expressions,
    ) -> Result<Vec<Ident>, Refusal> {
        let mut assigned = Vec::new();
        self.absent(!assignments.is_empty(), "an empty SET")?;
        self.list(assignments, |reader, assignment| {
            let Assignment { target, value } = assignment;
            match target {
                AssignmentTarget::ColumnName(name) => assigned.push(reader.single(name)?),
                AssignmentTarget::Tuple(names) => {
                    reader.absent(!names.is_empty(), "an empty SET")?;
                    reader.mark(b'(')?;
                    assigned.extend(reader.list(names, Self::single)?);
                    reader.mark(b')')?;
                }
            }
            reader.symbol("=")?;
            reader.assigned_value(target, value, expressions)
        })?;
        Ok(assigned)
    }

    /// The value of one column, or the row of several.
    fn assigned_value(
        &mut self,
        target: &AssignmentTarget,
        value: &Expr,
        expressions: &mut Expressions,
    ) -> Result<(), Refusal> {
        match target {
            AssignmentTarget::ColumnName(_) => {}
            // PostgreSQL's parser takes other sources too, and its analysis none of them.
            AssignmentTarget::Tuple(_) => {
                let is_row = matches!(
                    value,
                    Expr::Tuple(_) | Expr::Subquery(_) | Expr::Function(_)
                );
                self.absent(is_row, "this source of several columns")?;
            }
        }
        // ROW (…) is a function for sqlparser, whose arguments are not looked at.
        let is_row =
            matches!(target, AssignmentTarget::Tuple(_)) && matches!(value, Expr::Function(_));
        expressions.assigns_element |= is_row || is_element(value);
        self.expression(value, expressions)?;
        Ok(())
    }

    pub(super) fn returning(&mut self, items: Option<&[SelectItem]>) -> Result<Returning, Refusal> {
        let Some(items) = items else {
            return Ok(Returning::default());
        };
        self.absent(!items.is_empty(), "an empty RETURNING")?;
        self.words("returning")?;
        let mut expressions = Expressions::default();
        let (outputs, _) = self.targets(items, &mut expressions)?;
        Ok(Returning {
            outputs,
            expressions,
            old: None,
            new: None,
        })
    }
}

/// Whether a value is `a[1]`, alone, in a row, or in a cast or collation, which may change nothing.
fn is_element(value: &Expr) -> bool {
    match value {
        Expr::CompoundFieldAccess { access_chain, .. } => access_chain
            .iter()
            .any(|step| matches!(step, AccessExpr::Subscript(_))),
        Expr::Nested(inner) => is_element(inner),
        Expr::Cast { expr, .. } | Expr::Collate { expr, .. } => is_element(expr),
        Expr::Tuple(values) => values.iter().any(is_element),
        _ => false,
    }
}
