//! Taking tokens one by one: each is taken once, by the part of the tree that it spells.

use sqlparser::ast::{Ident as Written, ObjectName, ObjectNamePart};

use crate::facts::Span;
use crate::lexer::{Kind, fold, unquote};
use crate::read::limits::too_deep;
use crate::{Ident, Refusal};

use super::figured::Figured;
use super::keywords::Place;
use super::refusal::{unknown, unreadable};
use super::tokens::Token;
use super::unicode::decoded;

/// Nodes inside one another, as deep as the other reader goes, so that no stack overflows.
const MAX_DEPTH: usize = 100;

/// Spells a tree: walks it and takes the tokens that it stands for.
#[derive(Debug)]
pub(super) struct Reader<'t> {
    sql: &'t str,
    tokens: &'t [Token],
    at: usize,
    depth: usize,
    pub(super) max_param: u32,
    /// Whether the query that was read last ended with `LIMIT ALL`, of which its tree says nothing.
    pub(super) limits_all: bool,
    /// The name of the first column of the query that was read last.
    pub(super) first_output: Figured,
}

impl<'t> Reader<'t> {
    pub(super) fn new(sql: &'t str, tokens: &'t [Token]) -> Self {
        Self {
            sql,
            tokens,
            at: 0,
            depth: 0,
            max_param: 0,
            limits_all: false,
            first_output: Figured::Nothing,
        }
    }

    /// Goes one node down.
    pub(super) fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        if self.depth >= MAX_DEPTH {
            return Err(too_deep().at(self.place()));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Refuses a text that goes on behind its tree.
    pub(super) fn at_end(&self) -> Result<(), Refusal> {
        match self.tokens.get(self.at) {
            None => Ok(()),
            Some(_) => Err(self.lost()),
        }
    }

    /// The refusal where the text is not what the tree spells.
    pub(super) fn lost(&self) -> Refusal {
        unreadable().at(self.place())
    }

    /// The refusal for a construct that begins at the next token.
    pub(super) fn unknown(&self, what: &str) -> Refusal {
        unknown(what).at(self.place())
    }

    /// Refuses what is not known where it is there.
    pub(super) fn absent(&self, is_absent: bool, what: &str) -> Result<(), Refusal> {
        if is_absent {
            Ok(())
        } else {
            Err(self.unknown(what))
        }
    }

    fn token(&self, ahead: usize) -> Option<&'t Token> {
        self.tokens.get(self.at + ahead)
    }

    fn text(&self, token: &Token) -> &'t str {
        &self.sql[token.span.clone()]
    }

    /// The bytes of the next token.
    pub(super) fn place(&self) -> Span {
        self.token(0)
            .or(self.tokens.last())
            .map_or(0..0, |token| token.span.clone())
    }

    /// The first byte of the next token.
    pub(super) fn start(&self) -> usize {
        self.token(0)
            .map_or(self.sql.len(), |token| token.span.start)
    }

    /// One byte at the next token, for places that are only pointed at.
    pub(super) fn point(&self) -> Span {
        let start = self.start();
        start..start + 1
    }

    /// The byte behind the last token that was taken.
    pub(super) fn end(&self) -> usize {
        let last = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        last.map_or(0, |token| token.span.end)
    }

    /// The next token's text where it is of this kind, without taking it.
    pub(super) fn sees_kind(&self, kind: Kind) -> Option<&'t str> {
        let token = self.token(0)?;
        (token.kind == kind).then(|| self.text(token))
    }

    /// The next word without quotes, or nothing.
    pub(super) fn sees_word(&self) -> &'t str {
        self.sees_kind(Kind::Word).unwrap_or_default()
    }

    /// Takes a token of this kind.
    pub(super) fn take(&mut self, kind: Kind) -> Result<&'t str, Refusal> {
        let text = self.sees_kind(kind).ok_or_else(|| self.lost())?;
        self.at += 1;
        Ok(text)
    }

    /// Whether these keywords come next.
    pub(super) fn sees(&self, words: &str) -> bool {
        words.split(' ').enumerate().all(|(ahead, word)| {
            self.token(ahead).is_some_and(|token| {
                token.kind == Kind::Word && self.text(token).eq_ignore_ascii_case(word)
            })
        })
    }

    /// Takes these keywords if they come next.
    pub(super) fn eat(&mut self, words: &str) -> bool {
        let seen = self.sees(words);
        if seen {
            self.at += words.split(' ').count();
        }
        seen
    }

    /// Takes these keywords.
    pub(super) fn words(&mut self, words: &str) -> Result<(), Refusal> {
        if self.eat(words) {
            Ok(())
        } else {
            Err(self.lost())
        }
    }

    /// Takes the first of these lists of keywords that comes next, if there is one.
    pub(super) fn eat_any(&mut self, choices: &[&str]) -> bool {
        choices.iter().any(|words| self.eat(words))
    }

    /// Takes the first of these lists of keywords that comes next.
    pub(super) fn one_of(&mut self, choices: &[&str]) -> Result<(), Refusal> {
        if self.eat_any(choices) {
            Ok(())
        } else {
            Err(self.lost())
        }
    }

    pub(super) fn sees_mark(&self, mark: u8) -> bool {
        self.sees_kind(Kind::Punctuation(mark)).is_some()
    }

    /// Takes one of `( ) [ ] , . :` if it comes next.
    pub(super) fn eat_mark(&mut self, mark: u8) -> bool {
        let seen = self.sees_mark(mark);
        if seen {
            self.at += 1;
        }
        seen
    }

    /// Takes one of `( ) [ ] , . :`.
    pub(super) fn mark(&mut self, mark: u8) -> Result<(), Refusal> {
        self.take(Kind::Punctuation(mark)).map(drop)
    }

    /// Takes this operator.
    pub(super) fn symbol(&mut self, symbol: &str) -> Result<(), Refusal> {
        if self.sees_kind(Kind::Operator) == Some(symbol) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.lost())
        }
    }

    /// Takes what `read` takes for each item, and the commas between them.
    pub(super) fn list<'a, T, R>(
        &mut self,
        items: impl IntoIterator<Item = &'a T>,
        mut read: impl FnMut(&mut Self, &'a T) -> Result<R, Refusal>,
    ) -> Result<Vec<R>, Refusal>
    where
        T: 'a,
    {
        let mut all = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.mark(b',')?;
            }
            all.push(read(self, item)?);
        }
        Ok(all)
    }

    /// A name in a place where PostgreSQL takes it for one.
    pub(super) fn name(&mut self, written: &Written, place: Place) -> Result<Ident, Refusal> {
        let Written {
            value,
            quote_style,
            span: _,
        } = written;
        let token = self.token(0).ok_or_else(|| self.lost())?;
        let text = self.text(token);
        let (name, spelled) = match token.kind {
            Kind::Word => {
                let spelled = quote_style.is_none()
                    && text == value
                    && place.takes(text)
                    && !self.is_taken_ahead();
                (fold(text), spelled)
            }
            Kind::QuotedWord => {
                let inner = text
                    .strip_prefix('"')
                    .and_then(|text| text.strip_suffix('"'));
                let spelled = *quote_style == Some('"') && inner == Some(value.as_str());
                // `""` is no name.
                (unquote(text), spelled && !value.is_empty())
            }
            Kind::UnicodeWord => {
                let inner = decoded(text).ok_or_else(|| self.lost())?;
                let spelled = *quote_style == Some('"') && inner == *value;
                let name = unquote(&format!("\"{inner}\""));
                (name, spelled && !value.is_empty())
            }
            Kind::String
            | Kind::DollarString
            | Kind::Number
            | Kind::Parameter
            | Kind::Punctuation(_)
            | Kind::Typecast
            | Kind::Assign
            | Kind::Operator
            | Kind::PsqlCommand => return Err(self.lost()),
        };
        if !spelled {
            return Err(self.lost());
        }
        self.at += 1;
        Ok(name)
    }

    /// Whether PostgreSQL's parser looks one word ahead and takes the first of these two for another
    /// keyword, which is no name anywhere (`base_yylex`, PostgreSQL 18 `src/backend/parser/parser.c`).
    pub(super) fn is_taken_ahead(&self) -> bool {
        let pairs = [
            "format json",
            "not between",
            "not ilike",
            "not in",
            "not like",
            "not similar",
            "nulls first",
            "nulls last",
            "with ordinality",
            "with time",
            "without time",
        ];
        pairs.iter().any(|words| self.sees(words))
    }

    /// A name with dots. `alone` is its place where it has one part.
    pub(super) fn dotted(
        &mut self,
        written: &ObjectName,
        alone: Place,
    ) -> Result<(Vec<Ident>, Span), Refusal> {
        let ObjectName(parts) = written;
        let mut names = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                ObjectNamePart::Identifier(part) => names.push(part),
                ObjectNamePart::Function(_) => return Err(self.unknown("this name")),
            }
        }
        self.dotted_parts(&names, alone)
    }

    pub(super) fn dotted_parts(
        &mut self,
        parts: &[&Written],
        alone: Place,
    ) -> Result<(Vec<Ident>, Span), Refusal> {
        let start = self.start();
        let first = if parts.len() == 1 {
            alone
        } else {
            Place::Column
        };
        let mut names = Vec::with_capacity(parts.len());
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                self.mark(b'.')?;
            }
            names.push(self.name(part, if index == 0 { first } else { Place::Label })?);
        }
        if names.is_empty() {
            return Err(self.lost());
        }
        Ok((names, start..self.end()))
    }
}
