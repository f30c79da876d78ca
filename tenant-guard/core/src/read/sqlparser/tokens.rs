//! The statement's tokens, as PostgreSQL cuts them: the truth about the text.

use crate::facts::Span;
use crate::lexer::{Kind, Lexer};
use crate::read::characters::check_names;
use crate::read::limits::{Step, check_depth, check_text};
use crate::{Code, Policy, Refusal};

use super::refusal::unreadable;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Span,
}

/// The tokens of one statement of bounded size and depth, without the semicolon at its end.
pub(super) fn cut(sql: &str, policy: &Policy) -> Result<Vec<Token>, Refusal> {
    check_text(sql, policy)?;
    let mut tokens = Vec::new();
    let mut lexer = Lexer::new(sql);
    while let Some(token) = lexer.next().map_err(|error| {
        Refusal::new(
            Code::Syntax,
            error.what,
            "write the statement as PostgreSQL's grammar has it, with $1, $2, … for parameters",
        )
        .at(error.at..error.at + 1)
    })? {
        tokens.push(Token {
            kind: token.kind,
            span: token.start..token.end,
        });
    }
    while tokens.last().is_some_and(is_semicolon) {
        tokens.pop();
    }
    if tokens.is_empty() {
        return Err(not_one("the text holds no statement", 0..0));
    }
    if let Some(cut) = tokens.iter().find(|token| is_semicolon(token)) {
        return Err(not_one(
            "the text holds more than one statement",
            cut.span.clone(),
        ));
    }
    check_names(sql, tokens.iter().map(|token| &token.span))?;
    check_depth(tokens.iter().map(|token| (step(sql, token), &token.span)))?;
    match tokens.iter().find(|token| !is_plain(sql, token)) {
        Some(token) => Err(unreadable().at(token.span.clone())),
        None => Ok(tokens),
    }
}

fn is_semicolon(token: &Token) -> bool {
    token.kind == Kind::Punctuation(b';')
}

fn not_one(what: &str, span: Span) -> Refusal {
    Refusal::new(Code::NotOneStatement, what, "send one statement at a time").at(span)
}

fn step(sql: &str, token: &Token) -> Step {
    match token.kind {
        Kind::Punctuation(b'(' | b'[') => Step::Opens,
        Kind::Punctuation(b')' | b']') => Step::Closes,
        Kind::Punctuation(b',') => Step::Separates,
        Kind::Word if sql[token.span.clone()].eq_ignore_ascii_case("case") => Step::Opens,
        Kind::Word if sql[token.span.clone()].eq_ignore_ascii_case("end") => Step::Closes,
        Kind::Word
        | Kind::QuotedWord
        | Kind::UnicodeWord
        | Kind::String
        | Kind::DollarString
        | Kind::Number
        | Kind::Parameter
        | Kind::Punctuation(_)
        | Kind::Typecast
        | Kind::Assign
        | Kind::Operator
        | Kind::PsqlCommand => Step::Continues,
    }
}

/// Whether the token is of a form that every release of PostgreSQL reads alike, and touches no token
/// with which it could be read as one.
fn is_plain(sql: &str, token: &Token) -> bool {
    let Span { start, end } = token.span;
    let behind = sql.as_bytes().get(end).copied();
    let touches_word = behind.is_some_and(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'.') || byte >= 0x80
    });
    match token.kind {
        Kind::Number => is_decimal(&sql[start..end]) && !touches_word,
        Kind::Parameter => !touches_word || behind == Some(b'.'),
        Kind::PsqlCommand => false,
        Kind::Punctuation(b'.') => behind != Some(b'.'),
        Kind::Word => {
            let word = &sql[start..end];
            // `N'…'` is of a type of its own, and UESCAPE changes what `U&` before it means.
            let is_national = word.eq_ignore_ascii_case("n") && behind == Some(b'\'');
            !is_national && !word.eq_ignore_ascii_case("uescape")
        }
        Kind::QuotedWord
        | Kind::UnicodeWord
        | Kind::String
        | Kind::DollarString
        | Kind::Punctuation(_)
        | Kind::Typecast
        | Kind::Assign
        | Kind::Operator => true,
    }
}

/// `1`, `1.5`, `.5`, `1.`, `1e-3`: not `0x1F`, `1_000`, `1abc`.
fn is_decimal(number: &str) -> bool {
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (number, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa = match mantissa.split_once('.') {
        Some((whole, "")) => digits(whole),
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(mantissa),
    };
    mantissa
        && exponent
            .is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}
