//! A Rust file as tokens: what a parser can be asked to read, and the comments between them.

use std::ops::Range;

use proc_macro2::{Delimiter, TokenStream, TokenTree, token_stream};

use crate::check::comments::{self, Comment};
use crate::check::source::Source;

/// How deep groups may lie within each other: a parser that calls itself needs a stack for each
/// level. The compiler's own limit is 128.
const DEEPEST: usize = 192;

/// How many tokens may follow each other without a `,`, a `;` or a block: chains nest as well.
const LONGEST_CHAIN: usize = 16 * 1024;

/// The places of all tokens, in order. `None` where they are nested too deep to be parsed.
pub(crate) fn places(tokens: TokenStream) -> Option<Vec<Range<usize>>> {
    let mut places = Vec::new();
    let mut levels = vec![Level::new(tokens, None)];
    while let Some(level) = levels.last_mut() {
        let Some(token) = level.rest.next() else {
            places.extend(level.close.clone());
            levels.pop();
            continue;
        };
        level.count(&token)?;
        let TokenTree::Group(group) = token else {
            places.push(token.span().byte_range());
            continue;
        };
        // A group without delimiters has no place of its own.
        let delimited = group.delimiter() != Delimiter::None;
        if delimited {
            places.push(group.span_open().byte_range());
        }
        let close = delimited.then(|| group.span_close().byte_range());
        levels.push(Level::new(group.stream(), close));
        if levels.len() > DEEPEST {
            return None;
        }
    }
    Some(places)
}

struct Level {
    rest: token_stream::IntoIter,
    close: Option<Range<usize>>,
    chain: usize,
    after_block: bool,
}

impl Level {
    fn new(tokens: TokenStream, close: Option<Range<usize>>) -> Self {
        Self {
            rest: tokens.into_iter(),
            close,
            chain: 0,
            after_block: false,
        }
    }

    /// `None` where a chain becomes too long.
    fn count(&mut self, token: &TokenTree) -> Option<()> {
        // `if … {} else if … {} else …` is a chain too.
        let goes_on = matches!(token, TokenTree::Ident(word) if word == "else");
        if self.after_block && !goes_on {
            self.chain = 0;
        }
        self.after_block =
            matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
        match token {
            TokenTree::Punct(mark) if matches!(mark.as_char(), ',' | ';') => self.chain = 0,
            TokenTree::Group(_)
            | TokenTree::Ident(_)
            | TokenTree::Punct(_)
            | TokenTree::Literal(_) => {
                self.chain += 1;
            }
        }
        (self.chain <= LONGEST_CHAIN).then_some(())
    }
}

/// The comments that are no documentation: between tokens there is nothing else but space.
pub(crate) fn comments(source: &Source, places: &[Range<usize>]) -> Vec<Comment> {
    let mut comments = Vec::new();
    let mut end = 0;
    for place in places {
        // The tokens of a documentation comment all stand where the comment stands.
        if place.start > end {
            let gap = end..place.start;
            comments.extend(comments::in_gap(source, gap, "//", Some(place.start)));
        }
        end = end.max(place.end);
    }
    let gap = end..source.text().len();
    comments.extend(comments::in_gap(source, gap, "//", None));
    comments
}
