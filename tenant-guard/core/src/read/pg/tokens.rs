//! The statement's tokens with their byte positions.
//!
//! libpg_query's tree has start positions only; where a name, a condition or a list ends, the
//! tokens tell. They are never trusted: what is spliced at a place found here is certified after.

use pg_query::protobuf::Token as Kind;

use crate::facts::Span;
use crate::{Code, Refusal};

/// All tokens but comments.
#[derive(Debug)]
pub(super) struct Tokens(Vec<Token>);

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Span,
}

impl Tokens {
    pub(super) fn scan(sql: &str) -> Result<Self, pg_query::Error> {
        let scanned = pg_query::scan(sql)?;
        let tokens = scanned
            .tokens
            .iter()
            .filter(|token| !matches!(token.token(), Kind::SqlComment | Kind::CComment))
            .map(|token| Token {
                kind: token.token(),
                span: position(token.start)..position(token.end),
            })
            .collect();
        Ok(Self(tokens))
    }

    /// The index of the token that starts at this byte.
    pub(super) fn index_at(&self, location: i32) -> Result<usize, Refusal> {
        let start = position(location);
        self.0
            .binary_search_by_key(&start, |token| token.span.start)
            .map_err(|_| lost(start..start))
    }

    /// The index of the first token that starts at or behind this byte.
    pub(super) fn index_behind(&self, byte: usize) -> usize {
        self.0.partition_point(|token| token.span.start < byte)
    }

    /// The index of the first token from `start` on that is not of this kind.
    pub(super) fn index_past(&self, start: usize, kind: Kind) -> usize {
        let rest = self.0.get(start..).unwrap_or_default();
        start + rest.iter().take_while(|token| token.kind == kind).count()
    }

    pub(super) fn get(&self, index: usize) -> Option<&Token> {
        self.0.get(index)
    }

    pub(super) fn kind(&self, index: usize) -> Option<Kind> {
        self.0.get(index).map(|token| token.kind)
    }

    /// The kind of the token before this one.
    pub(super) fn kind_before(&self, index: usize) -> Option<Kind> {
        index.checked_sub(1).and_then(|before| self.kind(before))
    }

    pub(super) fn span(&self, index: usize) -> Result<Span, Refusal> {
        self.0
            .get(index)
            .map(|token| token.span.clone())
            .ok_or_else(|| lost(0..0))
    }

    /// The byte behind the token before this one.
    pub(super) fn end_before(&self, index: usize) -> Result<usize, Refusal> {
        let before = index.checked_sub(1).ok_or_else(|| lost(0..0))?;
        Ok(self.span(before)?.end)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Token> {
        self.0.iter()
    }

    /// The index of the parenthesis that closes the one at `open`.
    pub(super) fn closing(&self, open: usize) -> Result<usize, Refusal> {
        let mut depth = 0_usize;
        for (index, token) in self.0.iter().enumerate().skip(open) {
            match token.kind {
                Kind::Ascii40 => depth += 1,
                Kind::Ascii41 if depth <= 1 => return Ok(index),
                Kind::Ascii41 => depth -= 1,
                _ => {}
            }
        }
        Err(lost(0..0))
    }

    /// Whether this token is a name because of the one before it.
    fn is_label(&self, index: usize) -> bool {
        let before = self.0.get(..index).unwrap_or_default();
        // `t.as` is a column itself, and so is the second of `AS as`.
        let words = before
            .iter()
            .rev()
            .take_while(|token| token.kind == Kind::As)
            .count();
        let follows_dot = before
            .len()
            .checked_sub(words + 1)
            .and_then(|index| self.kind(index))
            == Some(Kind::Ascii46);
        follows_dot == (words % 2 == 0)
    }

    /// From `start` on, the first token at the same depth of parentheses for which `ends` holds, or
    /// the parenthesis that closes this depth, or the end of the text. `ends` gets the token's index
    /// too.
    pub(super) fn find_end(&self, start: usize, ends: impl Fn(usize, Kind) -> bool) -> usize {
        let mut depth = 0_usize;
        for (index, token) in self.0.iter().enumerate().skip(start) {
            match token.kind {
                Kind::Ascii40 | Kind::Ascii91 => depth += 1,
                Kind::Ascii41 | Kind::Ascii93 if depth == 0 => return index,
                Kind::Ascii41 | Kind::Ascii93 => depth -= 1,
                // `t.order` is a column and `AS order` its name, whatever the word means elsewhere.
                _ if self.is_label(index) => {}
                kind if depth == 0 && ends(index, kind) => return index,
                _ => {}
            }
        }
        self.0.len()
    }
}

/// libpg_query gives positions as `i32` and -1 for "unknown".
pub(super) fn position(location: i32) -> usize {
    usize::try_from(location).unwrap_or(usize::MAX)
}

/// The refusal for text whose tokens do not stand where the tree says.
pub(super) fn lost(span: Span) -> Refusal {
    Refusal::new(
        Code::UnknownSyntax,
        "the place of a part of the statement could not be found in its text",
        "write this part in a plainer way",
    )
    .at(span)
}
