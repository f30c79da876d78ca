//! Expressions: a closed list of nodes, each spelled as PostgreSQL's grammar has it (`a_expr`).

use sqlparser::ast::{Array, CaseWhen, Expr};

use crate::Refusal;
use crate::facts::Expressions;

use super::call::push_system_function;
use super::figured::Figured;
use super::keywords::Place;
use super::precedence::{Level, is_restricted, level};
use super::reader::Reader;

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
    pub(super) fn operand(
        &mut self,
        operand: &Expr,
        binds: bool,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        self.absent(binds, "this order of operators without parentheses")?;
        self.expression(operand, into)
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
}
