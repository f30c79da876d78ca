//! Statements: a closed list, each with all its clauses.

use pg_query::NodeEnum;
use pg_query::protobuf::{
    DeleteStmt, LockingClause, Node, ParseResult, ResTarget, SelectStmt,
    SetOperation as PgSetOperation, UpdateStmt, WithClause,
};

use crate::facts::{
    Body, Cte, Delete, Expressions, FromItem, Grouping, Locking, Output, Query, Select,
    SetOperation, Statement, Update,
};
use crate::{Code, Ident, Refusal};

use super::nodes::{absent, unknown};
use super::output::output;
use super::relation::relation;
use super::sites::{condition_site, outputs_end};
use super::tokens::{Tokens, position};

/// Walks one statement's tree.
pub(super) struct Reader<'t> {
    pub(super) tokens: &'t Tokens,
    pub(super) max_param: u32,
}

impl<'t> Reader<'t> {
    pub(super) fn new(tokens: &'t Tokens) -> Self {
        Self {
            tokens,
            max_param: 0,
        }
    }

    pub(super) fn statement(mut self, tree: &ParseResult) -> Result<Statement, Refusal> {
        let raw = tree.stmts.first().and_then(|raw| raw.stmt.as_deref());
        let node = raw.ok_or_else(|| unknown("an empty statement"))?;
        let query = match &node.node {
            Some(
                NodeEnum::SelectStmt(_)
                | NodeEnum::InsertStmt(_)
                | NodeEnum::UpdateStmt(_)
                | NodeEnum::DeleteStmt(_)
                | NodeEnum::MergeStmt(_),
            ) => self.query(node)?,
            _ => {
                return Err(Refusal::new(
                    Code::StatementKind,
                    "only SELECT, INSERT, UPDATE, DELETE and MERGE can be restricted to a tenant",
                    "run statements that are not a tenant's with `unscoped`",
                ));
            }
        };
        Ok(Statement {
            query,
            max_param: self.max_param,
        })
    }

    /// A statement or sub-query.
    pub(super) fn query(&mut self, node: &Node) -> Result<Query, Refusal> {
        match &node.node {
            Some(NodeEnum::SelectStmt(select)) => self.select(select),
            Some(NodeEnum::InsertStmt(insert)) => self.insert(insert),
            Some(NodeEnum::UpdateStmt(update)) => self.update(update),
            Some(NodeEnum::DeleteStmt(delete)) => self.delete(delete),
            Some(NodeEnum::MergeStmt(merge)) => self.merge(merge),
            _ => Err(unknown("this kind of query")),
        }
    }

    pub(super) fn select(&mut self, select: &SelectStmt) -> Result<Query, Refusal> {
        let ctes = self.ctes(select.with_clause.as_ref())?;
        let body = match select.op() {
            PgSetOperation::SetopNone => Body::Select(Box::new(self.plain_select(select)?)),
            PgSetOperation::SetopUnion
            | PgSetOperation::SetopIntersect
            | PgSetOperation::SetopExcept => {
                Body::SetOperation(Box::new(self.set_operation(select)?))
            }
            PgSetOperation::Undefined => return Err(unknown("this set operation")),
        };
        Ok(query(select.with_clause.as_ref(), ctes, body))
    }

    fn plain_select(&mut self, select: &SelectStmt) -> Result<Select, Refusal> {
        let SelectStmt {
            distinct_clause,
            into_clause,
            target_list,
            from_clause,
            where_clause,
            group_clause,
            group_distinct: _,
            having_clause,
            window_clause,
            values_lists,
            sort_clause,
            limit_offset,
            limit_count,
            limit_option: _,
            locking_clause,
            with_clause: _,
            op: _,
            all: _,
            larg,
            rarg,
        } = select;
        absent(larg.is_none() && rarg.is_none(), "this set operation")?;
        if into_clause.is_some() {
            return Err(Refusal::new(
                Code::StatementKind,
                "SELECT INTO makes a table that belongs to no tenant",
                "use INSERT INTO … SELECT into a tenant table",
            ));
        }
        let mut expressions = Expressions::default();
        let mut outputs = self.targets(target_list, &mut expressions)?;
        if let Some(row) = values_lists.first() {
            outputs = values_outputs(row);
        }
        let from = self.read_from_list(from_clause)?;
        let mut filter = Expressions::default();
        let deciding = where_clause
            .as_deref()
            .into_iter()
            .chain(having_clause.as_deref());
        self.expressions(deciding, &mut filter)?;
        let limits = limit_offset
            .as_deref()
            .into_iter()
            .chain(limit_count.as_deref());
        self.expressions(limits, &mut expressions)?;
        let lists = [
            distinct_clause,
            group_clause,
            window_clause,
            values_lists,
            sort_clause,
        ];
        self.expressions(lists.into_iter().flatten(), &mut expressions)?;
        let locking = locking(locking_clause)?;

        let first_output = target_list.first().and_then(target_location);
        let outputs_end = match first_output {
            Some(location) => Some(outputs_end(self.tokens, self.tokens.index_at(location)?)?),
            None => None,
        };
        let condition = match (from.as_slice(), outputs_end) {
            ([FromItem::Relation(relation)], _) => {
                Some(condition_site(self.tokens, relation.span.end)?)
            }
            ([], _) | (_, None) => None,
            (_, Some(end)) => Some(condition_site(self.tokens, end)?),
        };
        Ok(Select {
            from,
            outputs,
            filter,
            expressions,
            grouping: grouping(group_clause),
            condition,
            outputs_start: first_output.map(position),
            outputs_end,
            locking,
        })
    }

    fn set_operation(&mut self, select: &SelectStmt) -> Result<SetOperation, Refusal> {
        let SelectStmt {
            distinct_clause,
            into_clause,
            target_list,
            from_clause,
            where_clause,
            group_clause,
            group_distinct: _,
            having_clause,
            window_clause,
            values_lists,
            sort_clause,
            limit_offset,
            limit_count,
            limit_option: _,
            locking_clause,
            with_clause: _,
            op: _,
            all: _,
            larg,
            rarg,
        } = select;
        let lists = [
            distinct_clause,
            target_list,
            from_clause,
            group_clause,
            window_clause,
            values_lists,
        ];
        let plain = lists.iter().all(|list| list.is_empty())
            && into_clause.is_none()
            && where_clause.is_none()
            && having_clause.is_none();
        absent(
            plain && locking_clause.is_empty(),
            "this clause of a set operation",
        )?;
        let (Some(left), Some(right)) = (larg, rarg) else {
            return Err(unknown("a set operation of one query"));
        };
        let (left, right) = (self.select(left)?, self.select(right)?);
        let mut expressions = Expressions::default();
        let tail = limit_offset
            .as_deref()
            .into_iter()
            .chain(limit_count.as_deref());
        self.expressions(sort_clause.iter().chain(tail), &mut expressions)?;
        Ok(SetOperation {
            left,
            right,
            expressions,
        })
    }

    fn update(&mut self, update: &UpdateStmt) -> Result<Query, Refusal> {
        let UpdateStmt {
            relation: target,
            target_list,
            where_clause,
            from_clause,
            returning_clause,
            with_clause,
        } = update;
        let ctes = self.ctes(with_clause.as_ref())?;
        let target = target
            .as_ref()
            .ok_or_else(|| unknown("an UPDATE of nothing"))?;
        let target = relation(target, self.tokens)?;
        let mut expressions = Expressions::default();
        let assigned = self.assignments(target_list, &mut expressions)?;
        let from = self.read_from_list(from_clause)?;
        let mut filter = Expressions::default();
        self.expressions(where_clause.as_deref(), &mut filter)?;
        let returning = self.returning(returning_clause.as_ref())?;
        let condition = condition_site(self.tokens, target.span.end)?;
        let update = Update {
            target,
            assigned,
            from,
            condition,
            filter,
            expressions,
            returning,
        };
        Ok(query(
            with_clause.as_ref(),
            ctes,
            Body::Update(Box::new(update)),
        ))
    }

    fn delete(&mut self, delete: &DeleteStmt) -> Result<Query, Refusal> {
        let DeleteStmt {
            relation: target,
            using_clause,
            where_clause,
            returning_clause,
            with_clause,
        } = delete;
        let ctes = self.ctes(with_clause.as_ref())?;
        let target = target
            .as_ref()
            .ok_or_else(|| unknown("a DELETE from nothing"))?;
        let target = relation(target, self.tokens)?;
        let using = self.read_from_list(using_clause)?;
        let mut filter = Expressions::default();
        self.expressions(where_clause.as_deref(), &mut filter)?;
        let returning = self.returning(returning_clause.as_ref())?;
        let condition = condition_site(self.tokens, target.span.end)?;
        let delete = Delete {
            target,
            using,
            condition,
            filter,
            returning,
        };
        Ok(query(
            with_clause.as_ref(),
            ctes,
            Body::Delete(Box::new(delete)),
        ))
    }

    /// The columns of a `SET` list; what the values name goes into `expressions`.
    pub(super) fn assignments(
        &mut self,
        targets: &[Node],
        expressions: &mut Expressions,
    ) -> Result<Vec<Ident>, Refusal> {
        let mut assigned = Vec::new();
        for target in targets {
            let Some(NodeEnum::ResTarget(target)) = &target.node else {
                return Err(unknown("this assignment"));
            };
            let ResTarget {
                name,
                indirection,
                val,
                location: _,
            } = &**target;
            assigned.push(Ident::from(name.as_str()));
            expressions.assigns_element |= val.as_deref().is_some_and(is_element);
            self.indirection(indirection, expressions)?;
            self.expressions(val.as_deref(), expressions)?;
        }
        Ok(assigned)
    }

    /// A select or `RETURNING` list.
    pub(super) fn targets(
        &mut self,
        targets: &[Node],
        expressions: &mut Expressions,
    ) -> Result<Vec<Output>, Refusal> {
        let mut outputs = Vec::new();
        for target in targets {
            let Some(NodeEnum::ResTarget(target)) = &target.node else {
                return Err(unknown("this entry of a select list"));
            };
            let ResTarget {
                name,
                indirection,
                val,
                location: _,
            } = &**target;
            absent(indirection.is_empty(), "this entry of a select list")?;
            let value = val
                .as_deref()
                .ok_or_else(|| unknown("an empty entry of a select list"))?;
            self.expression(value, expressions)?;
            outputs.push(output(name, value));
        }
        Ok(outputs)
    }
}

fn grouping(clause: &[Node]) -> Grouping {
    let is_set = |node: &Node| matches!(node.node, Some(NodeEnum::GroupingSet(_)));
    match clause {
        [] => Grouping::None,
        clause if clause.iter().any(is_set) => Grouping::Sets,
        _ => Grouping::Plain,
    }
}

/// Whether a value is `a[1]`, alone, in a row, or in a cast or collation, which may change nothing.
fn is_element(value: &Node) -> bool {
    let within = |value: &Option<Box<Node>>| value.as_deref().is_some_and(is_element);
    match &value.node {
        Some(NodeEnum::AIndirection(indirection)) => indirection
            .indirection
            .iter()
            .any(|step| matches!(step.node, Some(NodeEnum::AIndices(_)))),
        Some(NodeEnum::TypeCast(cast)) => within(&cast.arg),
        Some(NodeEnum::CollateClause(collate)) => within(&collate.arg),
        Some(NodeEnum::MultiAssignRef(assignment)) => within(&assignment.source),
        Some(NodeEnum::RowExpr(row)) => row.args.iter().any(is_element),
        _ => false,
    }
}

/// Puts a query together.
pub(super) fn query(clause: Option<&WithClause>, ctes: Vec<Cte>, body: Body) -> Query {
    Query {
        recursive: clause.is_some_and(|clause| clause.recursive),
        ctes,
        body,
    }
}

/// `FOR UPDATE OF t`: `t` is an alias and must not look like a table.
fn locking(clauses: &[Node]) -> Result<Locking, Refusal> {
    let mut locked = Locking::None;
    for clause in clauses {
        let Some(NodeEnum::LockingClause(clause)) = &clause.node else {
            return Err(unknown("this locking clause"));
        };
        let LockingClause {
            locked_rels,
            strength: _,
            wait_policy: _,
        } = clause;
        let names = locked_rels
            .iter()
            .map(locked_name)
            .collect::<Option<Vec<_>>>();
        let names = names.ok_or_else(|| unknown("this locking clause"))?;
        locked = match locked {
            _ if names.is_empty() => Locking::All,
            Locking::None => Locking::Of(names),
            Locking::All => Locking::All,
            Locking::Of(mut all) => {
                all.extend(names);
                Locking::Of(all)
            }
        };
    }
    Ok(locked)
}

fn locked_name(node: &Node) -> Option<Ident> {
    match &node.node {
        Some(NodeEnum::RangeVar(name)) => {
            let bare =
                name.schemaname.is_empty() && name.catalogname.is_empty() && name.alias.is_none();
            bare.then(|| Ident::from(name.relname.as_str()))
        }
        _ => None,
    }
}

/// The names of `VALUES`: `column1`, `column2`, …
fn values_outputs(row: &Node) -> Vec<Output> {
    let count = match &row.node {
        Some(NodeEnum::List(list)) => list.items.len(),
        _ => 0,
    };
    (1..=count)
        .map(|number| Output::Named(format!("column{number}").into()))
        .collect()
}

fn target_location(node: &Node) -> Option<i32> {
    match &node.node {
        Some(NodeEnum::ResTarget(target)) if position(target.location) != usize::MAX => {
            Some(target.location)
        }
        _ => None,
    }
}
