//! `INSERT`.

use pg_query::NodeEnum;
use pg_query::protobuf::{
    IndexElem, InferClause, InsertStmt, Node, OnConflictAction, OnConflictClause, ResTarget,
    SelectStmt, Token as Kind,
};

use crate::facts::{
    Body, ConflictTarget, Expressions, Insert, InsertSource, OnConflict, Query, Relation,
};
use crate::{Ident, Refusal};

use super::nodes::{absent, unknown};
use super::relation::relation;
use super::statement::{Reader, query};
use super::tokens::lost;

impl Reader<'_> {
    pub(super) fn insert(&mut self, insert: &InsertStmt) -> Result<Query, Refusal> {
        let InsertStmt {
            relation: target,
            cols,
            select_stmt,
            on_conflict_clause,
            returning_clause,
            with_clause,
            r#override: _,
        } = insert;
        let ctes = self.ctes(with_clause.as_ref())?;
        let target = target
            .as_ref()
            .ok_or_else(|| unknown("an INSERT into nothing"))?;
        let target = relation(target, self.tokens)?;
        let mut expressions = Expressions::default();
        let columns = columns(cols)?;
        let columns_close = self.columns_close(cols)?;
        let source = self.source(select_stmt.as_deref(), columns_close, &target)?;
        let on_conflict = on_conflict_clause
            .as_deref()
            .map(|clause| self.on_conflict(clause, &mut expressions))
            .transpose()?;
        let returning = self.returning(returning_clause.as_ref(), &mut expressions)?;
        let columns_end = match columns_close {
            Some(close) => Some(self.tokens.end_before(close)?),
            None => None,
        };
        let insert = Insert {
            target,
            columns,
            columns_end,
            source,
            on_conflict,
            expressions,
            returning,
        };
        Ok(query(
            with_clause.as_ref(),
            ctes,
            Body::Insert(Box::new(insert)),
        ))
    }

    /// The index of the parenthesis that closes the column list.
    fn columns_close(&self, cols: &[Node]) -> Result<Option<usize>, Refusal> {
        let Some(NodeEnum::ResTarget(first)) = cols.first().and_then(|node| node.node.as_ref())
        else {
            return Ok(None);
        };
        let index = self.tokens.index_at(first.location)?;
        if self.tokens.kind_before(index) != Some(Kind::Ascii40) {
            return Err(lost(self.tokens.span(index)?));
        }
        self.tokens.closing(index - 1).map(Some)
    }

    fn source(
        &mut self,
        node: Option<&Node>,
        columns_close: Option<usize>,
        target: &Relation,
    ) -> Result<InsertSource, Refusal> {
        let Some(node) = node else {
            return Ok(InsertSource::DefaultValues);
        };
        match &node.node {
            Some(NodeEnum::SelectStmt(select)) if is_plain_values(select) => {
                let mut expressions = Expressions::default();
                self.expressions(&select.values_lists, &mut expressions)?;
                let row_ends = match columns_close {
                    Some(close) => self.row_ends(close + 1, select.values_lists.len(), target)?,
                    None => Vec::new(),
                };
                Ok(InsertSource::Values {
                    row_ends,
                    expressions,
                })
            }
            _ => Ok(InsertSource::Query(self.query(node)?)),
        }
    }

    /// The byte behind the last value of each row of `[OVERRIDING … VALUE] VALUES (…), (…)`.
    fn row_ends(
        &self,
        start: usize,
        rows: usize,
        target: &Relation,
    ) -> Result<Vec<usize>, Refusal> {
        let values = match self.tokens.kind(start) {
            Some(Kind::Overriding) => start + 3,
            _ => start,
        };
        let values = self.tokens.index_past(values, Kind::Ascii40);
        if self.tokens.kind(values) != Some(Kind::Values) {
            return Err(lost(target.span.clone()));
        }
        let mut ends = Vec::with_capacity(rows);
        let mut open = values + 1;
        while self.tokens.kind(open) == Some(Kind::Ascii40) {
            let close = self.tokens.closing(open)?;
            ends.push(self.tokens.end_before(close)?);
            if self.tokens.kind(close + 1) != Some(Kind::Ascii44) {
                break;
            }
            open = close + 2;
        }
        if ends.len() == rows {
            Ok(ends)
        } else {
            Err(lost(target.span.clone()))
        }
    }

    fn on_conflict(
        &mut self,
        clause: &OnConflictClause,
        expressions: &mut Expressions,
    ) -> Result<OnConflict, Refusal> {
        let OnConflictClause {
            action: _,
            infer,
            target_list,
            where_clause,
            location: _,
        } = clause;
        let updates = match clause.action() {
            OnConflictAction::OnconflictNothing => false,
            OnConflictAction::OnconflictUpdate => true,
            OnConflictAction::OnconflictNone | OnConflictAction::Undefined => {
                return Err(unknown("this ON CONFLICT"));
            }
        };
        let target = match infer.as_deref() {
            Some(infer) => self.conflict_target(infer, expressions)?,
            None => ConflictTarget::Any,
        };
        let assigned = self.assignments(target_list, expressions)?;
        self.expressions(where_clause.as_deref(), expressions)?;
        Ok(OnConflict {
            target,
            assigned,
            updates,
        })
    }

    fn conflict_target(
        &mut self,
        infer: &InferClause,
        expressions: &mut Expressions,
    ) -> Result<ConflictTarget, Refusal> {
        let InferClause {
            index_elems,
            where_clause,
            conname,
            location: _,
        } = infer;
        self.expressions(where_clause.as_deref(), expressions)?;
        if !conname.is_empty() {
            return Ok(ConflictTarget::Constraint(Ident::from(conname.as_str())));
        }
        let mut columns = Vec::new();
        for element in index_elems {
            let Some(NodeEnum::IndexElem(element)) = &element.node else {
                return Err(unknown("this ON CONFLICT"));
            };
            let IndexElem {
                name,
                expr,
                indexcolname: _,
                collation: _,
                opclass,
                opclassopts,
                ordering: _,
                nulls_ordering: _,
            } = &**element;
            // With another operator class "equal" could mean something else.
            absent(
                opclass.is_empty() && opclassopts.is_empty(),
                "an operator class",
            )?;
            self.expressions(expr.as_deref(), expressions)?;
            if !name.is_empty() {
                columns.push(Ident::from(name.as_str()));
            }
        }
        Ok(ConflictTarget::Columns(columns))
    }
}

fn columns(cols: &[Node]) -> Result<Vec<Ident>, Refusal> {
    cols.iter()
        .map(|node| match &node.node {
            Some(NodeEnum::ResTarget(target)) => {
                let ResTarget {
                    name,
                    indirection,
                    val,
                    location: _,
                } = &**target;
                absent(
                    indirection.is_empty() && val.is_none(),
                    "an INSERT into a part of a column",
                )?;
                Ok(Ident::from(name.as_str()))
            }
            _ => Err(unknown("this column of an INSERT")),
        })
        .collect()
}

/// Whether this is `VALUES (…)` and nothing else, so that its rows follow the column list.
fn is_plain_values(select: &SelectStmt) -> bool {
    !select.values_lists.is_empty()
        && select.with_clause.is_none()
        && select.sort_clause.is_empty()
        && select.limit_count.is_none()
        && select.limit_offset.is_none()
        && select.locking_clause.is_empty()
}
