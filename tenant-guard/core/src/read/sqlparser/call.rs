//! Calls: of functions, and of words that are called like them (`func_expr`).

use sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgOperator,
    FunctionArgumentClause, FunctionArgumentList, FunctionArguments, ObjectName, ObjectNamePart,
};

use crate::facts::{Call, ColumnName, Expressions, QualifiedName, Span};
use crate::lexer::Kind;
use crate::{Ident, Refusal};

use super::figured::Figured;
use super::keywords::Place;
use super::operator::push_operator;
use super::reader::Reader;

/// Words that stand for a value without parentheses (`SQLValueFunction`).
const VALUE_FUNCTIONS: &[&str] = &[
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "localtime",
    "localtimestamp",
    "session_user",
    "user",
];

/// Words that are called, but that are no functions: what is compared or put together are the
/// arguments. Each with the operator that it uses.
const CONSTRUCTS: &[(&str, Option<&str>)] = &[
    ("coalesce", None),
    ("greatest", None),
    ("grouping", None),
    ("least", None),
    ("nullif", Some("=")),
    ("row", None),
];

impl Reader<'_> {
    /// Takes a word that stands for a value, if it is one.
    pub(super) fn value_function(&mut self, word: &str) -> Result<Option<Figured>, Refusal> {
        let Some(name) = VALUE_FUNCTIONS
            .iter()
            .find(|name| word.eq_ignore_ascii_case(name))
        else {
            return Ok(None);
        };
        self.words(name)?;
        Ok(Some(Figured::strong(name)))
    }

    pub(super) fn function(
        &mut self,
        function: &Function,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        let Function {
            name,
            uses_odbc_syntax,
            parameters,
            args,
            within_group,
            filter,
            null_treatment,
            over,
        } = function;
        self.absent(
            !uses_odbc_syntax && *parameters == FunctionArguments::None && null_treatment.is_none(),
            "this call",
        )?;
        let is_bare = within_group.is_empty() && filter.is_none() && over.is_none();
        match args {
            FunctionArguments::None => {
                self.absent(is_bare, "this call")?;
                let value = match unquoted(name) {
                    Some(word) => self.value_function(word)?,
                    None => None,
                };
                value.ok_or_else(|| self.lost())
            }
            FunctionArguments::Subquery(query) => {
                self.absent(is_bare, "this call")?;
                self.words("array")?;
                self.subquery(query, into)?;
                Ok(Figured::strong("array"))
            }
            FunctionArguments::List(list) => {
                if let Some(figured) = self.construct(name, list, is_bare, into)? {
                    return Ok(figured);
                }
                let figured = self.call(name, list, within_group.len(), into)?;
                if !within_group.is_empty() {
                    self.words("within group")?;
                    self.mark(b'(')?;
                    self.order_by_list(within_group, into)?;
                    self.mark(b')')?;
                }
                if let Some(filter) = filter {
                    self.words("filter")?;
                    self.mark(b'(')?;
                    self.words("where")?;
                    self.expression(filter, into)?;
                    self.mark(b')')?;
                }
                if let Some(over) = over {
                    self.words("over")?;
                    self.window(over, into)?;
                }
                Ok(Figured::Strong(figured))
            }
        }
    }

    /// `coalesce(…)` and its kin, `current_time(3)`.
    fn construct(
        &mut self,
        name: &ObjectName,
        list: &FunctionArgumentList,
        is_bare: bool,
        into: &mut Expressions,
    ) -> Result<Option<Figured>, Refusal> {
        let Some(word) = unquoted(name) else {
            return Ok(None);
        };
        let timed = [
            "current_time",
            "current_timestamp",
            "localtime",
            "localtimestamp",
        ];
        if let Some(name) = timed.iter().find(|name| word.eq_ignore_ascii_case(name)) {
            self.absent(is_bare, "this call")?;
            self.words(name)?;
            self.precision()?;
            return Ok(Some(Figured::strong(name)));
        }
        let Some((name, operator)) = CONSTRUCTS
            .iter()
            .find(|(name, _)| word.eq_ignore_ascii_case(name))
        else {
            return Ok(None);
        };
        let FunctionArgumentList {
            duplicate_treatment,
            args,
            clauses,
        } = list;
        let plain = is_bare && duplicate_treatment.is_none() && clauses.is_empty();
        let arguments: Option<Vec<&Expr>> = args.iter().map(plain_argument).collect();
        let arguments = arguments
            .filter(|arguments| match *name {
                "nullif" => arguments.len() == 2,
                "row" => true,
                _ => !arguments.is_empty(),
            })
            .ok_or_else(|| self.unknown("this call"))?;
        self.absent(plain, "this call")?;
        if let Some(operator) = operator {
            push_operator(operator, self.point(), into);
        }
        self.words(name)?;
        self.mark(b'(')?;
        self.expressions(arguments, into)?;
        self.mark(b')')?;
        Ok(Some(Figured::strong(name)))
    }

    /// A function's name and its arguments (`func_application`), of which `ordered` follow `WITHIN
    /// GROUP`; gives the name.
    pub(super) fn call(
        &mut self,
        name: &ObjectName,
        list: &FunctionArgumentList,
        ordered: usize,
        into: &mut Expressions,
    ) -> Result<Ident, Refusal> {
        let FunctionArgumentList {
            duplicate_treatment,
            args,
            clauses,
        } = list;
        let is_star = matches!(
            args.as_slice(),
            [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)]
        );
        let arguments = if is_star { 0 } else { args.len() };
        let name = self.function_name(name, arguments + ordered, into)?;
        self.mark(b'(')?;
        if is_star {
            self.absent(
                duplicate_treatment.is_none() && clauses.is_empty(),
                "this call",
            )?;
            self.symbol("*")?;
            self.mark(b')')?;
            return Ok(name);
        }
        let bare = duplicate_treatment.is_none() && clauses.is_empty();
        self.absent(bare || !args.is_empty(), "this call")?;
        match duplicate_treatment {
            Some(DuplicateTreatment::Distinct) => self.words("distinct")?,
            Some(DuplicateTreatment::All) => self.words("all")?,
            None => {}
        }
        self.arguments(args, into)?;
        match clauses.as_slice() {
            [] => {}
            [FunctionArgumentClause::OrderBy(order)] => self.order_by_list(order, into)?,
            [_, ..] => return Err(self.unknown("this part of a call")),
        }
        self.mark(b')')?;
        Ok(name)
    }

    /// The name of a function that is given this number of arguments, with or without its schema;
    /// gives the name.
    pub(super) fn function_name(
        &mut self,
        name: &ObjectName,
        arguments: usize,
        into: &mut Expressions,
    ) -> Result<Ident, Refusal> {
        let span = self.point();
        let (mut names, _) = self.dotted(name, Place::Function)?;
        let name = names.pop().ok_or_else(|| self.lost())?;
        let schema = names.pop();
        self.absent(names.is_empty(), "a name of this many parts")?;
        let called = QualifiedName {
            schema,
            name: name.clone(),
            span,
        };
        push_call(called, arguments, into);
        Ok(name)
    }

    pub(super) fn arguments(
        &mut self,
        arguments: &[FunctionArg],
        into: &mut Expressions,
    ) -> Result<(), Refusal> {
        self.list(arguments, |reader, argument| {
            let (name, value, operator) = match argument {
                FunctionArg::Unnamed(value) => (None, value, None),
                FunctionArg::Named {
                    name,
                    arg,
                    operator,
                }
                | FunctionArg::ExprNamed {
                    name: Expr::Identifier(name),
                    arg,
                    operator,
                } => (Some(name), arg, Some(operator)),
                FunctionArg::ExprNamed { .. } => return Err(reader.unknown("this argument")),
            };
            if let Some(name) = name {
                reader.name(name, Place::Function)?;
            }
            match operator {
                None => {}
                Some(FunctionArgOperator::RightArrow) => reader.symbol("=>")?,
                Some(FunctionArgOperator::Assignment) => {
                    reader.take(Kind::Assign)?;
                }
                Some(
                    FunctionArgOperator::Equals
                    | FunctionArgOperator::Colon
                    | FunctionArgOperator::Value
                    | FunctionArgOperator::Space,
                ) => return Err(reader.lost()),
            }
            match value {
                FunctionArgExpr::Expr(value) => reader.expression(value, into).map(drop),
                FunctionArgExpr::QualifiedWildcard(name) => reader.whole_row(name, into).map(drop),
                FunctionArgExpr::Wildcard | FunctionArgExpr::WildcardWithOptions(_) => {
                    Err(reader.unknown("this argument"))
                }
            }
        })?;
        Ok(())
    }

    /// `t.*`; gives the name of t.
    pub(super) fn whole_row(
        &mut self,
        name: &ObjectName,
        into: &mut Expressions,
    ) -> Result<Ident, Refusal> {
        let start = self.start();
        let (mut names, _) = self.dotted(name, Place::Column)?;
        self.mark(b'.')?;
        self.symbol("*")?;
        let qualifier = names.pop().ok_or_else(|| self.lost())?;
        let schema = names.pop();
        self.absent(names.is_empty(), "a column named with its database")?;
        into.columns.push(ColumnName {
            schema,
            qualifier: Some(qualifier.clone()),
            name: None,
            span: start..self.end(),
        });
        Ok(qualifier)
    }
}

/// A name of one part without quotes.
pub(super) fn unquoted(name: &ObjectName) -> Option<&str> {
    let ObjectName(parts) = name;
    match parts.as_slice() {
        [ObjectNamePart::Identifier(part)] => {
            part.quote_style.is_none().then_some(part.value.as_str())
        }
        _ => None,
    }
}

fn plain_argument(argument: &FunctionArg) -> Option<&Expr> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Some(value),
        FunctionArg::Unnamed(
            FunctionArgExpr::QualifiedWildcard(_)
            | FunctionArgExpr::Wildcard
            | FunctionArgExpr::WildcardWithOptions(_),
        )
        | FunctionArg::Named { .. }
        | FunctionArg::ExprNamed { .. } => None,
    }
}

/// Adds a function that the grammar calls by a keyword.
pub(super) fn push_system_function(
    name: &str,
    arguments: usize,
    span: Span,
    into: &mut Expressions,
) {
    let name = QualifiedName {
        schema: Some("pg_catalog".into()),
        name: name.into(),
        span,
    };
    push_call(name, arguments, into);
}

/// The grammar of sqlparser knows no `VARIADIC` arguments.
pub(super) fn push_call(name: QualifiedName, arguments: usize, into: &mut Expressions) {
    into.functions.push(Call {
        name,
        arguments,
        is_variadic: false,
    });
}
