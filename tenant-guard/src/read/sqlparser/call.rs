//! Calls: of functions, and of what the grammar writes like them (`func_expr`).

use sqlparser::ast::{
    CeilFloorKind, DateTimeField, DuplicateTreatment, Expr, ExtractSyntax, Function, FunctionArg,
    FunctionArgExpr, FunctionArgOperator, FunctionArgumentClause, FunctionArgumentList,
    FunctionArguments, Interval, ObjectName, ObjectNamePart, TrimWhereField, TypedString, Value,
    ValueWithSpan,
};

use crate::facts::{Cast, ColumnName, Expressions, QualifiedName};
use crate::lexer::Kind;
use crate::{Ident, Refusal};

use super::expression::{is_restricted, push_call, push_operator, push_system_function};
use super::figured::Figured;
use super::keywords::Place;
use super::reader::Reader;
use super::type_name::Use;

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

    pub(super) fn extract(
        &mut self,
        syntax: &ExtractSyntax,
        value: &Expr,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        self.absent(*syntax == ExtractSyntax::From, "EXTRACT with a comma")?;
        push_system_function("extract", 2, self.point(), into);
        self.words("extract")?;
        self.mark(b'(')?;
        if self.sees_kind(Kind::String).is_some() {
            self.string_constant()?;
        } else {
            self.one_of(&[
                "century",
                "day",
                "decade",
                "dow",
                "doy",
                "epoch",
                "hour",
                "isodow",
                "isoyear",
                "julian",
                "microseconds",
                "millennium",
                "milliseconds",
                "minute",
                "month",
                "quarter",
                "second",
                "timezone",
                "timezone_hour",
                "timezone_minute",
                "week",
                "year",
            ])?;
        }
        self.words("from")?;
        self.expression(value, into)?;
        self.mark(b')')?;
        Ok(Figured::strong("extract"))
    }

    /// `ceil(x)` and `floor(x)`, which are plain functions here.
    pub(super) fn rounded(
        &mut self,
        names: &[&str],
        value: &Expr,
        field: &CeilFloorKind,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        let plain = *field == CeilFloorKind::DateTimeField(DateTimeField::NoDateTime);
        self.absent(plain, "this call")?;
        let span = self.point();
        let name = names.iter().find(|name| self.eat(name));
        let name = *name.ok_or_else(|| self.lost())?;
        let called = QualifiedName {
            schema: None,
            name: name.into(),
            span,
        };
        push_call(called, 1, into);
        self.mark(b'(')?;
        self.expression(value, into)?;
        self.mark(b')')?;
        Ok(Figured::strong(name))
    }

    pub(super) fn position(
        &mut self,
        part: &Expr,
        whole: &Expr,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        let plain = is_restricted(part) && is_restricted(whole);
        self.absent(plain, "POSITION of these operands")?;
        push_system_function("position", 2, self.point(), into);
        self.words("position")?;
        self.mark(b'(')?;
        self.expression(part, into)?;
        self.words("in")?;
        self.expression(whole, into)?;
        self.mark(b')')?;
        Ok(Figured::strong("position"))
    }

    /// `substring(x FROM y FOR z)`, or a plain call with commas.
    pub(super) fn substring(
        &mut self,
        value: &Expr,
        from: Option<&Expr>,
        length: Option<&Expr>,
        special: bool,
        shorthand: bool,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        let name = if shorthand { "substr" } else { "substring" };
        let has_words = !special && from.is_some();
        self.absent(!(has_words && shorthand), "this call")?;
        // `substring(x FOR z)` casts z, which nobody wrote.
        self.absent(from.is_some() || length.is_none(), "SUBSTRING without FROM")?;
        let called = QualifiedName {
            schema: has_words.then(|| "pg_catalog".into()),
            name: name.into(),
            span: self.point(),
        };
        let parts = [from, length].into_iter().flatten().count();
        push_call(called, 1 + parts, into);
        self.words(name)?;
        self.mark(b'(')?;
        self.expression(value, into)?;
        for (word, part) in [("from", from), ("for", length)] {
            if let Some(part) = part {
                if has_words {
                    self.words(word)?;
                } else {
                    self.mark(b',')?;
                }
                self.expression(part, into)?;
            }
        }
        self.mark(b')')?;
        Ok(Figured::strong(name))
    }

    pub(super) fn trim(
        &mut self,
        side: Option<TrimWhereField>,
        what: Option<&Expr>,
        value: &Expr,
        characters: Option<&[Expr]>,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        let (word, name) = match side {
            None => (None, "btrim"),
            Some(TrimWhereField::Both) => (Some("both"), "btrim"),
            Some(TrimWhereField::Leading) => (Some("leading"), "ltrim"),
            Some(TrimWhereField::Trailing) => (Some("trailing"), "rtrim"),
        };
        let others = usize::from(what.is_some()) + characters.map_or(0, <[Expr]>::len);
        push_system_function(name, 1 + others, self.point(), into);
        self.words("trim")?;
        self.mark(b'(')?;
        if let Some(word) = word {
            self.words(word)?;
        }
        if let Some(what) = what {
            self.expression(what, into)?;
            self.words("from")?;
        } else {
            self.eat("from");
        }
        self.expression(value, into)?;
        if let Some(characters) = characters {
            self.mark(b',')?;
            self.expressions(characters, into)?;
        }
        self.mark(b')')?;
        Ok(Figured::strong(name))
    }

    pub(super) fn overlay(
        &mut self,
        value: &Expr,
        parts: [(&str, Option<&Expr>); 3],
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        let others = parts.iter().filter(|(_, part)| part.is_some()).count();
        push_system_function("overlay", 1 + others, self.point(), into);
        self.words("overlay")?;
        self.mark(b'(')?;
        self.expression(value, into)?;
        for (word, part) in parts {
            if let Some(part) = part {
                self.words(word)?;
                self.expression(part, into)?;
            }
        }
        self.mark(b')')?;
        Ok(Figured::strong("overlay"))
    }

    /// `type '…'`
    pub(super) fn typed_string(
        &mut self,
        string: &TypedString,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        let TypedString {
            data_type: _,
            value: _,
            uses_odbc_syntax,
        } = string;
        self.absent(!uses_odbc_syntax, "this literal")?;
        let type_name = self.type_name(Use::Constant)?;
        self.string_constant()?;
        let name = type_name.name.clone();
        into.casts.push(Cast {
            type_name,
            of_constant: true,
        });
        Ok(Figured::Weak(name))
    }

    /// `INTERVAL '…' [fields]`
    pub(super) fn interval(
        &mut self,
        interval: &Interval,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        let Interval {
            value,
            // The fields are constants, and read from the tokens.
            leading_field: _,
            leading_precision: _,
            last_field: _,
            fractional_seconds_precision: _,
        } = interval;
        let is_string = matches!(
            **value,
            Expr::Value(ValueWithSpan {
                value: Value::SingleQuotedString(_) | Value::EscapedStringLiteral(_),
                span: _,
            })
        );
        self.absent(is_string, "an INTERVAL of something else than a string")?;
        let span = self.point();
        self.words("interval")?;
        self.string_constant()?;
        self.interval_fields()?;
        into.casts.push(Cast {
            type_name: QualifiedName {
                schema: Some("pg_catalog".into()),
                name: "interval".into(),
                span,
            },
            of_constant: true,
        });
        Ok(Figured::Weak("interval".into()))
    }

    /// A string of characters: not one of bits.
    pub(super) fn string_constant(&mut self) -> Result<(), Refusal> {
        if self.sees_kind(Kind::DollarString).is_some() {
            return self.take(Kind::DollarString).map(drop);
        }
        let refusal = self.lost();
        match self.take(Kind::String)?.as_bytes().first() {
            Some(b'\'' | b'e' | b'E') => Ok(()),
            Some(_) | None => Err(refusal),
        }
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
