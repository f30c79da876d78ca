//! SQL/JSON: what the grammar has words of its own for.
//!
//! A server older than a construct reads it as the call of a function of that name, so each leaves
//! its name among the `constructors`.

use pg_query::NodeEnum;
use pg_query::protobuf::{
    JsonAggConstructor, JsonArgument, JsonArrayAgg, JsonArrayConstructor,
    JsonArrayQueryConstructor, JsonBehavior, JsonExprOp, JsonFuncExpr, JsonIsPredicate,
    JsonKeyValue, JsonObjectAgg, JsonObjectConstructor, JsonOutput, JsonParseExpr, JsonReturning,
    JsonScalarExpr, JsonSerializeExpr, JsonTable, JsonTableColumn, JsonTablePathSpec,
    JsonValueExpr, Node,
};

use crate::facts::{Cast, Expressions, FromFunction, QualifiedName};
use crate::{Ident, Refusal};

use super::name::{into_span, read_type};
use super::nodes::{absent, unknown};
use super::relation::alias;
use super::statement::Reader;

impl Reader<'_> {
    /// An expression of SQL/JSON; `None` where it is none.
    pub(super) fn json_expression(
        &mut self,
        node: &NodeEnum,
        into: &mut Expressions,
    ) -> Option<Result<(), Refusal>> {
        Some(match node {
            NodeEnum::JsonIsPredicate(predicate) => {
                let JsonIsPredicate {
                    expr,
                    format: _,
                    item_type: _,
                    unique_keys: _,
                    location: _,
                } = &**predicate;
                self.expressions(expr.as_deref(), into)
            }
            NodeEnum::JsonParseExpr(parse) => {
                let JsonParseExpr {
                    expr,
                    output,
                    unique_keys: _,
                    location,
                } = &**parse;
                self.construct("json", *location, output.as_ref(), into)
                    .and_then(|()| self.json_value(expr.as_deref(), into))
            }
            NodeEnum::JsonScalarExpr(scalar) => {
                let JsonScalarExpr {
                    expr,
                    output,
                    location,
                } = &**scalar;
                self.construct("json_scalar", *location, output.as_ref(), into)
                    .and_then(|()| self.expressions(expr.as_deref(), into))
            }
            NodeEnum::JsonSerializeExpr(serialize) => {
                let JsonSerializeExpr {
                    expr,
                    output,
                    location,
                } = &**serialize;
                self.construct("json_serialize", *location, output.as_ref(), into)
                    .and_then(|()| self.json_value(expr.as_deref(), into))
            }
            NodeEnum::JsonObjectConstructor(object) => {
                let JsonObjectConstructor {
                    exprs,
                    output,
                    absent_on_null: _,
                    unique: _,
                    location,
                } = object;
                self.construct("json_object", *location, output.as_ref(), into)
                    .and_then(|()| self.json_items(exprs, into))
            }
            NodeEnum::JsonArrayConstructor(array) => {
                let JsonArrayConstructor {
                    exprs,
                    output,
                    absent_on_null: _,
                    location,
                } = array;
                self.construct("json_array", *location, output.as_ref(), into)
                    .and_then(|()| self.json_items(exprs, into))
            }
            NodeEnum::JsonArrayQueryConstructor(array) => self.json_array_query(array, into),
            NodeEnum::JsonObjectAgg(aggregate) => {
                let JsonObjectAgg {
                    constructor,
                    arg,
                    absent_on_null: _,
                    unique: _,
                } = &**aggregate;
                self.json_aggregate("json_objectagg", constructor.as_deref(), into)
                    .and_then(|()| self.key_value(arg.as_deref(), into))
            }
            NodeEnum::JsonArrayAgg(aggregate) => {
                let JsonArrayAgg {
                    constructor,
                    arg,
                    absent_on_null: _,
                } = &**aggregate;
                self.json_aggregate("json_arrayagg", constructor.as_deref(), into)
                    .and_then(|()| self.json_value(arg.as_deref(), into))
            }
            NodeEnum::JsonFuncExpr(function) => self.json_function(function, into),
            _ => return None,
        })
    }

    /// `JSON_TABLE (…)` in `FROM`.
    pub(super) fn read_json_table(&mut self, table: &JsonTable) -> Result<FromFunction, Refusal> {
        let JsonTable {
            context_item,
            pathspec,
            passing,
            columns: definitions,
            on_error,
            alias: pg_alias,
            lateral: _,
            location,
        } = table;
        let mut expressions = Expressions::default();
        self.construct("json_table", *location, None, &mut expressions)?;
        self.json_value(context_item.as_deref(), &mut expressions)?;
        self.json_path(pathspec.as_deref(), &mut expressions)?;
        self.json_items(passing, &mut expressions)?;
        self.behavior(on_error.as_deref(), &mut expressions)?;
        let mut columns = Vec::new();
        self.json_columns(definitions, &mut columns, &mut expressions)?;
        Ok(FromFunction {
            names: vec!["json_table".into()],
            alias: alias(pg_alias.as_ref())?,
            columns,
            ordinality: false,
            expressions,
        })
    }

    fn json_columns(
        &mut self,
        definitions: &[Node],
        columns: &mut Vec<Ident>,
        into: &mut Expressions,
    ) -> Result<(), Refusal> {
        for definition in definitions {
            let Some(NodeEnum::JsonTableColumn(column)) = &definition.node else {
                return Err(unknown("this column of JSON_TABLE"));
            };
            let JsonTableColumn {
                coltype: _,
                name,
                type_name,
                pathspec,
                format: _,
                wrapper: _,
                quotes: _,
                columns: nested,
                on_empty,
                on_error,
                location,
            } = &**column;
            if let Some(type_name) = type_name {
                into.casts.push(Cast {
                    type_name: read_type(type_name, into_span(*location))?,
                    of_constant: false,
                });
            }
            self.json_path(pathspec.as_deref(), into)?;
            self.behavior(on_empty.as_deref(), into)?;
            self.behavior(on_error.as_deref(), into)?;
            // `NESTED PATH` has no name; the columns in it have.
            if !name.is_empty() {
                columns.push(Ident::from(name.as_str()));
            }
            self.json_columns(nested, columns, into)?;
        }
        Ok(())
    }

    fn json_function(
        &mut self,
        function: &JsonFuncExpr,
        into: &mut Expressions,
    ) -> Result<(), Refusal> {
        let JsonFuncExpr {
            op: _,
            column_name,
            context_item,
            pathspec,
            passing,
            output,
            on_empty,
            on_error,
            wrapper: _,
            quotes: _,
            location,
        } = function;
        absent(column_name.is_empty(), "this SQL/JSON query function")?;
        let name = json_function_name(function.op())
            .ok_or_else(|| unknown("this SQL/JSON query function"))?;
        self.construct(name, *location, output.as_ref(), into)?;
        self.json_value(context_item.as_deref(), into)?;
        self.expressions(pathspec.as_deref(), into)?;
        self.json_items(passing, into)?;
        self.behavior(on_empty.as_deref(), into)?;
        self.behavior(on_error.as_deref(), into)
    }

    fn json_array_query(
        &mut self,
        array: &JsonArrayQueryConstructor,
        into: &mut Expressions,
    ) -> Result<(), Refusal> {
        let JsonArrayQueryConstructor {
            query,
            output,
            format: _,
            absent_on_null: _,
            location,
        } = array;
        self.construct("json_array", *location, output.as_ref(), into)?;
        let query = query
            .as_deref()
            .ok_or_else(|| unknown("an empty JSON_ARRAY query"))?;
        let query = self.query(query)?;
        into.subqueries.push(query);
        Ok(())
    }

    fn json_aggregate(
        &mut self,
        name: &str,
        constructor: Option<&JsonAggConstructor>,
        into: &mut Expressions,
    ) -> Result<(), Refusal> {
        let JsonAggConstructor {
            output,
            agg_filter,
            agg_order,
            over,
            location,
        } = constructor.ok_or_else(|| unknown("this SQL/JSON aggregate"))?;
        self.construct(name, *location, output.as_ref(), into)?;
        self.expressions(agg_order.iter().chain(agg_filter.as_deref()), into)?;
        over.as_deref()
            .map_or(Ok(()), |window| self.window(window, into))
    }

    /// The construct's name and the type it is asked to give.
    #[expect(clippy::unused_self, reason = "it reads like its siblings")]
    fn construct(
        &mut self,
        name: &str,
        location: i32,
        output: Option<&JsonOutput>,
        into: &mut Expressions,
    ) -> Result<(), Refusal> {
        let span = into_span(location);
        into.constructors.push(QualifiedName {
            schema: None,
            name: name.into(),
            span: span.clone(),
        });
        let Some(JsonOutput {
            type_name,
            returning,
        }) = output
        else {
            return Ok(());
        };
        if let Some(JsonReturning {
            format: _,
            typid,
            typmod: _,
        }) = returning
        {
            absent(*typid == 0, "this RETURNING of SQL/JSON")?;
        }
        if let Some(type_name) = type_name {
            into.casts.push(Cast {
                type_name: read_type(type_name, span)?,
                of_constant: false,
            });
        }
        Ok(())
    }

    /// Values, `key: value` pairs and `PASSING` arguments.
    fn json_items(&mut self, items: &[Node], into: &mut Expressions) -> Result<(), Refusal> {
        for item in items {
            match &item.node {
                Some(NodeEnum::JsonKeyValue(pair)) => self.key_value(Some(pair), into)?,
                Some(NodeEnum::JsonValueExpr(value)) => self.json_value(Some(value), into)?,
                Some(NodeEnum::JsonArgument(argument)) => {
                    let JsonArgument { val, name: _ } = &**argument;
                    self.json_value(val.as_deref(), into)?;
                }
                _ => return Err(unknown("this part of SQL/JSON")),
            }
        }
        Ok(())
    }

    fn key_value(
        &mut self,
        pair: Option<&JsonKeyValue>,
        into: &mut Expressions,
    ) -> Result<(), Refusal> {
        let Some(JsonKeyValue { key, value }) = pair else {
            return Err(unknown("this part of SQL/JSON"));
        };
        self.expressions(key.as_deref(), into)?;
        self.json_value(value.as_deref(), into)
    }

    fn json_value(
        &mut self,
        value: Option<&JsonValueExpr>,
        into: &mut Expressions,
    ) -> Result<(), Refusal> {
        let Some(JsonValueExpr {
            raw_expr,
            formatted_expr,
            format: _,
        }) = value
        else {
            return Err(unknown("this part of SQL/JSON"));
        };
        let both = raw_expr.as_deref().into_iter();
        self.expressions(both.chain(formatted_expr.as_deref()), into)
    }

    fn json_path(
        &mut self,
        path: Option<&JsonTablePathSpec>,
        into: &mut Expressions,
    ) -> Result<(), Refusal> {
        let Some(JsonTablePathSpec {
            string,
            name: _,
            name_location: _,
            location: _,
        }) = path
        else {
            return Ok(());
        };
        self.expressions(string.as_deref(), into)
    }

    /// `ON EMPTY` and `ON ERROR`.
    fn behavior(
        &mut self,
        behavior: Option<&JsonBehavior>,
        into: &mut Expressions,
    ) -> Result<(), Refusal> {
        let Some(JsonBehavior {
            btype: _,
            expr,
            coerce: _,
            location: _,
        }) = behavior
        else {
            return Ok(());
        };
        self.expressions(expr.as_deref(), into)
    }
}

/// The word of a query function, which is also the name of its column.
pub(super) fn json_function_name(op: JsonExprOp) -> Option<&'static str> {
    match op {
        JsonExprOp::JsonExistsOp => Some("json_exists"),
        JsonExprOp::JsonQueryOp => Some("json_query"),
        JsonExprOp::JsonValueOp => Some("json_value"),
        JsonExprOp::JsonTableOp | JsonExprOp::Undefined => None,
    }
}
