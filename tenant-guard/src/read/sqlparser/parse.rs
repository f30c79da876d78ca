//! From tokens to sqlparser's tree, where sqlparser sees the same tokens.

use sqlparser::ast;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::{Parser, ParserError, ParserOptions};
use sqlparser::tokenizer::{Location, Token as Theirs, TokenWithSpan, Tokenizer};

use crate::Refusal;
use crate::lexer::Kind;
use crate::read::limits::too_deep;

use super::refusal::unreadable;
use super::tokens::Token;

/// The tree of the one statement.
pub(super) fn parse(sql: &str, tokens: &[Token]) -> Result<ast::Statement, Refusal> {
    let dialect = PostgreSqlDialect {};
    let theirs = Tokenizer::new(&dialect, sql)
        .with_unescape(false)
        .tokenize_with_location()
        .map_err(|_| unreadable())?;
    let theirs = agreed(sql, tokens, theirs)?;
    let mut parser = Parser::new(&dialect)
        .with_options(ParserOptions::new().with_unescape(false))
        .with_tokens_with_locations(theirs);
    let place = |parser: &Parser<'_>| {
        let token = tokens.get(parser.index()).or(tokens.last());
        token.map_or(0..0, |token| token.span.clone())
    };
    let tree = parser.parse_statement().map_err(|error| match error {
        ParserError::RecursionLimitExceeded => too_deep(),
        ParserError::TokenizerError(_) | ParserError::ParserError(_) => {
            unreadable().at(place(&parser))
        }
    })?;
    match parser.peek_token_ref().token {
        Theirs::EOF => Ok(tree),
        _ => Err(unreadable().at(place(&parser))),
    }
}

/// sqlparser's tokens without white space and comments, if they are PostgreSQL's one by one: of the
/// same kind, over the same bytes.
fn agreed(
    sql: &str,
    tokens: &[Token],
    theirs: Vec<TokenWithSpan>,
) -> Result<Vec<TokenWithSpan>, Refusal> {
    let theirs: Vec<TokenWithSpan> = theirs
        .into_iter()
        .filter(|token| !matches!(token.token, Theirs::Whitespace(_)))
        .collect();
    let mut position = Position::new(sql);
    for (own, their) in tokens.iter().zip(&theirs) {
        let start = position.byte_at(their.span.start);
        let end = position.byte_at(their.span.end);
        let alike = start == Some(own.span.start)
            && end == Some(own.span.end)
            && is_of_kind(&their.token, own.kind);
        if !alike {
            return Err(unreadable().at(own.span.clone()));
        }
    }
    let (agreed, rest) = theirs
        .split_at_checked(tokens.len())
        .ok_or_else(unreadable)?;
    // The semicolons at the end are left out.
    if rest.iter().all(|token| token.token == Theirs::SemiColon) {
        Ok(agreed.to_vec())
    } else {
        Err(unreadable())
    }
}

/// A place in the text that moves on, by sqlparser's lines and columns of characters.
struct Position<'a> {
    rest: std::str::Chars<'a>,
    length: usize,
    at: Location,
}

impl<'a> Position<'a> {
    fn new(sql: &'a str) -> Self {
        Self {
            rest: sql.chars(),
            length: sql.len(),
            at: Location::new(1, 1),
        }
    }

    /// The byte at a line and column that is not before the last one.
    fn byte_at(&mut self, wanted: Location) -> Option<usize> {
        while (self.at.line, self.at.column) < (wanted.line, wanted.column) {
            if self.rest.next()? == '\n' {
                self.at = Location::new(self.at.line + 1, 1);
            } else {
                self.at.column += 1;
            }
        }
        (self.at == wanted).then(|| self.length - self.rest.as_str().len())
    }
}

/// Whether sqlparser's token is what PostgreSQL has there.
#[expect(clippy::too_many_lines, reason = "one line a token")]
fn is_of_kind(theirs: &Theirs, own: Kind) -> bool {
    let expected = match theirs {
        Theirs::Word(word) => match word.quote_style {
            None => Kind::Word,
            Some('"') => Kind::QuotedWord,
            Some(_) => return false,
        },
        Theirs::Number(_, long) => {
            if *long {
                return false;
            }
            Kind::Number
        }
        Theirs::SingleQuotedString(_)
        | Theirs::EscapedStringLiteral(_)
        | Theirs::SingleQuotedByteStringLiteral(_)
        | Theirs::HexStringLiteral(_) => Kind::String,
        Theirs::DollarQuotedString(_) => Kind::DollarString,
        Theirs::Placeholder(_) => Kind::Parameter,
        Theirs::LParen => Kind::Punctuation(b'('),
        Theirs::RParen => Kind::Punctuation(b')'),
        Theirs::LBracket => Kind::Punctuation(b'['),
        Theirs::RBracket => Kind::Punctuation(b']'),
        Theirs::Comma => Kind::Punctuation(b','),
        Theirs::Period => Kind::Punctuation(b'.'),
        Theirs::Colon => Kind::Punctuation(b':'),
        Theirs::SemiColon => Kind::Punctuation(b';'),
        Theirs::DoubleColon => Kind::Typecast,
        Theirs::Assignment => Kind::Assign,
        Theirs::Eq
        | Theirs::Neq
        | Theirs::Lt
        | Theirs::Gt
        | Theirs::LtEq
        | Theirs::GtEq
        | Theirs::Plus
        | Theirs::Minus
        | Theirs::Mul
        | Theirs::Div
        | Theirs::Mod
        | Theirs::StringConcat
        | Theirs::Ampersand
        | Theirs::Pipe
        | Theirs::Caret
        | Theirs::RArrow
        | Theirs::Sharp
        | Theirs::DoubleSharp
        | Theirs::Tilde
        | Theirs::TildeAsterisk
        | Theirs::ExclamationMarkTilde
        | Theirs::ExclamationMarkTildeAsterisk
        | Theirs::DoubleTilde
        | Theirs::DoubleTildeAsterisk
        | Theirs::ExclamationMarkDoubleTilde
        | Theirs::ExclamationMarkDoubleTildeAsterisk
        | Theirs::ShiftLeft
        | Theirs::ShiftRight
        | Theirs::Overlap
        | Theirs::ExclamationMark
        | Theirs::DoubleExclamationMark
        | Theirs::AtSign
        | Theirs::CaretAt
        | Theirs::PGSquareRoot
        | Theirs::PGCubeRoot
        | Theirs::Arrow
        | Theirs::LongArrow
        | Theirs::HashArrow
        | Theirs::AtDashAt
        | Theirs::QuestionMarkDash
        | Theirs::AmpersandLeftAngleBracket
        | Theirs::AmpersandRightAngleBracket
        | Theirs::AmpersandLeftAngleBracketVerticalBar
        | Theirs::VerticalBarAmpersandRightAngleBracket
        | Theirs::TwoWayArrow
        | Theirs::LeftAngleBracketCaret
        | Theirs::RightAngleBracketCaret
        | Theirs::QuestionMarkSharp
        | Theirs::QuestionMarkDashVerticalBar
        | Theirs::QuestionMarkDoubleVerticalBar
        | Theirs::TildeEqual
        | Theirs::ShiftLeftVerticalBar
        | Theirs::VerticalBarShiftRight
        | Theirs::VerticalBarRightAngleBracket
        | Theirs::HashLongArrow
        | Theirs::AtArrow
        | Theirs::ArrowAt
        | Theirs::HashMinus
        | Theirs::AtQuestion
        | Theirs::AtAt
        | Theirs::Question
        | Theirs::QuestionAnd
        | Theirs::QuestionPipe
        | Theirs::CustomBinaryOperator(_) => Kind::Operator,
        // Not PostgreSQL's, or not met in a statement.
        Theirs::EOF
        | Theirs::Char(_)
        | Theirs::DoubleQuotedString(_)
        | Theirs::TripleSingleQuotedString(_)
        | Theirs::TripleDoubleQuotedString(_)
        | Theirs::DoubleQuotedByteStringLiteral(_)
        | Theirs::TripleSingleQuotedByteStringLiteral(_)
        | Theirs::TripleDoubleQuotedByteStringLiteral(_)
        | Theirs::SingleQuotedRawStringLiteral(_)
        | Theirs::DoubleQuotedRawStringLiteral(_)
        | Theirs::TripleSingleQuotedRawStringLiteral(_)
        | Theirs::TripleDoubleQuotedRawStringLiteral(_)
        | Theirs::NationalStringLiteral(_)
        | Theirs::QuoteDelimitedStringLiteral(_)
        | Theirs::NationalQuoteDelimitedStringLiteral(_)
        | Theirs::UnicodeStringLiteral(_)
        | Theirs::Whitespace(_)
        | Theirs::DoubleEq
        | Theirs::Spaceship
        | Theirs::DuckIntDiv
        | Theirs::Backslash
        | Theirs::CopyData { .. }
        | Theirs::LBrace
        | Theirs::RBrace => return false,
    };
    expected == own
}
