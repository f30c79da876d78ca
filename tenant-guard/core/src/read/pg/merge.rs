//! `MERGE`.

use pg_query::NodeEnum;
use pg_query::protobuf::{
    CmdType, MergeMatchKind, MergeStmt, MergeWhenClause, Node, Token as Kind,
};

use crate::Refusal;
use crate::facts::{
    Body, ConditionSite, Expressions, InsertColumns, Merge, MergeAction, MergeArm, MergeValues,
    MergeWhen, Query, Span,
};

use super::nodes::unknown;
use super::relation::relation;
use super::statement::{Reader, query};
use super::tokens::lost;

impl Reader<'_> {
    pub(super) fn merge(&mut self, merge: &MergeStmt) -> Result<Query, Refusal> {
        let MergeStmt {
            relation: target,
            source_relation,
            join_condition,
            merge_when_clauses,
            returning_clause,
            with_clause,
        } = merge;
        let ctes = self.ctes(with_clause.as_ref())?;
        let target = target
            .as_ref()
            .ok_or_else(|| unknown("a MERGE into nothing"))?;
        let target = relation(target, self.tokens)?;
        let source = source_relation
            .as_deref()
            .ok_or_else(|| unknown("a MERGE of nothing"))?;
        let source = self.read_from_item(source)?;
        let mut filter = Expressions::default();
        self.expressions(join_condition.as_deref(), &mut filter)?;

        let (condition, mut next) = self.on_condition(&target.span)?;
        let mut arms = Vec::with_capacity(merge_when_clauses.len());
        for clause in merge_when_clauses {
            let (arm, behind) = self.arm(clause, next, &target.span)?;
            arms.push(arm);
            next = behind;
        }
        let returning = self.returning(returning_clause.as_ref())?;
        let merge = Merge {
            target,
            source,
            condition,
            filter,
            arms,
            returning,
        };
        Ok(query(
            with_clause.as_ref(),
            ctes,
            Body::Merge(Box::new(merge)),
        ))
    }

    /// The condition behind the `ON` of the whole, and the index of the first `WHEN`. Joins of the
    /// source have `ON`s of their own, so it is the last one.
    fn on_condition(&self, target: &Span) -> Result<(ConditionSite, usize), Refusal> {
        let start = self.tokens.index_behind(target.end);
        let when = self.find_outside_case(start, Kind::When);
        let mut on = None;
        let mut from = start;
        while from < when {
            let next = self.find_outside_case(from, Kind::On);
            if next < when {
                on = Some(next);
            }
            from = next + 1;
        }
        let first = on.ok_or_else(|| lost(target.clone()))? + 1;
        let condition = self.tokens.span(first)?.start..self.tokens.end_before(when)?;
        Ok((ConditionSite::Existing(condition), when))
    }

    /// The arm whose `WHEN` is at this index, and the index behind it.
    fn arm(
        &mut self,
        node: &Node,
        when_at: usize,
        target: &Span,
    ) -> Result<(MergeArm, usize), Refusal> {
        let Some(NodeEnum::MergeWhenClause(clause)) = &node.node else {
            return Err(unknown("this part of a MERGE"));
        };
        let MergeWhenClause {
            match_kind: _,
            command_type: _,
            r#override: _,
            condition,
            target_list,
            values,
        } = &**clause;
        if self.tokens.kind(when_at) != Some(Kind::When) {
            return Err(lost(target.clone()));
        }
        let when = match clause.match_kind() {
            MergeMatchKind::MergeWhenMatched => MergeWhen::Matched,
            MergeMatchKind::MergeWhenNotMatchedBySource => MergeWhen::NotMatchedBySource,
            MergeMatchKind::MergeWhenNotMatchedByTarget => MergeWhen::NotMatchedByTarget,
            MergeMatchKind::Undefined => return Err(unknown("this part of a MERGE")),
        };
        let then = self.find_outside_case(when_at + 1, Kind::Then);
        let mut filter = Expressions::default();
        self.expressions(condition.as_deref(), &mut filter)?;
        let site = if condition.is_some() {
            let and = self
                .tokens
                .find_end(when_at + 1, |_, kind| kind == Kind::And);
            let first = self.tokens.span(and + 1)?.start;
            ConditionSite::Existing(first..self.tokens.end_before(then)?)
        } else {
            ConditionSite::MissingAnd(self.tokens.end_before(then)?)
        };

        let mut expressions = Expressions::default();
        let action = match clause.command_type() {
            CmdType::CmdNothing => MergeAction::DoNothing,
            CmdType::CmdDelete => MergeAction::Delete,
            CmdType::CmdUpdate => MergeAction::Update {
                assigned: self.assignments(target_list, &mut expressions)?,
                expressions,
            },
            CmdType::CmdInsert => {
                let columns = self.insert_columns(target_list, then + 1, &mut expressions)?;
                self.expressions(values, &mut expressions)?;
                let values = self.merge_values(&columns, then + 1, values.len(), target)?;
                MergeAction::Insert {
                    columns,
                    values,
                    expressions,
                }
            }
            _ => return Err(unknown("this action of a MERGE")),
        };
        let arm = MergeArm {
            when,
            condition: site,
            filter,
            action,
        };
        let behind = self.find_outside_case(then + 1, Kind::When);
        Ok((arm, behind))
    }

    /// `DEFAULT VALUES`, or `[OVERRIDING …] VALUES (…)`, behind `INSERT` and its columns.
    fn merge_values(
        &self,
        columns: &InsertColumns,
        insert: usize,
        width: usize,
        target: &Span,
    ) -> Result<MergeValues, Refusal> {
        let start = match columns {
            InsertColumns::Listed { end, .. } => self.tokens.index_behind(*end) + 1,
            InsertColumns::Implied { .. } => insert + 1,
        };
        if self.tokens.kind(start) == Some(Kind::Default) {
            let words = self.tokens.span(start)?.start..self.tokens.span(start + 1)?.end;
            return Ok(MergeValues::Defaults(words));
        }
        let values = match self.tokens.kind(start) {
            Some(Kind::Overriding) => start + 3,
            _ => start,
        };
        let open = values + 1;
        if self.tokens.kind(values) != Some(Kind::Values)
            || self.tokens.kind(open) != Some(Kind::Ascii40)
        {
            return Err(lost(target.clone()));
        }
        let close = self.tokens.closing(open)?;
        Ok(MergeValues::Row {
            width,
            end: self.tokens.end_before(close)?,
        })
    }

    /// The first token of this kind at the depth of `start` that belongs to no `CASE`.
    fn find_outside_case(&self, start: usize, wanted: Kind) -> usize {
        let cases = std::cell::Cell::new(0_usize);
        self.tokens.find_end(start, |_, kind| match kind {
            Kind::Case => {
                cases.set(cases.get() + 1);
                false
            }
            Kind::EndP => {
                cases.set(cases.get().saturating_sub(1));
                false
            }
            kind => cases.get() == 0 && (kind == wanted || kind == Kind::Ascii59),
        })
    }
}
