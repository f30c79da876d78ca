//! Whether a statement could fail on a row before its tenant is looked at.
//!
//! PostgreSQL orders the conditions on a table by their cost, and puts `tenant = $n` behind others
//! that cost as much (it is an equivalence clause, which is added last; measured on PostgreSQL
//! 15.20). A function or operator that fails on a value and quotes it would then show another
//! tenant's. A statement is *loud* when such an expression decides about rows. Its restrictions get
//! a second, cheaper condition, which PostgreSQL evaluates first.
//!
//! What a sub-query computes costs nothing in that order when it is pulled up from below an outer
//! join, `UNION ALL` or grouping sets (`PlaceHolderVar` in `cost_qual_eval_walker`, PostgreSQL 15
//! `src/backend/optimizer/path/costsize.c`). Nothing is cheaper than that, so then the restricted
//! tables get `OFFSET 0`, below which no condition is pushed.

use crate::Ident;
use crate::facts::{
    Body, Call, Expressions, FromItem, Grouping, InsertSource, JoinKind, Merge, MergeAction,
    QualifiedName, Query, Select,
};

/// Functions of which no overload fails on a value of its arguments (`length(bytea, name)` does), and
/// aggregates, which cannot decide about rows before they are read.
#[rustfmt::skip]
const QUIET_FUNCTIONS: &[&str] = &[
    "array_agg", "avg", "bit_length", "bool_and", "bool_or", "btrim", "char_length", "clock_timestamp",
    "concat", "concat_ws", "count", "every", "gen_random_uuid", "json_agg", "json_build_array",
    "json_typeof", "jsonb_agg", "jsonb_build_array", "jsonb_typeof", "lower", "ltrim", "max",
    "md5", "min", "now", "octet_length", "row_number", "rtrim", "statement_timestamp",
    "string_agg", "sum", "transaction_timestamp", "upper",
];

/// Operators that fail on no operands of the types they take: comparisons, containment, and access
/// to JSON.
#[rustfmt::skip]
const QUIET_OPERATORS: &[&str] = &[
    "#>", "#>>", "&&", "->", "->>", "<", "<=", "<>", "<@", "=", ">", ">=", "?", "?&", "?|", "@>",
];

/// What keeps other expressions behind a restriction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Barrier {
    None,
    /// A cheaper condition.
    Condition,
    /// That, and `OFFSET 0` in a sub-query of a table.
    Fence,
}

/// What the queries of a statement have in them that can fail.
#[derive(Debug, Default)]
pub(super) struct Noise {
    /// Whether one is loud.
    loud: bool,
    inner: Inner,
}

impl Noise {
    /// The statement itself is outermost, and a view's query stands inside of it.
    pub(super) fn add(&mut self, query: &Query, outermost: bool) {
        self.loud |= loud_query(query, outermost);
        self.inner.query(query, outermost);
    }

    pub(super) fn barrier(&self) -> Barrier {
        if !self.loud {
            Barrier::None
        } else if self.inner.needs_fence() {
            Barrier::Fence
        } else {
            Barrier::Condition
        }
    }
}

/// Whether what the sub-queries of a grouped query compute can be cheaper than any condition in its
/// `WHERE`. A grouped query is planned by itself, so nothing around it counts.
pub(super) fn needs_fence(select: &Select) -> bool {
    let mut inner = Inner::default();
    inner.select(select);
    inner.needs_fence()
}

/// What there is anywhere in a statement, or in one query.
#[derive(Debug, Default)]
struct Inner {
    /// An outer join, a set operation or grouping sets.
    nulls: bool,
    /// A sub-query that computes something that can fail.
    computes: bool,
}

impl Inner {
    fn needs_fence(&self) -> bool {
        self.nulls && self.computes
    }

    fn query(&mut self, query: &Query, outermost: bool) {
        for cte in &query.ctes {
            self.query(&cte.query, false);
        }
        match &query.body {
            Body::Select(select) => {
                self.computes |= !outermost && fails(&select.expressions);
                self.select(select);
            }
            Body::SetOperation(operation) => {
                self.nulls = true;
                self.query(&operation.left, outermost);
                self.query(&operation.right, outermost);
                self.subqueries(&[&operation.expressions]);
            }
            Body::Insert(insert) => {
                match &insert.source {
                    InsertSource::Query(query) => self.query(query, outermost),
                    InsertSource::Values { expressions, .. } => self.subqueries(&[expressions]),
                    InsertSource::DefaultValues(_) => {}
                }
                self.subqueries(&[&insert.expressions, &insert.returning.expressions]);
            }
            Body::Update(update) => {
                let returning = &update.returning.expressions;
                self.subqueries(&[&update.filter, &update.expressions, returning]);
                self.items(&update.from);
            }
            Body::Delete(delete) => {
                self.subqueries(&[&delete.filter, &delete.returning.expressions]);
                self.items(&delete.using);
            }
            Body::Merge(merge) => {
                // It joins its sides by an outer join.
                self.nulls = true;
                self.subqueries(&[&merge.filter, &merge.returning.expressions]);
                self.items(std::slice::from_ref(&merge.source));
                for arm in &merge.arms {
                    self.subqueries(&[&arm.filter]);
                    match &arm.action {
                        MergeAction::DoNothing | MergeAction::Delete => {}
                        MergeAction::Update { expressions, .. }
                        | MergeAction::Insert { expressions, .. } => {
                            self.subqueries(&[expressions]);
                        }
                    }
                }
            }
        }
    }

    fn select(&mut self, select: &Select) {
        self.nulls |= select.grouping == Grouping::Sets;
        self.subqueries(&[&select.filter, &select.expressions]);
        self.items(&select.from);
    }

    fn items(&mut self, items: &[FromItem]) {
        for item in items {
            match item {
                FromItem::Relation(_) => {}
                FromItem::Subquery { query, .. } => self.query(query, false),
                FromItem::Function(function) => self.subqueries(&[&function.expressions]),
                FromItem::Join(join) => {
                    self.nulls |= join.kind != JoinKind::Inner;
                    self.subqueries(&[&join.expressions]);
                    self.items(std::slice::from_ref(&join.left));
                    self.items(std::slice::from_ref(&join.right));
                }
            }
        }
    }

    fn subqueries(&mut self, all: &[&Expressions]) {
        for query in all.iter().flat_map(|expressions| &expressions.subqueries) {
            self.query(query, false);
        }
    }
}

/// Whether any expression that decides about rows, anywhere in the statement, can fail on a value.
///
/// What the outermost query computes of the rows it has found does not count. In sub-queries
/// everything does, as PostgreSQL may pull them up into the conditions around them.
fn loud_query(query: &Query, outermost: bool) -> bool {
    query.ctes.iter().any(|cte| loud_query(&cte.query, false)) || loud_body(&query.body, outermost)
}

fn loud_body(body: &Body, outermost: bool) -> bool {
    match body {
        Body::Select(select) => {
            loud_filter(&select.filter)
                || loud_rest(&select.expressions, outermost)
                || select.from.iter().any(loud_from)
        }
        Body::SetOperation(operation) => {
            loud_query(&operation.left, outermost)
                || loud_query(&operation.right, outermost)
                || loud_rest(&operation.expressions, outermost)
        }
        Body::Insert(insert) => {
            let source = match &insert.source {
                InsertSource::Query(query) => loud_query(query, outermost),
                InsertSource::Values { expressions, .. } => loud_rest(expressions, true),
                InsertSource::DefaultValues(_) => false,
            };
            source
                || loud_rest(&insert.expressions, outermost)
                || loud_rest(&insert.returning.expressions, outermost)
        }
        Body::Update(update) => {
            loud_filter(&update.filter)
                || loud_rest(&update.expressions, outermost)
                || loud_rest(&update.returning.expressions, outermost)
                || update.from.iter().any(loud_from)
        }
        Body::Delete(delete) => {
            loud_filter(&delete.filter)
                || loud_rest(&delete.returning.expressions, outermost)
                || delete.using.iter().any(loud_from)
        }
        Body::Merge(merge) => loud_merge(merge, outermost),
    }
}

fn loud_merge(merge: &Merge, outermost: bool) -> bool {
    loud_filter(&merge.filter)
        || loud_from(&merge.source)
        || loud_rest(&merge.returning.expressions, outermost)
        || merge.arms.iter().any(|arm| {
            let action = match &arm.action {
                MergeAction::DoNothing | MergeAction::Delete => false,
                MergeAction::Update { expressions, .. }
                | MergeAction::Insert { expressions, .. } => loud_rest(expressions, outermost),
            };
            loud_filter(&arm.filter) || action
        })
}

fn loud_from(item: &FromItem) -> bool {
    match item {
        FromItem::Relation(_) => false,
        FromItem::Subquery { query, .. } => loud_query(query, false),
        FromItem::Function(function) => loud_subqueries(&function.expressions),
        FromItem::Join(join) => {
            loud_filter(&join.expressions) || loud_from(&join.left) || loud_from(&join.right)
        }
    }
}

/// Expressions that decide about rows.
fn loud_filter(expressions: &Expressions) -> bool {
    fails(expressions) || loud_subqueries(expressions)
}

/// Expressions that are computed of rows that were found, where this is the outermost query.
fn loud_rest(expressions: &Expressions, outermost: bool) -> bool {
    (!outermost && fails(expressions)) || loud_subqueries(expressions)
}

fn loud_subqueries(expressions: &Expressions) -> bool {
    expressions
        .subqueries
        .iter()
        .any(|query| loud_query(query, false))
}

fn fails(expressions: &Expressions) -> bool {
    let quiet = |names: &[&str], name: &Ident| names.binary_search(&name.as_str()).is_ok();
    let unquiet_function = |call: &Call| !quiet(QUIET_FUNCTIONS, &call.name.name);
    let unquiet_operator = |operator: &QualifiedName| !quiet(QUIET_OPERATORS, &operator.name);
    !expressions.constructors.is_empty()
        || expressions.functions.iter().any(unquiet_function)
        || expressions.operators.iter().any(unquiet_operator)
        || expressions.casts.iter().any(|cast| !cast.of_constant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_can_be_searched() {
        assert!(QUIET_FUNCTIONS.is_sorted() && QUIET_OPERATORS.is_sorted());
    }
}
