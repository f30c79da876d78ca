//! Going through the tokens of a statement.

use super::super::{Ident, TableName};
use super::error::MigrationProblem as Problem;
use crate::lexer::{Kind, Token, fold, unquote};

/// A place in a run of tokens. Keywords are compared without regard to case; names come out as
/// PostgreSQL stores them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    tokens: &'a [Token],
}

/// A name as it was written: with or without a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) schema: Option<Ident>,
    pub(crate) name: Ident,
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.schema {
            Some(schema) => TableName::new(schema.clone(), self.name.clone()).fmt(f),
            None => self.name.fmt(f),
        }
    }
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str, tokens: &'a [Token]) -> Self {
        Self { text, tokens }
    }

    pub(crate) fn tokens(&self) -> &'a [Token] {
        self.tokens
    }

    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The text from the next token to the last.
    pub(crate) fn rest(&self) -> &'a str {
        match (self.tokens.first(), self.tokens.last()) {
            (Some(first), Some(last)) => &self.text[first.start..last.end],
            _ => "",
        }
    }

    pub(crate) fn slice(&self, token: Token) -> &'a str {
        &self.text[token.start..token.end]
    }

    pub(crate) fn peek(&self) -> Option<Token> {
        self.tokens.first().copied()
    }

    pub(crate) fn next(&mut self) -> Option<Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(*first)
    }

    fn is_word(&self, token: Token, word: &str) -> bool {
        token.kind == Kind::Word && self.slice(token).eq_ignore_ascii_case(word)
    }

    /// Whether these keywords come next.
    pub(crate) fn sees(&self, words: &str) -> bool {
        let mut tokens = self.tokens.iter();
        words.split(' ').all(|word| {
            tokens
                .next()
                .is_some_and(|token| self.is_word(*token, word))
        })
    }

    /// Takes these keywords, or nothing.
    pub(crate) fn eat(&mut self, words: &str) -> bool {
        let seen = self.sees(words);
        if seen {
            self.tokens = self.tokens.get(words.split(' ').count()..).unwrap_or(&[]);
        }
        seen
    }

    /// Takes one of these lists of keywords, the first that fits.
    pub(crate) fn eat_any(&mut self, choices: &[&str]) -> bool {
        choices.iter().any(|words| self.eat(words))
    }

    pub(crate) fn sees_punctuation(&self, byte: u8) -> bool {
        self.peek()
            .is_some_and(|token| token.kind == Kind::Punctuation(byte))
    }

    pub(crate) fn eat_punctuation(&mut self, byte: u8) -> bool {
        let seen = self.sees_punctuation(byte);
        if seen {
            self.next();
        }
        seen
    }

    /// Whether a keyword stands anywhere ahead outside of parentheses.
    pub(crate) fn find(&self, words: &str) -> Option<Cursor<'a>> {
        let mut ahead = *self;
        while let Some(token) = ahead.peek() {
            if ahead.sees(words) {
                return Some(ahead);
            }
            match token.kind {
                Kind::Punctuation(b'(') => {
                    ahead.group();
                }
                _ => {
                    ahead.next();
                }
            }
        }
        None
    }

    /// All words ahead that stand without quotes, also within parentheses.
    pub(crate) fn words(&self) -> impl Iterator<Item = &'a str> {
        let text = self.text;
        self.tokens
            .iter()
            .filter(|token| token.kind == Kind::Word)
            .map(move |token| &text[token.start..token.end])
    }

    /// One identifier.
    pub(crate) fn ident(&mut self) -> Result<Ident, Problem> {
        let token = self.peek();
        let ident = match token {
            Some(token) if token.kind == Kind::Word => fold(self.slice(token)),
            Some(token) if token.kind == Kind::QuotedWord => unquote(self.slice(token)),
            Some(token) if token.kind == Kind::UnicodeWord => return Err(Problem::UnicodeName),
            _ => return Err(Problem::misread("a name is missing", *self)),
        };
        self.next();
        Ok(ident)
    }

    /// A name with or without its schema. One with a database too is not accepted.
    pub(crate) fn name(&mut self) -> Result<Name, Problem> {
        let first = self.ident()?;
        if !self.eat_punctuation(b'.') {
            return Ok(Name {
                schema: None,
                name: first,
            });
        }
        let name = self.ident()?;
        if self.sees_punctuation(b'.') {
            return Err(Problem::misread("a name of more than two parts", *self));
        }
        Ok(Name {
            schema: Some(first),
            name,
        })
    }

    /// The tokens within the parentheses that open here; the cursor stands behind them after it.
    pub(crate) fn group(&mut self) -> Option<Cursor<'a>> {
        if !self.sees_punctuation(b'(') {
            return None;
        }
        let mut depth = 0_usize;
        for (index, token) in self.tokens.iter().enumerate() {
            match token.kind {
                Kind::Punctuation(b'(') => depth += 1,
                Kind::Punctuation(b')') => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                let inside = self.tokens.get(1..index).unwrap_or(&[]);
                self.tokens = self.tokens.get(index + 1..).unwrap_or(&[]);
                return Some(Self::new(self.text, inside));
            }
        }
        self.tokens = &[];
        None
    }

    /// What stands between the commas outside of parentheses and brackets.
    pub(crate) fn list(&self) -> Vec<Cursor<'a>> {
        if self.tokens.is_empty() {
            return Vec::new();
        }
        let mut depth = 0_usize;
        self.tokens
            .split(|token| {
                match token.kind {
                    Kind::Punctuation(b'(' | b'[') => depth += 1,
                    Kind::Punctuation(b')' | b']') => depth = depth.saturating_sub(1),
                    _ => {}
                }
                depth == 0 && token.kind == Kind::Punctuation(b',')
            })
            .map(|tokens| Self::new(self.text, tokens))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::split::split;
    use super::*;

    fn with<T>(text: &str, check: impl FnOnce(Cursor<'_>) -> T) -> T {
        let pieces = split(text).unwrap();
        check(Cursor::new(text, &pieces[0].tokens))
    }

    #[test]
    fn names_are_stored_as_postgresql_stores_them() {
        let name = |text: &str| with(text, |mut cursor| cursor.name().unwrap().to_string());
        assert_eq!(name("Tasks"), "tasks");
        assert_eq!(name("\"Tasks\""), "Tasks");
        assert_eq!(name("App.\"a\"\"b\""), "app.a\"b");
        assert_eq!(name("TÄSKS"), "tÄsks");
        assert_eq!(name(&"x".repeat(70)), "x".repeat(63));
        assert_eq!(name(&format!("{}é", "x".repeat(62))), "x".repeat(62));
    }

    #[test]
    fn names_that_are_not_read_are_errors() {
        assert!(with("U&\"a\"", |mut cursor| cursor.name()).is_err());
        assert!(with("a.b.c", |mut cursor| cursor.name()).is_err());
        assert!(with("'a'", |mut cursor| cursor.name()).is_err());
    }

    #[test]
    fn lists_and_groups_respect_nesting() {
        with("(a, b(c, d), e[1, 2]) f", |mut cursor| {
            let group = cursor.group().unwrap();
            let items: Vec<&str> = group.list().iter().map(Cursor::rest).collect();
            assert_eq!(items, ["a", "b(c, d)", "e[1, 2]"]);
            assert_eq!(cursor.rest(), "f");
        });
    }

    #[test]
    fn keywords_are_found_outside_of_parentheses() {
        with("a (PARTITION OF b) partition Of c", |cursor| {
            assert_eq!(
                cursor.find("PARTITION OF").unwrap().rest(),
                "partition Of c"
            );
        });
        with("a \"partition\" of", |cursor| {
            assert!(cursor.find("PARTITION OF").is_none());
        });
    }
}
