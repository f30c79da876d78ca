//! Operators and their operands.

use sqlparser::ast::{BinaryOperator, Expr, InTarget, UnaryOperator};

use crate::Refusal;
use crate::facts::{Expressions, QualifiedName, Span};
use crate::lexer::Kind;

use super::call::push_system_function;
use super::cast::is_number;
use super::figured::Figured;
use super::keywords::Place;
use super::precedence::{Level, binary, level, unary};
use super::reader::Reader;

impl Reader<'_> {
    /// `x IS NULL` and its kin, which may be written in one of these ways.
    pub(super) fn test(
        &mut self,
        operand: &Expr,
        ways: &[&str],
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        self.operand(operand, level(operand) > Level::Is, into)?;
        self.one_of(ways)?;
        Ok(Figured::Nothing)
    }

    pub(super) fn distinct(
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

    pub(super) fn is_in(
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

    pub(super) fn like(
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
    pub(super) fn chain(&mut self, top: &Expr, into: &mut Expressions) -> Result<Figured, Refusal> {
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
    pub(super) fn quantified(
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

    pub(super) fn prefixed(
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

/// A query, in however many parentheses.
fn is_query(expression: &Expr) -> bool {
    match expression {
        Expr::Nested(inner) => is_query(inner),
        Expr::Subquery(_) => true,
        _ => false,
    }
}
