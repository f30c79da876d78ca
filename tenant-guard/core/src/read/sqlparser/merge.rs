//! `MERGE`.

use sqlparser::ast::{
    Merge as WrittenMerge, MergeAction as WrittenAction, MergeClause, MergeClauseKind,
    MergeInsertExpr, MergeInsertKind, MergeUpdateExpr, MergeUpdateKind, OutputClause,
};

use crate::Refusal;
use crate::facts::{
    ConditionSite, Expressions, Merge, MergeAction, MergeArm, MergeValues, MergeWhen, Returning,
};

use super::reader::Reader;

impl Reader<'_> {
    pub(super) fn merge(&mut self, merge: &WrittenMerge) -> Result<Merge, Refusal> {
        let WrittenMerge {
            merge_token: _,
            optimizer_hints,
            into,
            table,
            source,
            on,
            clauses,
            output,
        } = merge;
        let known = optimizer_hints.is_empty() && *into && !clauses.is_empty();
        self.absent(known, "this form of MERGE")?;
        self.words("merge into")?;
        let target = self.target(table)?;
        self.words("using")?;
        let source = self.factor(source)?;
        self.words("on")?;
        let mut filter = Expressions::default();
        let start = self.start();
        self.expression(on, &mut filter)?;
        let condition = ConditionSite::Existing(start..self.end());
        let mut arms = Vec::with_capacity(clauses.len());
        for clause in clauses {
            arms.push(self.arm_of_merge(clause)?);
        }
        let returning = match output {
            None => Returning::default(),
            Some(OutputClause::Returning {
                returning_token: _,
                select_items,
            }) => self.returning(Some(select_items))?,
            Some(OutputClause::Output { .. }) => return Err(self.unknown("OUTPUT")),
        };
        Ok(Merge {
            target,
            source,
            condition,
            filter,
            arms,
            returning,
        })
    }

    fn arm_of_merge(&mut self, clause: &MergeClause) -> Result<MergeArm, Refusal> {
        let MergeClause {
            when_token: _,
            clause_kind,
            predicate,
            action,
        } = clause;
        let (words, when) = match clause_kind {
            MergeClauseKind::Matched => ("when matched", MergeWhen::Matched),
            MergeClauseKind::NotMatched => ("when not matched", MergeWhen::NotMatchedByTarget),
            MergeClauseKind::NotMatchedByTarget => {
                ("when not matched by target", MergeWhen::NotMatchedByTarget)
            }
            MergeClauseKind::NotMatchedBySource => {
                ("when not matched by source", MergeWhen::NotMatchedBySource)
            }
        };
        self.words(words)?;
        let mut filter = Expressions::default();
        let condition = match predicate {
            None => ConditionSite::MissingAnd(self.end()),
            Some(predicate) => {
                self.words("and")?;
                let start = self.start();
                self.expression(predicate, &mut filter)?;
                ConditionSite::Existing(start..self.end())
            }
        };
        self.words("then")?;
        Ok(MergeArm {
            when,
            condition,
            filter,
            action: self.action(action, when)?,
        })
    }

    fn action(&mut self, action: &WrittenAction, when: MergeWhen) -> Result<MergeAction, Refusal> {
        let inserts = when == MergeWhen::NotMatchedByTarget;
        match action {
            WrittenAction::DoNothing {
                do_token: _,
                nothing_token: _,
            } => {
                self.words("do nothing")?;
                Ok(MergeAction::DoNothing)
            }
            WrittenAction::Delete { delete_token: _ } => {
                self.absent(!inserts, "DELETE of a row that is not there")?;
                self.words("delete")?;
                Ok(MergeAction::Delete)
            }
            WrittenAction::Update(update) => {
                self.absent(!inserts, "UPDATE of a row that is not there")?;
                self.merge_update(update)
            }
            WrittenAction::Insert(insert) => {
                self.absent(inserts, "INSERT of a row that is there")?;
                self.merge_insert(insert)
            }
        }
    }

    fn merge_update(&mut self, update: &MergeUpdateExpr) -> Result<MergeAction, Refusal> {
        let MergeUpdateExpr {
            update_token: _,
            kind,
            update_predicate,
            delete_predicate,
        } = update;
        let plain = update_predicate.is_none() && delete_predicate.is_none();
        self.absent(plain, "WHERE in an action of MERGE")?;
        self.words("update set")?;
        let mut expressions = Expressions::default();
        let assigned = match kind {
            MergeUpdateKind::Set(assignments) => self.assignments(assignments, &mut expressions)?,
            MergeUpdateKind::Wildcard => return Err(self.unknown("UPDATE SET *")),
        };
        Ok(MergeAction::Update {
            assigned,
            expressions,
        })
    }

    fn merge_insert(&mut self, insert: &MergeInsertExpr) -> Result<MergeAction, Refusal> {
        let MergeInsertExpr {
            insert_token: _,
            columns,
            kind_token: _,
            kind,
            insert_predicate,
        } = insert;
        self.absent(insert_predicate.is_none(), "WHERE in an action of MERGE")?;
        let MergeInsertKind::Values(values) = kind else {
            return Err(self.unknown("this INSERT of MERGE"));
        };
        self.words("insert")?;
        let columns = self.insert_columns(columns)?;
        let (row, ends) = self.values(values)?;
        let [end] = ends.as_slice() else {
            return Err(self.unknown("MERGE of several rows"));
        };
        Ok(MergeAction::Insert {
            columns,
            values: MergeValues::Row {
                width: row.outputs.len(),
                end: *end,
            },
            expressions: row.expressions,
        })
    }
}
