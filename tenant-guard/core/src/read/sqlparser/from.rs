//! `FROM` lists.

use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Join as WrittenJoin,
    JoinConstraint, JoinOperator, ObjectName, TableAlias, TableAliasColumnDef, TableFactor,
    TableFunctionArgs, TableInheritance, TableSampleKind, TableWithJoins,
};

use crate::facts::{Alias, Cast, Expressions, FromFunction, FromItem, Join, JoinKind, Relation};
use crate::{Code, Ident, Refusal};

use super::call::unquoted;
use super::keywords::Place;
use super::reader::Reader;
use super::type_name::Use;

impl Reader<'_> {
    pub(super) fn table_list(
        &mut self,
        items: &[TableWithJoins],
    ) -> Result<Vec<FromItem>, Refusal> {
        self.list(items, Self::joined)
    }

    fn joined(&mut self, item: &TableWithJoins) -> Result<FromItem, Refusal> {
        let TableWithJoins { relation, joins } = item;
        let mut left = self.factor(relation)?;
        for join in joins {
            left = self.join(left, join)?;
        }
        Ok(left)
    }

    fn join(&mut self, left: FromItem, join: &WrittenJoin) -> Result<FromItem, Refusal> {
        let WrittenJoin {
            relation,
            global,
            join_operator,
        } = join;
        self.absent(!global, "GLOBAL JOIN")?;
        let (ways, kind, constraint): (&[&str], _, _) = match join_operator {
            JoinOperator::Join(constraint) => (&["join"], JoinKind::Inner, constraint),
            JoinOperator::Inner(constraint) => (&["inner join"], JoinKind::Inner, constraint),
            JoinOperator::Left(constraint) => (&["left join"], JoinKind::Left, constraint),
            JoinOperator::LeftOuter(constraint) => {
                (&["left outer join"], JoinKind::Left, constraint)
            }
            JoinOperator::Right(constraint) => (&["right join"], JoinKind::Right, constraint),
            JoinOperator::RightOuter(constraint) => {
                (&["right outer join"], JoinKind::Right, constraint)
            }
            JoinOperator::FullOuter(constraint) => (
                &["full join", "full outer join"],
                JoinKind::Full,
                constraint,
            ),
            JoinOperator::CrossJoin(constraint) => (&["cross join"], JoinKind::Inner, constraint),
            JoinOperator::Semi(_)
            | JoinOperator::LeftSemi(_)
            | JoinOperator::RightSemi(_)
            | JoinOperator::Anti(_)
            | JoinOperator::LeftAnti(_)
            | JoinOperator::RightAnti(_)
            | JoinOperator::CrossApply
            | JoinOperator::OuterApply
            | JoinOperator::AsOf { .. }
            | JoinOperator::StraightJoin(_)
            | JoinOperator::ArrayJoin
            | JoinOperator::LeftArrayJoin
            | JoinOperator::InnerArrayJoin => return Err(self.unknown("this kind of join")),
        };
        let is_cross = matches!(join_operator, JoinOperator::CrossJoin(_));
        let has_none = matches!(constraint, JoinConstraint::None);
        self.absent(is_cross == has_none, "a join without its condition")?;
        if matches!(constraint, JoinConstraint::Natural) {
            self.words("natural")?;
        }
        self.one_of(ways)?;
        let right = self.factor(relation)?;
        let mut expressions = Expressions::default();
        let mut using_alias = None;
        match constraint {
            JoinConstraint::On(condition) => {
                self.words("on")?;
                self.expression(condition, &mut expressions)?;
            }
            JoinConstraint::Using(names) => {
                self.using(names)?;
            }
            JoinConstraint::UsingAlias(names, alias) => {
                let columns = self.using(names)?;
                self.words("as")?;
                let name = self.name(alias, Place::Column)?;
                using_alias = Some(Alias { name, columns });
            }
            JoinConstraint::Natural | JoinConstraint::None => {}
        }
        Ok(FromItem::Join(Box::new(Join {
            kind,
            left,
            right,
            expressions,
            alias: None,
            using_alias,
        })))
    }

    fn using(&mut self, names: &[ObjectName]) -> Result<Vec<Ident>, Refusal> {
        self.absent(!names.is_empty(), "an empty USING")?;
        self.words("using")?;
        self.mark(b'(')?;
        let names = self.list(names, Self::single)?;
        self.mark(b')')?;
        Ok(names)
    }

    /// A name of one part.
    pub(super) fn single(&mut self, name: &ObjectName) -> Result<Ident, Refusal> {
        let (mut names, _) = self.dotted(name, Place::Column)?;
        self.absent(names.len() == 1, "a name with a dot here")?;
        names.pop().ok_or_else(|| self.lost())
    }

    pub(super) fn factor(&mut self, factor: &TableFactor) -> Result<FromItem, Refusal> {
        self.nested(|reader| reader.table_factor(factor))
    }

    fn table_factor(&mut self, factor: &TableFactor) -> Result<FromItem, Refusal> {
        match factor {
            TableFactor::Table { args: None, .. } => Ok(FromItem::Relation(self.relation(factor)?)),
            TableFactor::Table {
                name,
                alias,
                args: Some(TableFunctionArgs { args, settings }),
                with_hints,
                version,
                with_ordinality,
                partitions,
                json_path,
                sample,
                index_directives,
                inheritance,
            } => {
                let plain = settings.is_none()
                    && with_hints.is_empty()
                    && version.is_none()
                    && partitions.is_empty()
                    && json_path.is_none()
                    && sample.is_none()
                    && index_directives.is_empty()
                    && inheritance.is_none();
                self.absent(plain, "this function in FROM")?;
                self.called_table(name, args, *with_ordinality, alias.as_ref())
            }
            TableFactor::Derived {
                lateral,
                subquery,
                alias,
                sample,
            } => {
                self.absent(sample.is_none(), "a sample of a sub-query")?;
                if *lateral {
                    self.words("lateral")?;
                }
                self.mark(b'(')?;
                let query = self.query(subquery)?;
                self.mark(b')')?;
                let alias = self.alias(alias.as_ref())?;
                Ok(FromItem::Subquery { query, alias })
            }
            TableFactor::Function {
                lateral,
                name,
                args,
                with_ordinality,
                alias,
            } => {
                if *lateral {
                    self.words("lateral")?;
                }
                self.called_table(name, args, *with_ordinality, alias.as_ref())
            }
            TableFactor::UNNEST {
                alias,
                array_exprs,
                with_offset,
                with_offset_alias,
                with_ordinality,
            } => {
                let plain = !with_offset && with_offset_alias.is_none();
                self.absent(plain, "UNNEST with an offset")?;
                self.unnest(array_exprs, *with_ordinality, alias.as_ref())
            }
            TableFactor::NestedJoin {
                table_with_joins,
                alias,
            } => self.nested_join(table_with_joins, alias.as_ref()),
            TableFactor::TableFunction { .. }
            | TableFactor::JsonTable { .. }
            | TableFactor::OpenJsonTable { .. }
            | TableFactor::Pivot { .. }
            | TableFactor::Unpivot { .. }
            | TableFactor::UnpivotExpr { .. }
            | TableFactor::MatchRecognize { .. }
            | TableFactor::XmlTable { .. }
            | TableFactor::SemanticView { .. } => Err(self.unknown("this entry of FROM")),
        }
    }

    /// `(a JOIN b …) AS x`, or the right side of `a JOIN b JOIN c ON … ON …`.
    fn nested_join(
        &mut self,
        inner: &TableWithJoins,
        alias: Option<&TableAlias>,
    ) -> Result<FromItem, Refusal> {
        let TableWithJoins { relation, joins } = inner;
        let holds_join = match relation {
            TableFactor::NestedJoin {
                table_with_joins: _,
                alias,
            } => alias.is_none(),
            _ => false,
        };
        self.absent(
            !joins.is_empty() || holds_join,
            "parentheses around one table",
        )?;
        let parenthesized = self.eat_mark(b'(');
        let mut item = self.joined(inner)?;
        if parenthesized {
            self.mark(b')')?;
        } else {
            self.absent(alias.is_none() && !joins.is_empty(), "this join")?;
        }
        let alias = self.alias(alias)?;
        match &mut item {
            FromItem::Join(join) => {
                if alias.is_some() {
                    join.alias = alias;
                }
                Ok(item)
            }
            FromItem::Relation(_) | FromItem::Subquery { .. } | FromItem::Function(_) => {
                Err(self.unknown("parentheses around one table"))
            }
        }
    }

    /// A table.
    pub(super) fn relation(&mut self, factor: &TableFactor) -> Result<Relation, Refusal> {
        let TableFactor::Table {
            name,
            alias,
            args,
            with_hints,
            version,
            with_ordinality,
            partitions,
            json_path,
            sample,
            index_directives,
            inheritance,
        } = factor
        else {
            return Err(self.unknown("this in the place of a table"));
        };
        let plain = args.is_none()
            && with_hints.is_empty()
            && version.is_none()
            && !with_ordinality
            && partitions.is_empty()
            && json_path.is_none()
            && index_directives.is_empty();
        self.absent(plain, "this form of a table")?;
        let start = self.start();
        let parenthesized = match inheritance {
            Some(TableInheritance::Only { parenthesized }) => {
                self.words("only")?;
                *parenthesized
            }
            Some(TableInheritance::IncludeDescendants) | None => false,
        };
        if parenthesized {
            self.mark(b'(')?;
        }
        let mut relation = self.table_name(name)?;
        if parenthesized {
            self.mark(b')')?;
        }
        match inheritance {
            Some(TableInheritance::IncludeDescendants) => self.symbol("*")?,
            Some(TableInheritance::Only { .. }) | None => {}
        }
        relation.span = start..self.end();
        relation.alias = self.alias(alias.as_ref())?;
        match sample {
            None => {}
            Some(TableSampleKind::AfterTableAlias(sample)) => self.sample(sample, &mut relation)?,
            Some(TableSampleKind::BeforeTableAlias(_)) => return Err(self.unknown("this sample")),
        }
        Ok(relation)
    }

    /// A table's name, with or without its schema.
    pub(super) fn table_name(&mut self, name: &ObjectName) -> Result<Relation, Refusal> {
        let (mut names, name_span) = self.dotted(name, Place::Column)?;
        if names.len() > 2 {
            return Err(Refusal::new(
                Code::UnknownTable,
                "a table is named with its database",
                "leave the database out: only the one that is connected to can be named",
            )
            .at(name_span));
        }
        let name = names.pop().ok_or_else(|| self.lost())?;
        Ok(Relation {
            schema: names.pop(),
            name,
            span: name_span.clone(),
            name_span,
            alias: None,
            table_keyword: None,
            sample_end: None,
        })
    }

    /// An alias of something in `FROM`, with names of columns perhaps.
    pub(super) fn alias(&mut self, alias: Option<&TableAlias>) -> Result<Option<Alias>, Refusal> {
        let Some(alias) = alias else { return Ok(None) };
        let (name, columns, types) = self.definitions(alias, true)?;
        self.absent(types.is_empty(), "types of columns here")?;
        Ok(Some(Alias { name, columns }))
    }

    /// The name and the columns of a `WITH` query, whose `AS` comes later.
    pub(super) fn cte_alias(&mut self, alias: &TableAlias) -> Result<(Ident, Vec<Ident>), Refusal> {
        let (name, columns, types) = self.definitions(alias, false)?;
        self.absent(types.is_empty(), "types of columns here")?;
        Ok((name, columns))
    }

    /// `AS name (column [type], …)`: the types of all columns or of none.
    fn definitions(
        &mut self,
        alias: &TableAlias,
        with_as: bool,
    ) -> Result<(Ident, Vec<Ident>, Vec<Cast>), Refusal> {
        let TableAlias {
            explicit,
            name,
            columns,
            at,
        } = alias;
        self.absent(at.is_none(), "this alias")?;
        if with_as && *explicit {
            self.words("as")?;
        }
        let name = self.name(name, Place::Column)?;
        let mut types = Vec::new();
        let mut names = Vec::new();
        if !columns.is_empty() {
            self.mark(b'(')?;
            names = self.list(columns, |reader, column| {
                let TableAliasColumnDef { name, data_type } = column;
                let name = reader.name(name, Place::Column)?;
                if data_type.is_some() {
                    types.push(Cast {
                        type_name: reader.type_name(Use::Cast)?,
                        of_constant: true,
                    });
                }
                Ok(name)
            })?;
            self.mark(b')')?;
            let all_or_none = types.is_empty() || types.len() == names.len();
            self.absent(all_or_none, "types of some columns only")?;
        }
        Ok((name, names, types))
    }

    fn called_table(
        &mut self,
        name: &ObjectName,
        arguments: &[FunctionArg],
        ordinality: bool,
        alias: Option<&TableAlias>,
    ) -> Result<FromItem, Refusal> {
        let mut expressions = Expressions::default();
        if unquoted(name).is_some_and(|name| name.eq_ignore_ascii_case("rows"))
            && self.eat("rows from")
        {
            self.absent(!arguments.is_empty(), "ROWS FROM nothing")?;
            self.mark(b'(')?;
            let names = self.list(arguments, |reader, argument| {
                reader.rows_of(argument, &mut expressions)
            })?;
            self.mark(b')')?;
            return self.function_alias(names, expressions, ordinality, alias);
        }
        let name = self.function_name(name, arguments.len(), &mut expressions)?;
        self.mark(b'(')?;
        self.arguments(arguments, &mut expressions)?;
        self.mark(b')')?;
        self.function_alias(vec![name], expressions, ordinality, alias)
    }

    /// One call within `ROWS FROM (…)`, which sqlparser got as an argument; gives its name.
    fn rows_of(
        &mut self,
        argument: &FunctionArg,
        into: &mut Expressions,
    ) -> Result<Ident, Refusal> {
        let FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Function(function))) = argument else {
            return Err(self.unknown("this part of ROWS FROM"));
        };
        let Function {
            name,
            uses_odbc_syntax: false,
            parameters: FunctionArguments::None,
            args: FunctionArguments::List(list),
            within_group,
            filter: None,
            null_treatment: None,
            over: None,
        } = function
        else {
            return Err(self.unknown("this part of ROWS FROM"));
        };
        self.absent(within_group.is_empty(), "this part of ROWS FROM")?;
        self.call(name, list, 0, into)
    }

    fn unnest(
        &mut self,
        arrays: &[Expr],
        ordinality: bool,
        alias: Option<&TableAlias>,
    ) -> Result<FromItem, Refusal> {
        let mut expressions = Expressions::default();
        let name = ObjectName::from(vec![sqlparser::ast::Ident::new(self.sees_word())]);
        let name = self.function_name(&name, arrays.len(), &mut expressions)?;
        self.absent(name.as_str() == "unnest", "this function in FROM")?;
        self.mark(b'(')?;
        self.expressions(arrays, &mut expressions)?;
        self.mark(b')')?;
        self.function_alias(vec![name], expressions, ordinality, alias)
    }

    fn function_alias(
        &mut self,
        names: Vec<Ident>,
        mut expressions: Expressions,
        ordinality: bool,
        alias: Option<&TableAlias>,
    ) -> Result<FromItem, Refusal> {
        if ordinality {
            self.words("with ordinality")?;
        }
        let mut columns = Vec::new();
        let alias = match alias {
            None => None,
            Some(alias) => {
                let (name, listed, types) = self.definitions(alias, true)?;
                if types.is_empty() {
                    Some(Alias {
                        name,
                        columns: listed,
                    })
                } else {
                    columns = listed;
                    expressions.casts.extend(types);
                    Some(Alias {
                        name,
                        columns: Vec::new(),
                    })
                }
            }
        };
        Ok(FromItem::Function(FromFunction {
            names,
            alias,
            columns,
            ordinality,
            expressions,
        }))
    }
}
