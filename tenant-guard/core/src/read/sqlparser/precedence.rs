//! Whether operators stand to their operands as PostgreSQL's precedences have it.
//!
//! sqlparser's precedences change with its releases. A tree in which no operand binds looser than the
//! operator above it is the only one for its text, whoever made it: so it is PostgreSQL's.

use sqlparser::ast::{BinaryOperator, CastKind, Expr, UnaryOperator};

/// PostgreSQL 18, `src/backend/parser/gram.y`, loosest first. What is not an operator is `Primary`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// What is not known to be of another level: it is no operand.
    Unknown,
    Or,
    And,
    Not,
    Is,
    Comparison,
    /// `BETWEEN`, `IN`, `LIKE` and its kin.
    Like,
    Other,
    Add,
    Multiply,
    Power,
    AtTimeZone,
    Collate,
    Sign,
    Cast,
    Primary,
}

/// The level of the operator at the top.
pub(super) fn level(expression: &Expr) -> Level {
    match expression {
        Expr::BinaryOp { op, .. } => binary(op),
        Expr::UnaryOp { op, .. } => unary(*op),
        Expr::Exists { negated: true, .. } => Level::Not,
        Expr::IsFalse(_)
        | Expr::IsNotFalse(_)
        | Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotUnknown(_)
        | Expr::IsDistinctFrom(..)
        | Expr::IsNotDistinctFrom(..) => Level::Is,
        Expr::In { .. }
        | Expr::Between { .. }
        | Expr::Like { .. }
        | Expr::ILike { .. }
        | Expr::SimilarTo { .. } => Level::Like,
        Expr::AnyOp { compare_op, .. } | Expr::AllOp { compare_op, .. } => binary(compare_op),
        Expr::AtTimeZone { .. } => Level::AtTimeZone,
        Expr::Collate { .. } => Level::Collate,
        Expr::Cast { kind, .. } => match kind {
            CastKind::DoubleColon => Level::Cast,
            CastKind::Cast => Level::Primary,
            CastKind::TryCast | CastKind::SafeCast => Level::Unknown,
        },
        Expr::Identifier(_)
        | Expr::CompoundIdentifier(_)
        | Expr::CompoundFieldAccess { .. }
        | Expr::Extract { .. }
        | Expr::Ceil { .. }
        | Expr::Floor { .. }
        | Expr::Position { .. }
        | Expr::Substring { .. }
        | Expr::Trim { .. }
        | Expr::Overlay { .. }
        | Expr::Nested(_)
        | Expr::Value(_)
        | Expr::TypedString(_)
        | Expr::Function(_)
        | Expr::Case { .. }
        | Expr::Exists { negated: false, .. }
        | Expr::Subquery(_)
        | Expr::Tuple(_)
        | Expr::Array(_)
        | Expr::Interval(_) => Level::Primary,
        Expr::JsonAccess { .. }
        | Expr::IsJson { .. }
        | Expr::IsNormalized { .. }
        | Expr::RLike { .. }
        | Expr::Convert { .. }
        | Expr::Prefixed { .. }
        | Expr::GroupingSets(_)
        | Expr::Cube(_)
        | Expr::Rollup(_)
        | Expr::Struct { .. }
        | Expr::Named { .. }
        | Expr::Dictionary(_)
        | Expr::Map(_)
        | Expr::MatchAgainst { .. }
        | Expr::Wildcard(_)
        | Expr::QualifiedWildcard(..)
        | Expr::OuterJoin(_)
        | Expr::Prior(_)
        | Expr::Lambda(_)
        | Expr::MemberOf(_) => Level::Unknown,
    }
}

/// The level of an operator between two operands.
pub(super) fn binary(operator: &BinaryOperator) -> Level {
    use BinaryOperator as Op;
    match operator {
        Op::Or => Level::Or,
        Op::And => Level::And,
        // Its operands are rows in parentheses; as an operand itself it is rare enough to be careful.
        Op::Overlaps => Level::Like,
        Op::Gt | Op::Lt | Op::GtEq | Op::LtEq | Op::Eq | Op::NotEq => Level::Comparison,
        Op::Plus | Op::Minus => Level::Add,
        Op::Multiply | Op::Divide | Op::Modulo => Level::Multiply,
        Op::PGExp => Level::Power,
        Op::StringConcat
        | Op::BitwiseOr
        | Op::BitwiseAnd
        | Op::Custom(_)
        | Op::PGBitwiseXor
        | Op::PGBitwiseShiftLeft
        | Op::PGBitwiseShiftRight
        | Op::PGOverlap
        | Op::PGRegexMatch
        | Op::PGRegexIMatch
        | Op::PGRegexNotMatch
        | Op::PGRegexNotIMatch
        | Op::PGLikeMatch
        | Op::PGILikeMatch
        | Op::PGNotLikeMatch
        | Op::PGNotILikeMatch
        | Op::PGStartsWith
        | Op::Arrow
        | Op::LongArrow
        | Op::HashArrow
        | Op::HashLongArrow
        | Op::AtAt
        | Op::AtArrow
        | Op::ArrowAt
        | Op::HashMinus
        | Op::AtQuestion
        | Op::Question
        | Op::QuestionAnd
        | Op::QuestionPipe
        | Op::DoubleHash
        | Op::LtDashGt
        | Op::AndLt
        | Op::AndGt
        | Op::LtLtPipe
        | Op::PipeGtGt
        | Op::AndLtPipe
        | Op::PipeAndGt
        | Op::LtCaret
        | Op::GtCaret
        | Op::QuestionHash
        | Op::QuestionDash
        | Op::QuestionDashPipe
        | Op::QuestionDoublePipe
        | Op::At
        | Op::TildeEq
        | Op::PGCustomBinaryOperator(_) => Level::Other,
        Op::Spaceship
        | Op::Xor
        | Op::BitwiseXor
        | Op::DuckIntegerDivide
        | Op::MyIntegerDivide
        | Op::Match
        | Op::Regexp
        | Op::Glob
        | Op::Assignment
        | Op::Is
        | Op::IsNot => Level::Unknown,
    }
}

/// The level of an operator before its operand.
pub(super) fn unary(operator: UnaryOperator) -> Level {
    use UnaryOperator as Op;
    match operator {
        Op::Not => Level::Not,
        Op::Plus | Op::Minus => Level::Sign,
        Op::BitwiseNot
        | Op::PGAbs
        | Op::PGCubeRoot
        | Op::PGSquareRoot
        | Op::AtDashAt
        | Op::DoubleAt
        | Op::Hash
        | Op::QuestionDash
        | Op::QuestionPipe => Level::Other,
        Op::BangNot | Op::PGPostfixFactorial | Op::PGPrefixFactorial => Level::Unknown,
    }
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
