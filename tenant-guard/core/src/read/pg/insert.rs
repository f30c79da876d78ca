//! `INSERT`.

use pg_query::NodeEnum;
use pg_query::protobuf::{
    IndexElem, InferClause, InsertStmt, Node, OnConflictAction, OnConflictClause, SelectStmt,
    Token as Kind,
};

use crate::facts::{
    Body, ConflictTarget, Expressions, Insert, InsertColumns, InsertSource, OnConflict, Query,
    Relation,
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
        let last = self.last_of_target(&target)?;
        let mut expressions = Expressions::default();
        let columns = self.insert_columns(cols, last, &mut expressions)?;
        let rest = match &columns {
            InsertColumns::Listed { end, .. } => self.tokens.index_behind(*end) + 1,
            InsertColumns::Implied { .. } => last + 1,
        };
        let source = self.source(select_stmt.as_deref(), rest, &target)?;
        let on_conflict = on_conflict_clause
            .as_deref()
            .map(|clause| self.on_conflict(clause, &mut expressions))
            .transpose()?;
        let returning = self.returning(returning_clause.as_ref())?;
        let insert = Insert {
            target,
            columns,
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

    /// The index of the last token of a target with its alias, which needs `AS` here.
    fn last_of_target(&self, target: &Relation) -> Result<usize, Refusal> {
        let behind = self.tokens.index_behind(target.span.end);
        let last = match self.tokens.kind(behind) {
            Some(Kind::As) => behind + 1,
            _ => behind.saturating_sub(1),
        };
        match self.tokens.kind(last + 1) {
            Some(Kind::Uescape) => Ok(last + 2),
            Some(_) => Ok(last),
            None => Err(lost(target.span.clone())),
        }
    }

    /// A column list, where there is one behind the token at `before`; parts of columns
    /// (`a[1]`, `a.b`) go into `expressions`.
    pub(super) fn insert_columns(
        &mut self,
        cols: &[Node],
        before: usize,
        expressions: &mut Expressions,
    ) -> Result<InsertColumns, Refusal> {
        let Some(NodeEnum::ResTarget(first)) = cols.first().and_then(|node| node.node.as_ref())
        else {
            let at = self.tokens.span(before)?.end;
            return Ok(InsertColumns::Implied { at });
        };
        let index = self.tokens.index_at(first.location)?;
        if self.tokens.kind_before(index) != Some(Kind::Ascii40) {
            return Err(lost(self.tokens.span(index)?));
        }
        let close = self.tokens.closing(index - 1)?;
        let end = self.tokens.end_before(close)?;
        let columns = self.assignments(cols, expressions)?;
        Ok(InsertColumns::Listed { columns, end })
    }

    fn source(
        &mut self,
        node: Option<&Node>,
        rest: usize,
        target: &Relation,
    ) -> Result<InsertSource, Refusal> {
        let Some(node) = node else {
            let words = self.tokens.span(rest)?.start..self.tokens.span(rest + 1)?.end;
            return Ok(InsertSource::DefaultValues(words));
        };
        match &node.node {
            Some(NodeEnum::SelectStmt(select)) if is_plain_values(select) => {
                let mut expressions = Expressions::default();
                self.expressions(&select.values_lists, &mut expressions)?;
                Ok(InsertSource::Values {
                    row_ends: self.row_ends(rest, select.values_lists.len(), target)?,
                    width: select.values_lists.first().map_or(0, row_width),
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

fn row_width(row: &Node) -> usize {
    match &row.node {
        Some(NodeEnum::List(list)) => list.items.len(),
        _ => 0,
    }
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
