//! `FROM` lists.

use pg_query::NodeEnum;
use pg_query::protobuf::{
    ColumnDef, JoinExpr, JoinType, Node, RangeFunction, RangeSubselect, RangeTableSample,
    Token as Kind,
};

use crate::facts::{Alias, Cast, Expressions, FromFunction, FromItem, Join, JoinKind, Relation};
use crate::{Code, Ident, Refusal};

use super::expression::is_constant;
use super::name::read_type;
use super::nodes::{absent, names, text, unknown};
use super::relation::{alias, relation};
use super::statement::Reader;

impl Reader<'_> {
    pub(super) fn read_from_list(&mut self, nodes: &[Node]) -> Result<Vec<FromItem>, Refusal> {
        nodes.iter().map(|node| self.read_from_item(node)).collect()
    }

    pub(super) fn read_from_item(&mut self, node: &Node) -> Result<FromItem, Refusal> {
        match &node.node {
            Some(NodeEnum::RangeVar(range_var)) => {
                Ok(FromItem::Relation(relation(range_var, self.tokens)?))
            }
            Some(NodeEnum::RangeSubselect(subselect)) => {
                let RangeSubselect {
                    lateral: _,
                    subquery,
                    alias: pg_alias,
                } = &**subselect;
                let subquery = subquery
                    .as_deref()
                    .ok_or_else(|| unknown("an empty sub-query"))?;
                Ok(FromItem::Subquery {
                    query: self.query(subquery)?,
                    alias: alias(pg_alias.as_ref())?,
                })
            }
            Some(NodeEnum::RangeFunction(function)) => {
                Ok(FromItem::Function(self.read_function(function)?))
            }
            Some(NodeEnum::JoinExpr(join)) => Ok(FromItem::Join(Box::new(self.read_join(join)?))),
            Some(NodeEnum::RangeTableSample(sample)) => {
                Ok(FromItem::Relation(self.read_sample(sample)?))
            }
            Some(NodeEnum::JsonTable(table)) => {
                Ok(FromItem::Function(self.read_json_table(table)?))
            }
            Some(NodeEnum::RangeTableFunc(_)) => Err(unknown("XMLTABLE")),
            _ => Err(unknown("this entry of FROM")),
        }
    }

    fn read_join(&mut self, join: &JoinExpr) -> Result<Join, Refusal> {
        let JoinExpr {
            jointype: _,
            is_natural: _,
            larg,
            rarg,
            using_clause,
            join_using_alias,
            quals,
            alias: join_alias,
            rtindex: _,
        } = join;
        let (Some(left), Some(right)) = (larg, rarg) else {
            return Err(unknown("a join of one table"));
        };
        let (left, right) = (self.read_from_item(left)?, self.read_from_item(right)?);
        let mut expressions = Expressions::default();
        self.expressions(quals.as_deref(), &mut expressions)?;
        let using_alias = alias(join_using_alias.as_ref())?;
        let using = names(using_clause)?;
        Ok(Join {
            kind: kind(join.jointype())?,
            left,
            right,
            expressions,
            alias: alias(join_alias.as_ref())?,
            using_alias: using_alias.map(|alias| Alias {
                name: alias.name,
                columns: using,
            }),
        })
    }

    fn read_function(&mut self, function: &RangeFunction) -> Result<FromFunction, Refusal> {
        let RangeFunction {
            lateral: _,
            ordinality,
            is_rowsfrom: _,
            functions,
            alias: pg_alias,
            coldeflist,
        } = function;
        let mut expressions = Expressions::default();
        let mut names = Vec::new();
        let mut columns = read_definitions(coldeflist, &mut expressions)?;
        for entry in functions {
            // Each entry is a list of the call and its own column definitions.
            let Some(NodeEnum::List(entry)) = &entry.node else {
                return Err(unknown("this function in FROM"));
            };
            let (call, definitions) = entry
                .items
                .split_first()
                .ok_or_else(|| unknown("this function in FROM"))?;
            self.expression(call, &mut expressions)?;
            // COALESCE and its kin have the columns of whatever they are given.
            let Some(NodeEnum::FuncCall(call)) = &call.node else {
                return Err(unknown("an expression in FROM that is no function call"));
            };
            names.extend(call.funcname.last().and_then(text).map(Ident::from));
            for definition in definitions {
                match &definition.node {
                    Some(NodeEnum::List(list)) => {
                        columns.extend(read_definitions(&list.items, &mut expressions)?);
                    }
                    None => {}
                    Some(_) => return Err(unknown("this function in FROM")),
                }
            }
        }
        Ok(FromFunction {
            names,
            alias: alias(pg_alias.as_ref())?,
            columns,
            ordinality: *ordinality,
            expressions,
        })
    }

    /// `t TABLESAMPLE BERNOULLI (50)`: each row is taken or not by chance of its own, so that a
    /// sample of all rows, restricted to a tenant, is a sample of the tenant's. `SYSTEM` takes whole
    /// blocks, in which tenants are neighbours.
    fn read_sample(&mut self, sample: &RangeTableSample) -> Result<Relation, Refusal> {
        let RangeTableSample {
            relation: sampled,
            method,
            args,
            repeatable,
            location: _,
        } = sample;
        let Some(NodeEnum::RangeVar(range_var)) =
            sampled.as_deref().and_then(|node| node.node.as_ref())
        else {
            return Err(unknown("this TABLESAMPLE"));
        };
        let mut read = relation(range_var, self.tokens)?;
        absent(
            read.alias
                .as_ref()
                .is_none_or(|alias| alias.columns.is_empty()),
            "a TABLESAMPLE of a table whose columns are renamed",
        )?;
        let is_bernoulli =
            matches!(names(method)?.as_slice(), [name] if name.as_str() == "bernoulli");
        if !is_bernoulli {
            return Err(Refusal::new(
                Code::RelationUse,
                "this TABLESAMPLE takes whole blocks, which hold rows of several tenants",
                "use TABLESAMPLE BERNOULLI",
            )
            .at(read.name_span));
        }
        // Anything else could refer to what stands before it in FROM, which the sample then is part of.
        let arguments = || args.iter().chain(repeatable.as_deref());
        absent(
            arguments().all(is_constant),
            "a TABLESAMPLE whose argument is neither a number nor a parameter",
        )?;
        self.expressions(arguments(), &mut Expressions::default())?;

        let behind = self.tokens.index_behind(read.span.end);
        let word = self
            .tokens
            .find_end(behind, |_, kind| kind == Kind::Tablesample);
        let close = self.tokens.closing(word + 2)?;
        let last = if repeatable.is_some() {
            self.tokens.closing(close + 2)?
        } else {
            close
        };
        read.sample_end = Some(self.tokens.span(last)?.end);
        Ok(read)
    }
}

fn kind(jointype: JoinType) -> Result<JoinKind, Refusal> {
    match jointype {
        JoinType::JoinInner => Ok(JoinKind::Inner),
        JoinType::JoinLeft => Ok(JoinKind::Left),
        JoinType::JoinRight => Ok(JoinKind::Right),
        JoinType::JoinFull => Ok(JoinKind::Full),
        JoinType::JoinSemi
        | JoinType::JoinAnti
        | JoinType::JoinRightSemi
        | JoinType::JoinRightAnti
        | JoinType::JoinUniqueOuter
        | JoinType::JoinUniqueInner
        | JoinType::Undefined => Err(unknown("this kind of join")),
    }
}

/// A column definition list: `AS t(a int, b text)`.
fn read_definitions(nodes: &[Node], into: &mut Expressions) -> Result<Vec<Ident>, Refusal> {
    let mut columns = Vec::new();
    for node in nodes {
        let Some(NodeEnum::ColumnDef(definition)) = &node.node else {
            return Err(unknown("this column definition"));
        };
        let ColumnDef {
            colname,
            type_name,
            raw_default,
            constraints,
            ..
        } = &**definition;
        absent(
            raw_default.is_none() && constraints.is_empty(),
            "this column definition",
        )?;
        let type_name = type_name
            .as_ref()
            .ok_or_else(|| unknown("this column definition"))?;
        into.casts.push(Cast {
            type_name: read_type(type_name, 0..0)?,
            of_constant: true,
        });
        columns.push(Ident::from(colname.as_str()));
    }
    Ok(columns)
}
