//! The names that PostgreSQL gives to the columns of a select list.
//!
//! Follows `FigureColname`, PostgreSQL 18 `src/backend/parser/parse_target.c`. A name that is not
//! found here only makes the guard refuse a reference to it.

use pg_query::NodeEnum;
use pg_query::protobuf::{AExprKind, MinMaxOp, Node, SqlValueFunctionOp, SubLinkType};

use crate::Ident;
use crate::facts::Output;

use super::json::json_function_name;
use super::nodes::text;

/// How sure PostgreSQL is of a name: a cast's own name yields to a column's or function's.
#[derive(PartialEq, Eq)]
enum Strength {
    Weak,
    Strong,
}

/// What one entry of a select or `RETURNING` list gives.
pub(super) fn output(name: &str, value: &Node) -> Output {
    if let Some((qualifier, column)) = plain_column(value) {
        let name = if name.is_empty() { column } else { name };
        return Output::Column {
            qualifier: qualifier.map(Ident::from),
            column: column.into(),
            name: name.into(),
        };
    }
    if !name.is_empty() {
        return Output::Named(name.into());
    }
    match &value.node {
        Some(NodeEnum::ColumnRef(column)) if column.fields.last().is_some_and(is_star) => {
            let parts = column.fields.len();
            let qualifier = parts
                .checked_sub(2)
                .and_then(|index| text(&column.fields[index]));
            Output::Star {
                qualifier: qualifier.map(Ident::from),
            }
        }
        Some(NodeEnum::AIndirection(indirection))
            if indirection.indirection.last().is_some_and(is_star) =>
        {
            Output::Fields
        }
        _ => figure(value).map_or(Output::Unnamed, |(name, _)| Output::Named(name)),
    }
}

/// `column` or `qualifier.column`.
fn plain_column(value: &Node) -> Option<(Option<&str>, &str)> {
    let Some(NodeEnum::ColumnRef(column)) = &value.node else {
        return None;
    };
    match column.fields.as_slice() {
        [column] => Some((None, text(column)?)),
        [qualifier, column] => Some((Some(text(qualifier)?), text(column)?)),
        _ => None,
    }
}

fn is_star(node: &Node) -> bool {
    matches!(node.node, Some(NodeEnum::AStar(_)))
}

fn strong(name: &str) -> (Ident, Strength) {
    (name.into(), Strength::Strong)
}

fn weak(name: &str) -> (Ident, Strength) {
    (name.into(), Strength::Weak)
}

fn figure(value: &Node) -> Option<(Ident, Strength)> {
    match value.node.as_ref()? {
        NodeEnum::ColumnRef(column) => column.fields.iter().rev().find_map(text).map(strong),
        NodeEnum::AIndirection(indirection) => {
            match indirection.indirection.iter().rev().find_map(text) {
                Some(field) => Some(strong(field)),
                None => figure(indirection.arg.as_deref()?),
            }
        }
        NodeEnum::FuncCall(call) => call.funcname.last().and_then(text).map(strong),
        NodeEnum::AExpr(expression) if expression.kind() == AExprKind::AexprNullif => {
            Some(strong("nullif"))
        }
        NodeEnum::TypeCast(cast) => match cast.arg.as_deref().and_then(figure) {
            Some((name, Strength::Strong)) => Some((name, Strength::Strong)),
            weaker => cast
                .type_name
                .as_ref()
                .and_then(|name| name.names.last())
                .and_then(text)
                .map(weak)
                .or(weaker),
        },
        NodeEnum::CollateClause(collate) => figure(collate.arg.as_deref()?),
        NodeEnum::GroupingFunc(_) => Some(strong("grouping")),
        NodeEnum::SubLink(link) => match link.sub_link_type() {
            SubLinkType::ExistsSublink => Some(strong("exists")),
            SubLinkType::ArraySublink => Some(strong("array")),
            SubLinkType::ExprSublink => sublink_name(link.subselect.as_deref()?),
            _ => None,
        },
        NodeEnum::CaseExpr(case) => match case.defresult.as_deref().and_then(figure) {
            Some((name, Strength::Strong)) => Some((name, Strength::Strong)),
            _ => Some(weak("case")),
        },
        NodeEnum::AArrayExpr(_) => Some(strong("array")),
        NodeEnum::RowExpr(_) => Some(strong("row")),
        NodeEnum::CoalesceExpr(_) => Some(strong("coalesce")),
        NodeEnum::MinMaxExpr(expression) => match expression.op() {
            MinMaxOp::IsGreatest => Some(strong("greatest")),
            MinMaxOp::IsLeast => Some(strong("least")),
            MinMaxOp::Undefined => None,
        },
        NodeEnum::SqlvalueFunction(function) => Some(strong(value_function(function.op())?)),
        NodeEnum::MergeSupportFunc(_) => Some(strong("merge_action")),
        NodeEnum::JsonParseExpr(_) => Some(strong("json")),
        NodeEnum::JsonScalarExpr(_) => Some(strong("json_scalar")),
        NodeEnum::JsonSerializeExpr(_) => Some(strong("json_serialize")),
        NodeEnum::JsonObjectConstructor(_) => Some(strong("json_object")),
        NodeEnum::JsonArrayConstructor(_) | NodeEnum::JsonArrayQueryConstructor(_) => {
            Some(strong("json_array"))
        }
        NodeEnum::JsonObjectAgg(_) => Some(strong("json_objectagg")),
        NodeEnum::JsonArrayAgg(_) => Some(strong("json_arrayagg")),
        NodeEnum::JsonFuncExpr(function) => json_function_name(function.op()).map(strong),
        _ => None,
    }
}

/// The name of the one column of a scalar sub-query.
fn sublink_name(subselect: &Node) -> Option<(Ident, Strength)> {
    let Some(NodeEnum::SelectStmt(select)) = &subselect.node else {
        return None;
    };
    match &select.target_list.first()?.node {
        Some(NodeEnum::ResTarget(target)) if !target.name.is_empty() => Some(strong(&target.name)),
        Some(NodeEnum::ResTarget(target)) => figure(target.val.as_deref()?),
        _ => None,
    }
}

fn value_function(op: SqlValueFunctionOp) -> Option<&'static str> {
    use SqlValueFunctionOp as Op;
    Some(match op {
        Op::SvfopCurrentDate => "current_date",
        Op::SvfopCurrentTime | Op::SvfopCurrentTimeN => "current_time",
        Op::SvfopCurrentTimestamp | Op::SvfopCurrentTimestampN => "current_timestamp",
        Op::SvfopLocaltime | Op::SvfopLocaltimeN => "localtime",
        Op::SvfopLocaltimestamp | Op::SvfopLocaltimestampN => "localtimestamp",
        Op::SvfopCurrentRole => "current_role",
        Op::SvfopCurrentUser => "current_user",
        Op::SvfopUser => "user",
        Op::SvfopSessionUser => "session_user",
        Op::SvfopCurrentCatalog => "current_catalog",
        Op::SvfopCurrentSchema => "current_schema",
        Op::SqlvalueFunctionOpUndefined => return None,
    })
}
