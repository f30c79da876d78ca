//! Expressions: a closed list of nodes, each spelled as PostgreSQL's grammar has it (`a_expr`).

use sqlparser::ast::{
    AccessExpr, Array, BinaryOperator, CaseWhen, CastKind, Expr, InTarget, Query, Subscript,
    UnaryOperator, Value, ValueWithSpan,
};

use crate::Refusal;
use crate::facts::{Call, Cast, ColumnName, Expressions, FieldName, QualifiedName, Span};
use crate::lexer::Kind;

use super::adapt::ABSENT;
use super::figured::Figured;
use super::keywords::Place;
use super::precedence::{Level, binary, level, unary};
use super::reader::Reader;
use super::type_name::Use;

impl Reader<'_> {
    /// Adds what these expressions name, which stand with commas between them.
    pub(super) fn expressions<'a>(
        &mut self,
        expressions: impl IntoIterator<Item = &'a Expr>,
        into: &mut Expressions,
    ) -> Result<(), Refusal> {
        self.list(expressions, |reader, item| reader.expression(item, into))?;
        Ok(())
    }

    /// Adds what an expression names, and gives the name that its column has.
    pub(super) fn expression(
        &mut self,
        expression: &Expr,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        self.nested(|reader| reader.node(expression, into))
    }

    #[expect(clippy::too_many_lines, reason = "one arm a node, each short")]
    fn node(&mut self, node: &Expr, into: &mut Expressions) -> Result<Figured, Refusal> {
        match node {
            Expr::Identifier(name) => self.identifier(name, into),
            Expr::CompoundIdentifier(parts) => {
                let parts: Vec<_> = parts.iter().collect();
                self.column(&parts, into)
            }
            Expr::CompoundFieldAccess { root, access_chain } => {
                self.access(root, access_chain, into)
            }
            Expr::Value(value) => self.value(value),
            Expr::Nested(inner) => {
                self.mark(b'(')?;
                let figured = self.expression(inner, into)?;
                self.mark(b')')?;
                Ok(figured)
            }
            Expr::Tuple(items) => {
                // Of one item, parentheses make no row.
                self.absent(items.len() > 1, "this row")?;
                self.mark(b'(')?;
                self.expressions(items, into)?;
                self.mark(b')')?;
                Ok(Figured::strong("row"))
            }
            Expr::IsNull(operand) => self.test(operand, &["is null", "isnull"], into),
            Expr::IsNotNull(operand) => self.test(operand, &["is not null", "notnull"], into),
            Expr::IsTrue(operand) => self.test(operand, &["is true"], into),
            Expr::IsNotTrue(operand) => self.test(operand, &["is not true"], into),
            Expr::IsFalse(operand) => self.test(operand, &["is false"], into),
            Expr::IsNotFalse(operand) => self.test(operand, &["is not false"], into),
            Expr::IsUnknown(operand) => self.test(operand, &["is unknown"], into),
            Expr::IsNotUnknown(operand) => self.test(operand, &["is not unknown"], into),
            Expr::IsDistinctFrom(left, right) => {
                self.distinct(left, "is distinct from", right, into)
            }
            Expr::IsNotDistinctFrom(left, right) => {
                self.distinct(left, "is not distinct from", right, into)
            }
            Expr::In {
                expr,
                target,
                negated,
                global,
            } => {
                self.absent(!global, "GLOBAL IN")?;
                self.is_in(expr, *negated, target, into)
            }
            Expr::Between {
                expr,
                negated,
                low,
                high,
            } => {
                self.operand(expr, level(expr) > Level::Like, into)?;
                self.words(if *negated { "not between" } else { "between" })?;
                self.eat_any(&["symmetric", "asymmetric"]);
                self.operand(low, is_restricted(low), into)?;
                self.words("and")?;
                self.operand(high, level(high) > Level::Like, into)?;
                Ok(Figured::Nothing)
            }
            Expr::Like {
                negated,
                any,
                expr,
                pattern,
                escape_char,
            } => {
                self.absent(!any, "LIKE ANY")?;
                let (words, operator) = if *negated {
                    ("not like", "!~~")
                } else {
                    ("like", "~~")
                };
                self.like(expr, words, operator, pattern, escape_char.as_deref(), into)
            }
            Expr::ILike {
                negated,
                any,
                expr,
                pattern,
                escape_char,
            } => {
                self.absent(!any, "ILIKE ANY")?;
                let (words, operator) = if *negated {
                    ("not ilike", "!~~*")
                } else {
                    ("ilike", "~~*")
                };
                self.like(expr, words, operator, pattern, escape_char.as_deref(), into)
            }
            Expr::SimilarTo {
                negated,
                expr,
                pattern,
                escape_char,
            } => {
                let (words, operator) = if *negated {
                    ("not similar to", "!~")
                } else {
                    ("similar to", "~")
                };
                self.like(expr, words, operator, pattern, escape_char.as_deref(), into)
            }
            Expr::BinaryOp { .. } => self.chain(node, into),
            Expr::AnyOp {
                left,
                compare_op,
                right,
                is_some,
            } => {
                let word = if *is_some { "some" } else { "any" };
                self.quantified(left, compare_op, word, right, into)
            }
            Expr::AllOp {
                left,
                compare_op,
                right,
            } => self.quantified(left, compare_op, "all", right, into),
            Expr::UnaryOp { op, expr } => self.prefixed(*op, expr, into),
            Expr::Cast {
                kind,
                expr,
                data_type: _,
                format,
            } => {
                self.absent(format.is_none(), "CAST … FORMAT")?;
                self.cast(kind, expr, into)
            }
            Expr::AtTimeZone {
                timestamp,
                time_zone,
            } => {
                self.operand(timestamp, level(timestamp) >= Level::AtTimeZone, into)?;
                push_system_function("timezone", 2, self.point(), into);
                self.words("at time zone")?;
                self.operand(time_zone, level(time_zone) > Level::AtTimeZone, into)?;
                Ok(Figured::strong("timezone"))
            }
            Expr::Collate { expr, collation } => {
                let figured = self.operand(expr, level(expr) >= Level::Collate, into)?;
                self.words("collate")?;
                self.dotted(collation, Place::Column)?;
                Ok(figured)
            }
            Expr::Case {
                case_token: _,
                end_token: _,
                operand,
                conditions,
                else_result,
            } => self.case(operand.as_deref(), conditions, else_result.as_deref(), into),
            Expr::Exists { subquery, negated } => {
                if *negated {
                    self.words("not")?;
                }
                self.words("exists")?;
                self.subquery(subquery, into)?;
                Ok(if *negated {
                    Figured::Nothing
                } else {
                    Figured::strong("exists")
                })
            }
            Expr::Subquery(query) => self.subquery(query, into),
            Expr::Array(array) => {
                let Array { elem: _, named } = array;
                self.absent(*named, "an array without ARRAY")?;
                self.words("array")?;
                self.array(array, into)?;
                Ok(Figured::strong("array"))
            }
            Expr::QualifiedWildcard(name, _) => {
                let qualifier = self.whole_row(name, into)?;
                Ok(Figured::Strong(qualifier))
            }
            Expr::Function(function) => self.function(function, into),
            Expr::Extract {
                field: _,
                syntax,
                expr,
            } => self.extract(syntax, expr, into),
            Expr::Ceil { expr, field } => self.rounded(&["ceil", "ceiling"], expr, field, into),
            Expr::Floor { expr, field } => self.rounded(&["floor"], expr, field, into),
            Expr::Position { expr, r#in } => self.position(expr, r#in, into),
            Expr::Substring {
                expr,
                substring_from,
                substring_for,
                special,
                shorthand,
            } => {
                let (from, length) = (substring_from.as_deref(), substring_for.as_deref());
                self.substring(expr, from, length, *special, *shorthand, into)
            }
            Expr::Trim {
                trim_where,
                trim_what,
                expr,
                trim_characters,
            } => {
                let characters = trim_characters.as_deref();
                self.trim(*trim_where, trim_what.as_deref(), expr, characters, into)
            }
            Expr::Overlay {
                expr,
                overlay_what,
                overlay_from,
                overlay_for,
            } => {
                let parts = [
                    ("placing", Some(&**overlay_what)),
                    ("from", Some(&**overlay_from)),
                    ("for", overlay_for.as_deref()),
                ];
                self.overlay(expr, parts, into)
            }
            Expr::TypedString(string) => self.typed_string(string, into),
            Expr::Interval(interval) => self.interval(interval, into),
            Expr::GroupingSets(_) | Expr::Cube(_) | Expr::Rollup(_) => {
                Err(self.unknown("a grouping set outside of GROUP BY"))
            }
            Expr::JsonAccess { .. }
            | Expr::IsJson { .. }
            | Expr::IsNormalized { .. }
            | Expr::RLike { .. }
            | Expr::Convert { .. }
            | Expr::Prefixed { .. }
            | Expr::Struct { .. }
            | Expr::Named { .. }
            | Expr::Dictionary(_)
            | Expr::Map(_)
            | Expr::MatchAgainst { .. }
            | Expr::Wildcard(_)
            | Expr::OuterJoin(_)
            | Expr::Prior(_)
            | Expr::Lambda(_)
            | Expr::MemberOf(_) => Err(self.unknown("this expression")),
        }
    }

    /// An operand that binds as tightly as it has to.
    fn operand(
        &mut self,
        operand: &Expr,
        binds: bool,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        self.absent(binds, "this order of operators without parentheses")?;
        self.expression(operand, into)
    }

    /// `x IS NULL` and its kin, which may be written in one of these ways.
    fn test(
        &mut self,
        operand: &Expr,
        ways: &[&str],
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        self.operand(operand, level(operand) > Level::Is, into)?;
        self.one_of(ways)?;
        Ok(Figured::Nothing)
    }

    fn distinct(
        &mut self,
        left: &Expr,
        words: &str,
        right: &Expr,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        self.operand(left, level(left) > Level::Is, into)?;
        push_operator("=", self.point(), into);
        self.words(words)?;
        self.operand(right, level(right) > Level::Is, into)?;
        Ok(Figured::Nothing)
    }

    fn is_in(
        &mut self,
        left: &Expr,
        negated: bool,
        target: &InTarget,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        self.operand(left, level(left) > Level::Like, into)?;
        let point = self.point();
        self.words(if negated { "not in" } else { "in" })?;
        match target {
            InTarget::Subquery(query) => {
                self.subquery(query, into)?;
            }
            InTarget::List(items) => {
                // `IN ((SELECT …))` is one sub-query, not a list of one.
                let is_query = matches!(items.as_slice(), [item] if is_query(item));
                self.absent(!is_query, "IN of a sub-query in parentheses")?;
                push_operator(if negated { "<>" } else { "=" }, point, into);
                self.mark(b'(')?;
                self.expressions(items, into)?;
                self.mark(b')')?;
            }
            InTarget::Unnest(_) | InTarget::Table { .. } => return Err(self.unknown("this IN")),
        }
        Ok(Figured::Nothing)
    }

    fn like(
        &mut self,
        left: &Expr,
        words: &str,
        operator: &str,
        pattern: &Expr,
        escape: Option<&Expr>,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        self.operand(left, level(left) > Level::Like, into)?;
        let point = self.point();
        push_operator(operator, point.clone(), into);
        self.words(words)?;
        self.operand(pattern, level(pattern) > Level::Like, into)?;
        if words.ends_with("similar to") {
            let arguments = 1 + usize::from(escape.is_some());
            push_system_function("similar_to_escape", arguments, point, into);
        } else if escape.is_some() {
            push_system_function("like_escape", 2, point, into);
        }
        if let Some(escape) = escape {
            self.words("escape")?;
            self.operand(escape, level(escape) > Level::Like, into)?;
        }
        Ok(Figured::Nothing)
    }

    /// Operators between operands. A chain of them leans to the left, and may be long.
    fn chain(&mut self, top: &Expr, into: &mut Expressions) -> Result<Figured, Refusal> {
        let mut steps = Vec::new();
        let mut leftmost = top;
        while let Expr::BinaryOp { left, op, right } = leftmost {
            steps.push((op, &**right));
            self.absent(
                binds_left(op, left)
                    && level(right) > binary(op)
                    && rows_if_needed(op, left, right),
                "this order of operators without parentheses",
            )?;
            leftmost = left;
        }
        self.expression(leftmost, into)?;
        let mut figured = Figured::Nothing;
        for (op, right) in steps.into_iter().rev() {
            figured = self.between(op, into)?;
            self.expression(right, into)?;
        }
        Ok(figured)
    }

    /// Takes the operator between two operands.
    fn between(
        &mut self,
        operator: &BinaryOperator,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        match operator {
            BinaryOperator::And => self.words("and")?,
            BinaryOperator::Or => self.words("or")?,
            BinaryOperator::Overlaps => {
                push_system_function("overlaps", 4, self.point(), into);
                self.words("overlaps")?;
                return Ok(Figured::strong("overlaps"));
            }
            operator => self.comparison(operator, into)?,
        }
        Ok(Figured::Nothing)
    }

    /// Takes an operator that is written in signs.
    fn comparison(
        &mut self,
        operator: &BinaryOperator,
        into: &mut Expressions,
    ) -> Result<(), Refusal> {
        let is_known =
            binary(operator) >= Level::Comparison && *operator != BinaryOperator::Overlaps;
        self.absent(is_known, "this operator")?;
        if let BinaryOperator::PGCustomBinaryOperator(_) = operator {
            return self.qualified_operator(into);
        }
        let point = self.point();
        let text = self.take(Kind::Operator)?;
        // Two spellings of one operator.
        let name = if text == "!=" { "<>" } else { text };
        if name == operator.to_string() {
            push_operator(name, point, into);
            Ok(())
        } else {
            Err(self.lost())
        }
    }

    /// `OPERATOR(schema.operator)`
    fn qualified_operator(&mut self, into: &mut Expressions) -> Result<(), Refusal> {
        let span = self.point();
        self.words("operator")?;
        self.mark(b'(')?;
        let mut schema = None;
        if self.sees_kind(Kind::Operator).is_none() {
            schema = Some(self.type_part(Place::Column)?);
            self.mark(b'.')?;
        }
        let text = self.take(Kind::Operator)?;
        self.mark(b')')?;
        into.operators.push(QualifiedName {
            schema,
            name: if text == "!=" { "<>" } else { text }.into(),
            span,
        });
        Ok(())
    }

    /// `x = ANY (…)` of an array or a sub-query.
    fn quantified(
        &mut self,
        left: &Expr,
        operator: &BinaryOperator,
        word: &str,
        right: &Expr,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        self.operand(left, binds_left(operator, left), into)?;
        self.comparison(operator, into)?;
        self.words(word)?;
        if let Expr::Subquery(query) = right {
            self.subquery(query, into)?;
        } else {
            self.absent(!is_query(right), "ANY of a sub-query in parentheses")?;
            self.mark(b'(')?;
            self.expression(right, into)?;
            self.mark(b')')?;
        }
        Ok(Figured::Nothing)
    }

    fn prefixed(
        &mut self,
        operator: UnaryOperator,
        operand: &Expr,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        let own = unary(operator);
        let same = matches!(
            operand,
            Expr::UnaryOp { .. } | Expr::Exists { negated: true, .. }
        );
        let binds =
            own != Level::Unknown && (level(operand) > own || (same && level(operand) == own));
        if operator == UnaryOperator::Not {
            self.words("not")?;
        } else {
            let point = self.point();
            let sign = operator.to_string();
            self.symbol(&sign)?;
            // The grammar makes one constant of a sign and a number (`doNegate`).
            if operator != UnaryOperator::Minus || !is_number(operand) {
                push_operator(&sign, point, into);
            }
        }
        self.operand(operand, binds, into)?;
        Ok(Figured::Nothing)
    }

    fn cast(
        &mut self,
        kind: &CastKind,
        operand: &Expr,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        let (figured, type_name) = match kind {
            CastKind::DoubleColon => {
                let figured = self.operand(operand, level(operand) >= Level::Cast, into)?;
                self.take(Kind::Typecast)?;
                (figured, self.type_name(Use::Cast)?)
            }
            CastKind::Cast => {
                self.words("cast")?;
                self.mark(b'(')?;
                let figured = self.expression(operand, into)?;
                self.words("as")?;
                let type_name = self.type_name(Use::Cast)?;
                self.mark(b')')?;
                (figured, type_name)
            }
            CastKind::TryCast | CastKind::SafeCast => return Err(self.unknown("this cast")),
        };
        let name = type_name.name.clone();
        into.casts.push(Cast {
            type_name,
            of_constant: is_constant(operand),
        });
        Ok(figured.or_weak(name))
    }

    fn case(
        &mut self,
        operand: Option<&Expr>,
        conditions: &[CaseWhen],
        otherwise: Option<&Expr>,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        self.words("case")?;
        if let Some(operand) = operand {
            self.expression(operand, into)?;
        }
        self.absent(!conditions.is_empty(), "a CASE without WHEN")?;
        for CaseWhen { condition, result } in conditions {
            self.words("when")?;
            self.expression(condition, into)?;
            self.words("then")?;
            self.expression(result, into)?;
        }
        let mut figured = Figured::Nothing;
        if let Some(otherwise) = otherwise {
            self.words("else")?;
            figured = self.expression(otherwise, into)?;
        }
        self.words("end")?;
        Ok(figured.or_weak("case".into()))
    }

    /// A query in parentheses; its column has the name of the query's first.
    pub(super) fn subquery(
        &mut self,
        query: &Query,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        self.mark(b'(')?;
        let query = self.query(query)?;
        self.mark(b')')?;
        into.subqueries.push(query);
        Ok(std::mem::replace(&mut self.first_output, Figured::Nothing))
    }

    /// `[…]` behind `ARRAY`: values, or arrays of one level less.
    fn array(&mut self, array: &Array, into: &mut Expressions) -> Result<(), Refusal> {
        let Array { elem, named: _ } = array;
        self.mark(b'[')?;
        let inner: Vec<&Array> = elem.iter().filter_map(inner_array).collect();
        if inner.is_empty() {
            self.expressions(elem, into)?;
        } else {
            self.absent(inner.len() == elem.len(), "this array")?;
            self.list(inner, |reader, inner| {
                reader.nested(|reader| reader.array(inner, into))
            })?;
        }
        self.mark(b']')
    }

    /// `value.field`, `value[1]`, `value[1:2]`
    fn access(
        &mut self,
        root: &Expr,
        steps: &[AccessExpr],
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        let mut steps = steps.iter().peekable();
        let mut figured = match root {
            Expr::Identifier(first) => {
                // The names up to the first bracket are a column's.
                let mut parts = vec![first];
                while let Some(AccessExpr::Dot(Expr::Identifier(part))) = steps.peek() {
                    parts.push(part);
                    steps.next();
                }
                self.column(&parts, into)?
            }
            Expr::CompoundIdentifier(parts) => {
                let parts: Vec<_> = parts.iter().collect();
                self.column(&parts, into)?
            }
            Expr::Nested(_)
            | Expr::Subquery(_)
            | Expr::Value(ValueWithSpan {
                value: Value::Placeholder(_),
                span: _,
            }) => self.expression(root, into)?,
            _ => return Err(self.unknown("a part of this expression without parentheses")),
        };
        for step in steps {
            match step {
                // `(value).*`
                AccessExpr::Dot(Expr::Identifier(field)) if field.value == ABSENT => {
                    self.mark(b'.')?;
                    self.symbol("*")?;
                }
                AccessExpr::Dot(Expr::Identifier(field)) => {
                    self.mark(b'.')?;
                    let name = self.name(field, Place::Label)?;
                    figured = Figured::Strong(name.clone());
                    into.fields.push(FieldName { name, span: 0..0 });
                }
                AccessExpr::Dot(_) => return Err(self.unknown("this part of a value")),
                AccessExpr::Subscript(subscript) => self.subscript(subscript, into)?,
            }
        }
        Ok(figured)
    }

    fn subscript(&mut self, subscript: &Subscript, into: &mut Expressions) -> Result<(), Refusal> {
        self.mark(b'[')?;
        match subscript {
            Subscript::Index { index } => {
                self.expression(index, into)?;
            }
            Subscript::Slice {
                lower_bound,
                upper_bound,
                stride,
            } => {
                self.absent(stride.is_none(), "a slice with a stride")?;
                if let Some(lower) = lower_bound {
                    self.expression(lower, into)?;
                }
                self.mark(b':')?;
                if let Some(upper) = upper_bound {
                    self.expression(upper, into)?;
                }
            }
        }
        self.mark(b']')
    }

    /// A name without dots: a column, or a word that stands for a value.
    fn identifier(
        &mut self,
        name: &sqlparser::ast::Ident,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        let is_word = name.quote_style.is_none();
        if is_word && name.value.eq_ignore_ascii_case("default") {
            self.words("default")?;
            return Ok(Figured::Nothing);
        }
        if is_word && let Some(value) = self.value_function(&name.value)? {
            return Ok(value);
        }
        self.column(&[name], into)
    }

    fn column(
        &mut self,
        parts: &[&sqlparser::ast::Ident],
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        self.absent(parts.len() <= 3, "a column named with its database")?;
        let (mut names, span) = self.dotted_parts(parts, Place::Column)?;
        let name = names.pop().ok_or_else(|| self.lost())?;
        let qualifier = names.pop();
        into.columns.push(ColumnName {
            schema: names.pop(),
            qualifier,
            name: Some(name.clone()),
            span,
        });
        Ok(Figured::Strong(name))
    }

    /// A literal or a parameter.
    fn value(&mut self, value: &ValueWithSpan) -> Result<Figured, Refusal> {
        let ValueWithSpan { value, span: _ } = value;
        match value {
            Value::Number(..) => {
                self.take(Kind::Number)?;
            }
            Value::SingleQuotedString(_)
            | Value::EscapedStringLiteral(_)
            | Value::SingleQuotedByteStringLiteral(_)
            | Value::HexStringLiteral(_) => {
                self.take(Kind::String)?;
            }
            Value::DollarQuotedString(_) => {
                self.take(Kind::DollarString)?;
            }
            Value::Boolean(true) => self.words("true")?,
            Value::Boolean(false) => self.words("false")?,
            Value::Null => self.words("null")?,
            Value::Placeholder(_) => self.parameter()?,
            Value::TripleSingleQuotedString(_)
            | Value::TripleDoubleQuotedString(_)
            | Value::UnicodeStringLiteral(_)
            | Value::DoubleQuotedByteStringLiteral(_)
            | Value::TripleSingleQuotedByteStringLiteral(_)
            | Value::TripleDoubleQuotedByteStringLiteral(_)
            | Value::SingleQuotedRawStringLiteral(_)
            | Value::DoubleQuotedRawStringLiteral(_)
            | Value::TripleSingleQuotedRawStringLiteral(_)
            | Value::TripleDoubleQuotedRawStringLiteral(_)
            | Value::NationalStringLiteral(_)
            | Value::QuoteDelimitedStringLiteral(_)
            | Value::NationalQuoteDelimitedStringLiteral(_)
            | Value::DoubleQuotedString(_) => return Err(self.unknown("this literal")),
        }
        Ok(Figured::Nothing)
    }

    fn parameter(&mut self) -> Result<(), Refusal> {
        let refusal = self.unknown("a parameter of this number");
        let number = self.take(Kind::Parameter)?.strip_prefix('$');
        match number.and_then(|number| number.parse::<u32>().ok()) {
            // The protocol counts parameters in 16 bits, and one more is added.
            Some(number) if (1..u32::from(u16::MAX)).contains(&number) => {
                self.max_param = self.max_param.max(number);
                Ok(())
            }
            Some(_) | None => Err(refusal),
        }
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

pub(super) fn push_operator(name: &str, span: Span, into: &mut Expressions) {
    into.operators.push(QualifiedName {
        schema: None,
        name: name.into(),
        span,
    });
}

/// Whether an operand to the left stays with itself before this operator.
fn binds_left(operator: &BinaryOperator, left: &Expr) -> bool {
    let own = binary(operator);
    let chains = !matches!(own, Level::Comparison | Level::Like | Level::Unknown);
    level(left) > own || (chains && level(left) == own)
}

/// Whether the operands are rows where the grammar wants them to be.
fn rows_if_needed(operator: &BinaryOperator, left: &Expr, right: &Expr) -> bool {
    let is_row = |operand: &Expr| matches!(operand, Expr::Tuple(_));
    *operator != BinaryOperator::Overlaps || (is_row(left) && is_row(right))
}

/// Whether this is what the grammar has before the `AND` of `BETWEEN` (`b_expr`).
pub(super) fn is_restricted(expression: &Expr) -> bool {
    match expression {
        Expr::Cast {
            kind: CastKind::DoubleColon,
            expr,
            data_type: _,
            format: _,
        } => is_restricted(expr),
        Expr::UnaryOp { op, expr } => unary(*op) > Level::Like && is_restricted(expr),
        Expr::BinaryOp { left, op, right } => {
            binary(op) > Level::Like && is_restricted(left) && is_restricted(right)
        }
        other => level(other) == Level::Primary,
    }
}

/// A query, in however many parentheses.
fn is_query(expression: &Expr) -> bool {
    match expression {
        Expr::Nested(inner) => is_query(inner),
        Expr::Subquery(_) => true,
        _ => false,
    }
}

/// Whether PostgreSQL's grammar makes a constant or a parameter of this.
pub(super) fn is_constant(expression: &Expr) -> bool {
    match expression {
        Expr::Nested(inner) => is_constant(inner),
        Expr::Value(_) => true,
        other => is_number(other),
    }
}

/// A number with signs before it, in parentheses or not.
fn is_number(expression: &Expr) -> bool {
    match expression {
        Expr::Nested(inner) => is_number(inner),
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => is_number(expr),
        Expr::Value(ValueWithSpan { value, span: _ }) => matches!(value, Value::Number(..)),
        _ => false,
    }
}

/// `[…]` without `ARRAY`.
fn inner_array(expression: &Expr) -> Option<&Array> {
    match expression {
        Expr::Array(array) => (!array.named).then_some(array),
        _ => None,
    }
}
