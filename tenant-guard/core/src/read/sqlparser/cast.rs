//! Casts, and what PostgreSQL's grammar makes a constant of.

use sqlparser::ast::{CastKind, Expr, UnaryOperator, Value, ValueWithSpan};

use crate::Refusal;
use crate::facts::{Cast, Expressions};
use crate::lexer::Kind;

use super::figured::Figured;
use super::precedence::{Level, level};
use super::reader::Reader;
use super::type_name::Use;

impl Reader<'_> {
    pub(super) fn cast(
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
pub(super) fn is_number(expression: &Expr) -> bool {
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
