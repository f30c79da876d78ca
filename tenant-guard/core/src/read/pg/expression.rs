//! Expressions: a closed list of nodes, each with all its fields.

use pg_query::NodeEnum;
use pg_query::protobuf::{
    AArrayExpr, AConst, AExpr, AExprKind, AIndices, AIndirection, AStar, BoolExpr, BooleanTest,
    CaseExpr, CaseWhen, CoalesceExpr, CollateClause, FuncCall, GroupingFunc, GroupingSet, List,
    MergeSupportFunc, MinMaxExpr, MultiAssignRef, NamedArgExpr, Node, NullTest, ParamRef, RowExpr,
    SetToDefault, SortBy, SqlValueFunction, SubLink, TypeCast, WindowDef,
};

use crate::facts::{Call, Cast, Expressions, FieldName, QualifiedName};
use crate::{Code, Ident, Refusal};

use super::name::{into_span, qualified, read_type};
use super::nodes::{absent, unknown, unknown_at};
use super::statement::Reader;

impl Reader<'_> {
    /// Adds what all of these expressions name.
    pub(super) fn expressions<'n>(
        &mut self,
        nodes: impl IntoIterator<Item = &'n Node>,
        into: &mut Expressions,
    ) -> Result<(), Refusal> {
        nodes
            .into_iter()
            .try_for_each(|node| self.expression(node, into))
    }

    /// Adds what an expression names.
    #[expect(clippy::too_many_lines, reason = "one arm a node, each short")]
    pub(super) fn expression(
        &mut self,
        node: &Node,
        into: &mut Expressions,
    ) -> Result<(), Refusal> {
        let Some(node) = &node.node else {
            return Ok(());
        };
        match node {
            NodeEnum::AConst(AConst { .. })
            | NodeEnum::SetToDefault(_)
            | NodeEnum::SqlvalueFunction(_)
            | NodeEnum::Integer(_) => self.leaf(node),
            NodeEnum::ParamRef(ParamRef { number, location }) => self.param(*number, *location),
            NodeEnum::ColumnRef(column) => {
                into.columns.push(self.column(column)?);
                Ok(())
            }
            NodeEnum::AExpr(expression) => self.operator_expression(expression, into),
            NodeEnum::BoolExpr(expression) => {
                let BoolExpr {
                    xpr,
                    boolop: _,
                    args,
                    location: _,
                } = &**expression;
                absent(xpr.is_none(), "this expression")?;
                self.expressions(args, into)
            }
            NodeEnum::NullTest(test) => {
                let NullTest {
                    xpr,
                    arg,
                    nulltesttype: _,
                    argisrow: _,
                    location: _,
                } = &**test;
                self.expressions(xpr.as_deref().into_iter().chain(arg.as_deref()), into)
            }
            NodeEnum::BooleanTest(test) => {
                let BooleanTest {
                    xpr,
                    arg,
                    booltesttype: _,
                    location: _,
                } = &**test;
                self.expressions(xpr.as_deref().into_iter().chain(arg.as_deref()), into)
            }
            NodeEnum::CaseExpr(case) => {
                let CaseExpr {
                    xpr,
                    casetype: _,
                    casecollid: _,
                    arg,
                    args,
                    defresult,
                    location: _,
                } = &**case;
                absent(xpr.is_none(), "this expression")?;
                let ends = arg.as_deref().into_iter().chain(defresult.as_deref());
                self.expressions(ends.chain(args), into)
            }
            NodeEnum::CaseWhen(when) => {
                let CaseWhen {
                    xpr,
                    expr,
                    result,
                    location: _,
                } = &**when;
                absent(xpr.is_none(), "this expression")?;
                self.expressions(expr.as_deref().into_iter().chain(result.as_deref()), into)
            }
            NodeEnum::CoalesceExpr(expression) => {
                let CoalesceExpr {
                    xpr,
                    coalescetype: _,
                    coalescecollid: _,
                    args,
                    location: _,
                } = &**expression;
                absent(xpr.is_none(), "this expression")?;
                self.expressions(args, into)
            }
            NodeEnum::MinMaxExpr(expression) => {
                let MinMaxExpr {
                    xpr,
                    minmaxtype: _,
                    minmaxcollid: _,
                    inputcollid: _,
                    op: _,
                    args,
                    location: _,
                } = &**expression;
                absent(xpr.is_none(), "this expression")?;
                self.expressions(args, into)
            }
            NodeEnum::RowExpr(row) => {
                let RowExpr {
                    xpr,
                    args,
                    row_typeid: _,
                    row_format: _,
                    colnames,
                    location: _,
                } = &**row;
                absent(xpr.is_none() && colnames.is_empty(), "this row expression")?;
                self.expressions(args, into)
            }
            NodeEnum::AArrayExpr(AArrayExpr {
                elements,
                list_start: _,
                list_end: _,
                location: _,
            }) => self.expressions(elements, into),
            NodeEnum::List(List { items }) => self.expressions(items, into),
            NodeEnum::CollateClause(collate) => {
                let CollateClause {
                    arg,
                    collname: _,
                    location: _,
                } = &**collate;
                self.expressions(arg.as_deref(), into)
            }
            NodeEnum::TypeCast(cast) => {
                let TypeCast {
                    arg,
                    type_name,
                    location,
                } = &**cast;
                let name = type_name
                    .as_ref()
                    .ok_or_else(|| unknown_at("this cast", *location))?;
                let type_name = read_type(name, into_span(*location))?;
                let of_constant = arg.as_deref().is_some_and(is_constant);
                into.casts.push(Cast {
                    type_name,
                    of_constant,
                });
                self.expressions(arg.as_deref(), into)
            }
            NodeEnum::NamedArgExpr(argument) => {
                let NamedArgExpr {
                    xpr,
                    arg,
                    name: _,
                    argnumber: _,
                    location: _,
                } = &**argument;
                absent(xpr.is_none(), "this expression")?;
                self.expressions(arg.as_deref(), into)
            }
            NodeEnum::GroupingFunc(grouping) => {
                let GroupingFunc {
                    xpr,
                    args,
                    refs,
                    agglevelsup: _,
                    location: _,
                } = &**grouping;
                absent(xpr.is_none() && refs.is_empty(), "this expression")?;
                self.expressions(args, into)
            }
            NodeEnum::GroupingSet(GroupingSet {
                kind: _,
                content,
                location: _,
            }) => self.expressions(content, into),
            NodeEnum::SortBy(sort) => {
                let SortBy {
                    node,
                    sortby_dir: _,
                    sortby_nulls: _,
                    use_op,
                    location,
                } = &**sort;
                if !use_op.is_empty() {
                    into.operators
                        .push(qualified(use_op, into_span(*location))?);
                }
                self.expressions(node.as_deref(), into)
            }
            NodeEnum::WindowDef(window) => self.window(window, into),
            NodeEnum::MultiAssignRef(assignment) => {
                let MultiAssignRef {
                    source,
                    colno,
                    ncolumns: _,
                } = &**assignment;
                // `(a, b) = (…)`: libpg_query repeats the one source for each column.
                match colno {
                    1 => self.expressions(source.as_deref(), into),
                    _ => Ok(()),
                }
            }
            NodeEnum::FuncCall(call) => self.call(call, into),
            NodeEnum::SubLink(link) => self.sublink(link, into),
            NodeEnum::AIndirection(indirection) => {
                let AIndirection { arg, indirection } = &**indirection;
                self.indirection(indirection, into)?;
                self.expressions(arg.as_deref(), into)
            }
            NodeEnum::CurrentOfExpr(_) => Err(Refusal::new(
                Code::RelationUse,
                "WHERE CURRENT OF needs a cursor, which may stand on another tenant's row",
                "name the row by its key",
            )),
            NodeEnum::MergeSupportFunc(function) => {
                let MergeSupportFunc {
                    xpr,
                    msftype: _,
                    msfcollid: _,
                    location,
                } = &**function;
                absent(xpr.is_none(), "this expression")?;
                into.constructors.push(QualifiedName {
                    schema: None,
                    name: "merge_action".into(),
                    span: into_span(*location),
                });
                Ok(())
            }
            other => match self.json_expression(other, into) {
                Some(read) => read,
                None => Err(unknown(&format!("the construct {}", node_name(other)))),
            },
        }
    }

    /// Nodes that name nothing.
    #[expect(clippy::unused_self, reason = "the arms of `expression` read alike")]
    fn leaf(&self, node: &NodeEnum) -> Result<(), Refusal> {
        let plain = match node {
            NodeEnum::SetToDefault(value) => {
                let SetToDefault {
                    xpr,
                    type_id: _,
                    type_mod: _,
                    collation: _,
                    location: _,
                } = &**value;
                xpr.is_none()
            }
            NodeEnum::SqlvalueFunction(value) => {
                let SqlValueFunction {
                    xpr,
                    op: _,
                    r#type: _,
                    typmod: _,
                    location: _,
                } = &**value;
                xpr.is_none()
            }
            _ => true,
        };
        absent(plain, "this expression")
    }

    fn param(&mut self, number: i32, location: i32) -> Result<(), Refusal> {
        match u32::try_from(number) {
            // The protocol counts parameters in 16 bits, and one more is added.
            Ok(number) if (1..u32::from(u16::MAX)).contains(&number) => {
                self.max_param = self.max_param.max(number);
                Ok(())
            }
            _ => Err(unknown_at("a parameter of this number", location)),
        }
    }

    fn operator_expression(
        &mut self,
        expression: &AExpr,
        into: &mut Expressions,
    ) -> Result<(), Refusal> {
        let AExpr {
            kind: _,
            name,
            lexpr,
            rexpr,
            rexpr_list_start: _,
            rexpr_list_end: _,
            location,
        } = expression;
        match expression.kind() {
            AExprKind::AexprOp
            | AExprKind::AexprOpAny
            | AExprKind::AexprOpAll
            | AExprKind::AexprDistinct
            | AExprKind::AexprNotDistinct
            | AExprKind::AexprNullif
            | AExprKind::AexprIn
            | AExprKind::AexprLike
            | AExprKind::AexprIlike
            | AExprKind::AexprSimilar => {
                into.operators.push(qualified(name, into_span(*location))?);
            }
            // Their "name" is the keyword; they stand for the comparison operators of that type.
            AExprKind::AexprBetween
            | AExprKind::AexprNotBetween
            | AExprKind::AexprBetweenSym
            | AExprKind::AexprNotBetweenSym => {}
            AExprKind::Undefined => return Err(unknown_at("this operator", *location)),
        }
        self.expressions(lexpr.as_deref().into_iter().chain(rexpr.as_deref()), into)
    }

    /// A function call, also with everything an aggregate or window function has.
    pub(super) fn call(&mut self, call: &FuncCall, into: &mut Expressions) -> Result<(), Refusal> {
        let FuncCall {
            funcname,
            args,
            agg_order,
            agg_filter,
            over,
            agg_within_group,
            agg_star: _,
            agg_distinct: _,
            func_variadic,
            funcformat: _,
            location,
        } = call;
        let ordered = if *agg_within_group {
            agg_order.len()
        } else {
            0
        };
        into.functions.push(Call {
            name: qualified(funcname, into_span(*location))?,
            arguments: args.len() + ordered,
            is_variadic: *func_variadic,
        });
        self.expressions(
            args.iter().chain(agg_order).chain(agg_filter.as_deref()),
            into,
        )?;
        over.as_deref()
            .map_or(Ok(()), |window| self.window(window, into))
    }

    pub(super) fn window(
        &mut self,
        window: &WindowDef,
        into: &mut Expressions,
    ) -> Result<(), Refusal> {
        let WindowDef {
            name: _,
            refname: _,
            partition_clause,
            order_clause,
            frame_options: _,
            start_offset,
            end_offset,
            location: _,
        } = window;
        let offsets = start_offset
            .as_deref()
            .into_iter()
            .chain(end_offset.as_deref());
        self.expressions(
            partition_clause.iter().chain(order_clause).chain(offsets),
            into,
        )
    }

    fn sublink(&mut self, link: &SubLink, into: &mut Expressions) -> Result<(), Refusal> {
        let SubLink {
            xpr,
            sub_link_type: _,
            sub_link_id: _,
            testexpr,
            oper_name,
            subselect,
            location,
        } = link;
        absent(xpr.is_none(), "this sub-query")?;
        if !oper_name.is_empty() {
            into.operators
                .push(qualified(oper_name, into_span(*location))?);
        }
        self.expressions(testexpr.as_deref(), into)?;
        let subselect = subselect
            .as_deref()
            .ok_or_else(|| unknown_at("this sub-query", *location))?;
        let query = self.query(subselect)?;
        into.subqueries.push(query);
        Ok(())
    }

    /// What follows a value: `.field`, `.*`, `[1]`, `[1:2]`.
    pub(super) fn indirection(
        &mut self,
        steps: &[Node],
        into: &mut Expressions,
    ) -> Result<(), Refusal> {
        for step in steps {
            match &step.node {
                Some(NodeEnum::AStar(AStar {})) => {}
                Some(NodeEnum::String(field)) => into.fields.push(FieldName {
                    name: Ident::from(field.sval.as_str()),
                    span: 0..0,
                }),
                Some(NodeEnum::AIndices(indices)) => {
                    let AIndices {
                        is_slice: _,
                        lidx,
                        uidx,
                    } = &**indices;
                    self.expressions(lidx.as_deref().into_iter().chain(uidx.as_deref()), into)?;
                }
                _ => return Err(unknown("this part of a value")),
            }
        }
        Ok(())
    }
}

/// Whether this is a literal or a parameter.
pub(super) fn is_constant(node: &Node) -> bool {
    matches!(node.node, Some(NodeEnum::AConst(_) | NodeEnum::ParamRef(_)))
}

/// The node's name in PostgreSQL's sources, for the message.
fn node_name(node: &NodeEnum) -> &'static str {
    match node {
        NodeEnum::XmlExpr(_) | NodeEnum::XmlSerialize(_) => "xml",
        _ => "found here",
    }
}
