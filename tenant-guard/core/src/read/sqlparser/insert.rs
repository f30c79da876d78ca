//! `INSERT`.

use sqlparser::ast::{
    ConflictTarget as WrittenTarget, DoUpdate, Insert as WrittenInsert, InsertOverriding,
    ObjectName, OnConflict as WrittenOnConflict, OnConflictAction, OnInsert, Query as WrittenQuery,
    SetExpr, TableAliasWithoutColumns, TableObject, Values,
};

use crate::Refusal;
use crate::facts::{
    Alias, ConflictTarget, Expressions, Insert, InsertColumns, InsertSource, OnConflict, Span,
};

use super::keywords::Place;
use super::reader::Reader;

impl Reader<'_> {
    pub(super) fn insert(&mut self, insert: &WrittenInsert) -> Result<Insert, Refusal> {
        let WrittenInsert {
            insert_token: _,
            optimizer_hints,
            or,
            ignore,
            into,
            table,
            table_alias,
            columns,
            by_name,
            overwrite,
            source,
            assignments,
            partitioned,
            after_columns,
            overriding,
            has_table_keyword,
            on,
            returning,
            output,
            replace_into,
            priority,
            insert_alias,
            settings,
            format_clause,
            multi_table_insert_type,
            multi_table_into_clauses,
            multi_table_when_clauses,
            multi_table_else_clause,
        } = insert;
        let known = optimizer_hints.is_empty()
            && or.is_none()
            && !ignore
            && *into
            && !by_name
            && !overwrite
            && assignments.is_empty()
            && partitioned.is_none()
            && after_columns.is_empty()
            && !has_table_keyword
            && output.is_none()
            && !replace_into
            && priority.is_none()
            && insert_alias.is_none()
            && settings.is_none()
            && format_clause.is_none()
            && multi_table_insert_type.is_none()
            && multi_table_into_clauses.is_empty()
            && multi_table_when_clauses.is_empty()
            && multi_table_else_clause.is_none();
        self.absent(known, "this form of INSERT")?;
        let TableObject::TableName(name) = table else {
            return Err(self.unknown("this target of an INSERT"));
        };
        self.words("insert into")?;
        let mut target = self.table_name(name)?;
        if let Some(TableAliasWithoutColumns { explicit, alias }) = table_alias {
            self.absent(*explicit, "an alias without AS here")?;
            self.words("as")?;
            target.alias = Some(Alias {
                name: self.name(alias, Place::Column)?,
                columns: Vec::new(),
            });
        }
        let named = self.insert_columns(columns)?;
        if let Some(overriding) = overriding {
            self.words(match overriding {
                InsertOverriding::System => "overriding system value",
                InsertOverriding::User => "overriding user value",
            })?;
        }
        let source = if let Some(source) = source {
            self.source(source)?
        } else {
            let plain = columns.is_empty() && overriding.is_none();
            self.absent(plain, "DEFAULT VALUES of these columns")?;
            InsertSource::DefaultValues(self.default_values()?)
        };
        let mut expressions = Expressions::default();
        let on_conflict = match on {
            None => None,
            Some(OnInsert::OnConflict(clause)) => Some(self.on_conflict(clause, &mut expressions)?),
            Some(_) => return Err(self.unknown("ON DUPLICATE KEY UPDATE")),
        };
        let returning = self.returning(returning.as_deref())?;
        Ok(Insert {
            target,
            columns: named,
            source,
            on_conflict,
            expressions,
            returning,
        })
    }

    /// A column list, or the place for one.
    pub(super) fn insert_columns(
        &mut self,
        columns: &[ObjectName],
    ) -> Result<InsertColumns, Refusal> {
        if columns.is_empty() {
            return Ok(InsertColumns::Implied { at: self.end() });
        }
        self.mark(b'(')?;
        let columns = self.list(columns, Self::single)?;
        let end = self.end();
        self.mark(b')')?;
        Ok(InsertColumns::Listed { columns, end })
    }

    /// `DEFAULT VALUES`
    fn default_values(&mut self) -> Result<Span, Refusal> {
        let start = self.start();
        self.words("default values")?;
        Ok(start..self.end())
    }

    fn source(&mut self, source: &WrittenQuery) -> Result<InsertSource, Refusal> {
        let Some((values, depth)) = plain_values(source) else {
            return Ok(InsertSource::Query(self.query(source)?));
        };
        for _ in 0..depth {
            self.mark(b'(')?;
        }
        let (select, row_ends) = self.values(values)?;
        for _ in 0..depth {
            self.mark(b')')?;
        }
        Ok(InsertSource::Values {
            row_ends,
            width: select.outputs.len(),
            expressions: select.expressions,
        })
    }

    fn on_conflict(
        &mut self,
        clause: &WrittenOnConflict,
        expressions: &mut Expressions,
    ) -> Result<OnConflict, Refusal> {
        let WrittenOnConflict {
            conflict_target,
            action,
        } = clause;
        self.words("on conflict")?;
        let target = match conflict_target {
            None => ConflictTarget::Any,
            Some(WrittenTarget::OnConstraint(name)) => {
                self.words("on constraint")?;
                ConflictTarget::Constraint(self.single(name)?)
            }
            Some(WrittenTarget::Columns { columns, predicate }) => {
                self.absent(!columns.is_empty(), "ON CONFLICT of no columns")?;
                self.mark(b'(')?;
                let columns =
                    self.list(columns, |reader, column| reader.name(column, Place::Column))?;
                self.mark(b')')?;
                if let Some(predicate) = predicate {
                    self.words("where")?;
                    self.expression(predicate, expressions)?;
                }
                ConflictTarget::Columns(columns)
            }
        };
        self.words("do")?;
        match action {
            OnConflictAction::DoNothing => {
                self.words("nothing")?;
                Ok(OnConflict {
                    target,
                    assigned: Vec::new(),
                    updates: false,
                })
            }
            OnConflictAction::DoUpdate(DoUpdate {
                assignments,
                selection,
            }) => {
                self.words("update set")?;
                let assigned = self.assignments(assignments, expressions)?;
                if let Some(selection) = selection {
                    self.words("where")?;
                    self.expression(selection, expressions)?;
                }
                Ok(OnConflict {
                    target,
                    assigned,
                    updates: true,
                })
            }
        }
    }
}

/// `VALUES (…)` and nothing else, and how many parentheses are around it.
fn plain_values(query: &WrittenQuery) -> Option<(&Values, usize)> {
    let WrittenQuery {
        with: None,
        body,
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks,
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators,
    } = query
    else {
        return None;
    };
    if !locks.is_empty() || !pipe_operators.is_empty() {
        return None;
    }
    match &**body {
        SetExpr::Values(values) => Some((values, 0)),
        SetExpr::Query(inner) => plain_values(inner).map(|(values, depth)| (values, depth + 1)),
        _ => None,
    }
}
