//! What sqlparser gets instead of the text: PostgreSQL's tokens, without some words that it does not
//! know.
//!
//! Nothing depends on this being right. The tree has to spell the statement's own tokens, whatever it
//! was made of, so that a wrong step here makes a refusal.

use sqlparser::ast::DollarQuotedString;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Token as Theirs, Tokenizer};

use crate::Refusal;
use crate::lexer::Kind;

use super::refusal::unreadable;
use super::tokens::Token;
use super::unicode::decoded;

/// A name that stands for nothing in the text, where sqlparser wants one. No text holds it.
pub(super) const ABSENT: &str = "\0";

/// A token for sqlparser, and the index of the statement's own that it is for.
pub(super) struct Piece {
    pub(super) token: Theirs,
    pub(super) of: usize,
}

pub(super) fn adapted(sql: &str, tokens: &[Token]) -> Result<Vec<Piece>, Refusal> {
    let text = Text { sql, tokens };
    let mut pieces = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if text.is_conflict_of_bare_select(at) {
            for made in [Theirs::make_keyword("AS"), absent()] {
                pieces.push(Piece {
                    token: made,
                    of: at,
                });
            }
        }
        pieces.push(Piece {
            token: converted(sql, token)?,
            of: at,
        });
        let skipped = text.unknown_words_behind(at);
        if text.is_star_of_value(at) {
            pieces.push(Piece {
                token: absent(),
                of: at + 1,
            });
        }
        at += 1 + skipped;
    }
    Ok(pieces)
}

fn absent() -> Theirs {
    Theirs::make_word(ABSENT, Some('"'))
}

struct Text<'t> {
    sql: &'t str,
    tokens: &'t [Token],
}

impl Text<'_> {
    fn sees(&self, at: usize, words: &str) -> bool {
        words.split(' ').enumerate().all(|(ahead, word)| {
            self.tokens.get(at + ahead).is_some_and(|token| {
                token.kind == Kind::Word && self.sql[token.span.clone()].eq_ignore_ascii_case(word)
            })
        })
    }

    fn is_mark(&self, at: usize, mark: u8) -> bool {
        self.tokens
            .get(at)
            .is_some_and(|token| token.kind == Kind::Punctuation(mark))
    }

    /// How many tokens behind this one are left out.
    fn unknown_words_behind(&self, at: usize) -> usize {
        let behind = at + 1;
        if self.sees(at, "for no key update") {
            return 2;
        }
        if self.sees(at, "for key share")
            || self.sees(at, "rows from")
            || self.sees(at, "between symmetric")
            || self.sees(at, "between asymmetric")
        {
            return 1;
        }
        let exclusions = ["current row", "no others", "group", "ties"];
        let excluded = exclusions.iter().find(|words| {
            let count = words.split(' ').count();
            self.sees(behind, "exclude")
                && self.sees(behind + 1, words)
                && self.is_mark(behind + 1 + count, b')')
        });
        if let Some(words) = excluded {
            return 1 + words.split(' ').count();
        }
        usize::from(self.is_star_of_value(at))
    }

    /// Whether this is the dot of `(value).*`.
    fn is_star_of_value(&self, at: usize) -> bool {
        self.is_mark(at, b'.')
            && at
                .checked_sub(1)
                .is_some_and(|before| self.is_mark(before, b')'))
            && self.tokens.get(at + 1).is_some_and(|token| {
                token.kind == Kind::Operator && &self.sql[token.span.clone()] == "*"
            })
    }

    /// Whether this is the `ON CONFLICT` of an `INSERT … SELECT` without `FROM`, where sqlparser
    /// takes `ON` for an alias.
    fn is_conflict_of_bare_select(&self, at: usize) -> bool {
        if !self.sees(at, "on conflict") {
            return false;
        }
        let mut depth = 0_usize;
        for before in (0..at).rev() {
            if self.is_mark(before, b')') || self.is_mark(before, b']') {
                depth += 1;
            } else if self.is_mark(before, b'(') || self.is_mark(before, b'[') {
                match depth.checked_sub(1) {
                    Some(outer) => depth = outer,
                    None => return false,
                }
            } else if depth == 0 {
                let clauses = [
                    "from", "where", "group", "having", "order", "limit", "values", "into",
                    "window",
                ];
                if self.sees(before, "select") {
                    return true;
                }
                if clauses.iter().any(|word| self.sees(before, word)) {
                    return false;
                }
            }
        }
        false
    }
}

/// The same token for sqlparser. What is in a literal is of no interest to anyone.
fn converted(sql: &str, token: &Token) -> Result<Theirs, Refusal> {
    let text = &sql[token.span.clone()];
    Ok(match token.kind {
        Kind::Word => Theirs::make_word(text, None),
        Kind::QuotedWord => {
            let inner = text
                .strip_prefix('"')
                .and_then(|text| text.strip_suffix('"'));
            Theirs::make_word(inner.unwrap_or_default(), Some('"'))
        }
        Kind::UnicodeWord => {
            let name = decoded(text).ok_or_else(|| unreadable().at(token.span.clone()))?;
            Theirs::make_word(&name, Some('"'))
        }
        Kind::String => match text.as_bytes().first() {
            Some(b'e' | b'E') => Theirs::EscapedStringLiteral(String::new()),
            Some(b'b' | b'B') => Theirs::SingleQuotedByteStringLiteral(String::new()),
            Some(b'x' | b'X') => Theirs::HexStringLiteral(String::new()),
            Some(b'u' | b'U') => {
                decoded(text).ok_or_else(|| unreadable().at(token.span.clone()))?;
                Theirs::SingleQuotedString(String::new())
            }
            Some(_) | None => Theirs::SingleQuotedString(String::new()),
        },
        Kind::DollarString => Theirs::DollarQuotedString(DollarQuotedString {
            value: String::new(),
            tag: None,
        }),
        Kind::Number => Theirs::Number(text.to_owned(), false),
        Kind::Parameter => Theirs::Placeholder(text.to_owned()),
        Kind::Punctuation(b'(') => Theirs::LParen,
        Kind::Punctuation(b')') => Theirs::RParen,
        Kind::Punctuation(b'[') => Theirs::LBracket,
        Kind::Punctuation(b']') => Theirs::RBracket,
        Kind::Punctuation(b',') => Theirs::Comma,
        Kind::Punctuation(b'.') => Theirs::Period,
        Kind::Punctuation(b':') => Theirs::Colon,
        Kind::Typecast => Theirs::DoubleColon,
        Kind::Assign => Theirs::Assignment,
        Kind::Operator => {
            return operator(text).ok_or_else(|| unreadable().at(token.span.clone()));
        }
        Kind::Punctuation(_) | Kind::PsqlCommand => {
            return Err(unreadable().at(token.span.clone()));
        }
    })
}

/// The one token that sqlparser makes of an operator.
fn operator(text: &str) -> Option<Theirs> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, text)
        .tokenize()
        .ok()?;
    match <[Theirs; 1]>::try_from(tokens) {
        Ok([token]) => Some(token),
        Err(_) => None,
    }
}
