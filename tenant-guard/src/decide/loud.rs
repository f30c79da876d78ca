//! Whether a statement could fail on a row before its tenant is looked at.
//!
//! PostgreSQL orders the conditions on a table by their cost, and puts `tenant = $n` behind others
//! that cost as much (it is an equivalence clause, which is added last; measured on PostgreSQL
//! 15.20). A function or operator that fails on a value and quotes it would then show another
//! tenant's. A statement is *loud* when such an expression decides about rows. Its restrictions get
//! a second, cheaper condition, which PostgreSQL evaluates first.

use crate::Ident;
use crate::facts::{Body, Expressions, FromItem, InsertSource, QualifiedName, Query};

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

/// Whether any expression that decides about rows, anywhere in the statement, can fail on a value.
///
/// What the outermost query computes of the rows it has found does not count. In sub-queries
/// everything does, as PostgreSQL may pull them up into the conditions around them.
pub(super) fn is_loud(query: &Query) -> bool {
    loud_query(query, true)
}

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
                InsertSource::DefaultValues => false,
            };
            source || loud_rest(&insert.expressions, outermost)
        }
        Body::Update(update) => {
            loud_filter(&update.filter)
                || loud_rest(&update.expressions, outermost)
                || update.from.iter().any(loud_from)
        }
        Body::Delete(delete) => {
            loud_filter(&delete.filter)
                || loud_rest(&delete.expressions, outermost)
                || delete.using.iter().any(loud_from)
        }
    }
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
    let unquiet_function = |function: &QualifiedName| !quiet(QUIET_FUNCTIONS, &function.name);
    let unquiet_operator = |operator: &QualifiedName| !quiet(QUIET_OPERATORS, &operator.name);
    expressions.functions.iter().any(unquiet_function)
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
