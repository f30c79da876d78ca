//! `FROM` lists.

use pg_query::NodeEnum;
use pg_query::protobuf::{ColumnDef, JoinExpr, Node, RangeFunction, RangeSubselect};

use crate::facts::{Alias, Cast, Expressions, FromFunction, FromItem, Join};
use crate::{Ident, Refusal};

use super::expression::read_type;
use super::nodes::{absent, names, text, unknown};
use super::relation::{alias, relation};
use super::statement::Reader;

impl Reader<'_> {
    pub(super) fn read_from_list(&mut self, nodes: &[Node]) -> Result<Vec<FromItem>, Refusal> {
        nodes.iter().map(|node| self.read_from_item(node)).collect()
    }

    fn read_from_item(&mut self, node: &Node) -> Result<FromItem, Refusal> {
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
            Some(NodeEnum::RangeTableSample(_)) => Err(unknown("TABLESAMPLE")),
            Some(NodeEnum::RangeTableFunc(_)) => Err(unknown("XMLTABLE")),
            Some(NodeEnum::JsonTable(_)) => Err(unknown("JSON_TABLE")),
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
            if let Some(NodeEnum::FuncCall(call)) = &call.node {
                names.extend(call.funcname.last().and_then(text).map(Ident::from));
            }
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
        if *ordinality {
            columns.push("ordinality".into());
        }
        Ok(FromFunction {
            names,
            alias: alias(pg_alias.as_ref())?,
            columns,
            expressions,
        })
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
