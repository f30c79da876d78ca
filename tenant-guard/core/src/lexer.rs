//! PostgreSQL's tokens, as `src/backend/parser/scan.l` cuts them (PostgreSQL 18, with
//! `standard_conforming_strings` on).
//!
//! Only what the shape of a statement needs is told apart: keywords are words, operators are one
//! kind, and nothing is decoded.

mod identifier;

pub(crate) use identifier::{fold, truncate, unquote};

/// One token: its kind and its bytes in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword or an identifier without quotes.
    Word,
    /// `"…"`
    QuotedWord,
    /// `U&"…"`
    UnicodeWord,
    /// A string constant of any kind but dollar-quoted, with its prefix.
    String,
    /// `$tag$…$tag$`
    DollarString,
    Number,
    /// `$1`
    Parameter,
    /// One of `( ) [ ] , ; . :`
    Punctuation(u8),
    /// `::`
    Typecast,
    /// `:=`
    Assign,
    /// An operator, and what is written like one: `*`, `=>`.
    Operator,
    /// A line that psql would take for itself: a backslash at the start of a statement.
    PsqlCommand,
}

/// Text that PostgreSQL's lexer would not accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LexError {
    pub(crate) at: usize,
    pub(crate) what: &'static str,
}

/// What does not end a string.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    /// Nothing: bit strings.
    None,
    /// `''`
    Quote,
    /// `''`, and a backslash with what follows it.
    Backslash,
}

/// Cuts the text into tokens, one at a time. White space and comments are passed over.
#[derive(Debug)]
pub(crate) struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text: text.as_bytes(),
            at: 0,
        }
    }

    /// Goes on at another place.
    pub(crate) fn seek(&mut self, at: usize) {
        self.at = at;
    }

    /// The next token, or nothing at the end of the text.
    pub(crate) fn next(&mut self) -> Result<Option<Token>, LexError> {
        self.skip_blank()?;
        let start = self.at;
        let Some(byte) = self.peek(0) else {
            return Ok(None);
        };
        let kind = match byte {
            b'e' | b'E' if self.peek(1) == Some(b'\'') => self.string(1, Escapes::Backslash)?,
            b'b' | b'B' | b'x' | b'X' if self.peek(1) == Some(b'\'') => {
                self.string(1, Escapes::None)?
            }
            b'u' | b'U' if self.peek(1) == Some(b'&') && self.peek(2) == Some(b'\'') => {
                self.string(2, Escapes::Quote)?
            }
            b'u' | b'U' if self.peek(1) == Some(b'&') && self.peek(2) == Some(b'"') => {
                self.quoted_word(2)?;
                Kind::UnicodeWord
            }
            _ if starts_word(byte) => {
                self.take_while(continues_word);
                Kind::Word
            }
            b'\'' => self.string(0, Escapes::Quote)?,
            b'"' => {
                self.quoted_word(0)?;
                Kind::QuotedWord
            }
            b'$' => self.dollar()?,
            b'0'..=b'9' => self.number(),
            b'.' if self.peek(1).is_some_and(|next| next.is_ascii_digit()) => self.number(),
            b':' if self.peek(1) == Some(b':') => {
                self.at += 2;
                Kind::Typecast
            }
            b':' if self.peek(1) == Some(b'=') => {
                self.at += 2;
                Kind::Assign
            }
            b'(' | b')' | b'[' | b']' | b',' | b';' | b'.' | b':' => {
                self.at += 1;
                Kind::Punctuation(byte)
            }
            b'\\' => {
                self.take_while(|byte| byte != b'\n');
                Kind::PsqlCommand
            }
            _ if is_operator(byte) => {
                self.operator();
                Kind::Operator
            }
            _ => return Err(self.error("a character that SQL does not know")),
        };
        Ok(Some(Token {
            kind,
            start,
            end: self.at,
        }))
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    fn error(&self, what: &'static str) -> LexError {
        LexError { at: self.at, what }
    }

    fn take_while(&mut self, belongs: impl Fn(u8) -> bool) {
        while self.peek(0).is_some_and(&belongs) {
            self.at += 1;
        }
    }

    fn skip_blank(&mut self) -> Result<(), LexError> {
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c), _) => self.at += 1,
                (Some(b'-'), Some(b'-')) => {
                    self.take_while(|byte| byte != b'\n' && byte != b'\r');
                }
                (Some(b'/'), Some(b'*')) => self.block_comment()?,
                _ => return Ok(()),
            }
        }
    }

    fn block_comment(&mut self) -> Result<(), LexError> {
        let opened = self.error("a comment that is not closed");
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(b'/'), Some(b'*')) => {
                    depth += 1;
                    self.at += 2;
                }
                (Some(b'*'), Some(b'/')) => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                (Some(_), _) => self.at += 1,
                (None, _) => return Err(opened),
            }
        }
    }

    fn string(&mut self, prefix: usize, escapes: Escapes) -> Result<Kind, LexError> {
        let opened = self.error("a string that is not closed");
        self.at += prefix + 1;
        loop {
            match self.peek(0) {
                Some(b'\\') if escapes == Escapes::Backslash => self.at += 2,
                Some(b'\'') if self.peek(1) == Some(b'\'') && escapes != Escapes::None => {
                    self.at += 2;
                }
                Some(b'\'') => {
                    self.at += 1;
                    match self.continuation() {
                        Some(inside) => self.at = inside,
                        None => return Ok(Kind::String),
                    }
                }
                Some(_) => self.at += 1,
                None => return Err(opened),
            }
        }
    }

    /// Behind the next quote, where a string goes on after a line's end: `'a'` above `'b'` is one
    /// string of one kind (`quotecontinue`).
    fn continuation(&self) -> Option<usize> {
        let mut has_newline = false;
        let mut ahead = 0;
        loop {
            match (self.peek(ahead)?, self.peek(ahead + 1)) {
                (b'\n' | b'\r', _) => has_newline = true,
                (b' ' | b'\t' | 0x0b | 0x0c, _) => {}
                (b'-', Some(b'-')) => {
                    while !matches!(self.peek(ahead + 1)?, b'\n' | b'\r') {
                        ahead += 1;
                    }
                }
                (b'\'', _) if has_newline => return Some(self.at + ahead + 1),
                _ => return None,
            }
            ahead += 1;
        }
    }

    fn quoted_word(&mut self, prefix: usize) -> Result<(), LexError> {
        let opened = self.error("a quoted name that is not closed");
        self.at += prefix + 1;
        loop {
            match self.peek(0) {
                Some(b'"') if self.peek(1) == Some(b'"') => self.at += 2,
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(_) => self.at += 1,
                None => return Err(opened),
            }
        }
    }

    /// `$1`, or a dollar-quoted string.
    fn dollar(&mut self) -> Result<Kind, LexError> {
        let opened = self.error("a dollar-quoted string that is not closed");
        if self.peek(1).is_some_and(|next| next.is_ascii_digit()) {
            self.at += 1;
            self.take_while(|byte| byte.is_ascii_digit());
            return Ok(Kind::Parameter);
        }
        let start = self.at;
        self.at += 1;
        if self.peek(0).is_some_and(starts_word) {
            // A tag holds no dollar sign, unlike an identifier.
            self.take_while(|byte| continues_word(byte) && byte != b'$');
        }
        if self.peek(0) != Some(b'$') {
            return Err(LexError {
                at: start,
                what: "a dollar sign that starts neither a parameter nor a string",
            });
        }
        self.at += 1;
        let tag = &self.text[start..self.at];
        let body = &self.text[self.at..];
        let length = body.windows(tag.len()).position(|window| window == tag);
        match length {
            Some(length) => {
                self.at += length + tag.len();
                Ok(Kind::DollarString)
            }
            None => Err(opened),
        }
    }

    /// Digits with at most one point and an exponent. What PostgreSQL would call trailing junk is
    /// taken along.
    fn number(&mut self) -> Kind {
        let (mut previous, mut has_point) = (b'0', false);
        while let Some(byte) = self.peek(0) {
            let is_exponent = matches!(previous, b'e' | b'E');
            let point = byte == b'.' && !has_point && self.peek(1) != Some(b'.');
            let sign = is_exponent && matches!(byte, b'+' | b'-');
            if !(point || sign || byte == b'_' || byte.is_ascii_alphanumeric()) {
                break;
            }
            has_point |= point || is_exponent;
            previous = byte;
            self.at += 1;
        }
        Kind::Number
    }

    /// The longest run of operator characters that holds no comment. At its end, `+` and `-` are
    /// operators of their own unless the run has a character that SQL's own operators have not
    /// (`operator` of `scan.l`).
    fn operator(&mut self) {
        let start = self.at;
        while self.peek(0).is_some_and(is_operator) {
            let comment = matches!(
                (self.peek(0), self.peek(1)),
                (Some(b'-'), Some(b'-')) | (Some(b'/'), Some(b'*'))
            );
            if comment {
                break;
            }
            self.at += 1;
        }
        let run = &self.text[start..self.at];
        if !run.iter().any(|byte| b"~!@#^&|`?%".contains(byte)) {
            let signs = run[1..].iter().rev();
            self.at -= signs.take_while(|byte| b"+-".contains(byte)).count();
        }
    }
}

/// Every byte above ASCII belongs to a word: `ident_start` of `scan.l`.
fn starts_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn continues_word(byte: u8) -> bool {
    starts_word(byte) || byte.is_ascii_digit() || byte == b'$'
}

fn is_operator(byte: u8) -> bool {
    b"~!@#^&|`?+-*/%<>=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<&str> {
        let mut lexer = Lexer::new(text);
        let mut tokens = Vec::new();
        while let Some(token) = lexer.next().unwrap() {
            tokens.push(&text[token.start..token.end]);
        }
        tokens
    }

    fn error(text: &str) -> &'static str {
        let mut lexer = Lexer::new(text);
        loop {
            match lexer.next() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("no error in {text}"),
                Err(error) => return error.what,
            }
        }
    }

    #[test]
    fn strings_end_where_postgresql_ends_them() {
        assert_eq!(tokens(r"'it''s' x"), [r"'it''s'", "x"]);
        assert_eq!(tokens(r"'\' x"), [r"'\'", "x"]);
        assert_eq!(tokens(r"E'\'' x"), [r"E'\''", "x"]);
        assert_eq!(tokens(r"U&'\' x"), [r"U&'\'", "x"]);
        assert_eq!(tokens("E'a' -- '\n'\\'' x"), ["E'a' -- '\n'\\''", "x"]);
        assert_eq!(tokens("'a' 'b'"), ["'a'", "'b'"]);
        assert_eq!(tokens("$$;'$$ x"), ["$$;'$$", "x"]);
        assert_eq!(tokens("$a$ $b$ $a$ x"), ["$a$ $b$ $a$", "x"]);
        assert_eq!(tokens("a$b$c"), ["a$b$c"]);
        assert_eq!(tokens(r#""a""b" x"#), [r#""a""b""#, "x"]);
    }

    #[test]
    fn comments_nest_and_cut_operators() {
        assert_eq!(tokens("a /* b /* c */ d */ e"), ["a", "e"]);
        assert_eq!(tokens("a <>/* x */ b"), ["a", "<>", "b"]);
        assert_eq!(tokens("a -- b\nc"), ["a", "c"]);
        assert_eq!(tokens("1 +-- b\n2"), ["1", "+", "2"]);
    }

    #[test]
    fn signs_at_the_end_of_an_operator_are_their_own() {
        assert_eq!(tokens("a<>-1"), ["a", "<>", "-", "1"]);
        assert_eq!(tokens("a=+-1"), ["a", "=", "+", "-", "1"]);
        assert_eq!(tokens("a!=-1"), ["a", "!=-", "1"]);
        assert_eq!(tokens("a@-1"), ["a", "@-", "1"]);
        assert_eq!(tokens("a-+1 +- b"), ["a", "-", "+", "1", "+", "-", "b"]);
        assert_eq!(tokens("a*-(b)"), ["a", "*", "-", "(", "b", ")"]);
    }

    #[test]
    fn punctuation_stands_alone() {
        assert_eq!(
            tokens("a::b[1].c,($1);"),
            [
                "a", "::", "b", "[", "1", "]", ".", "c", ",", "(", "$1", ")", ";"
            ]
        );
        assert_eq!(
            tokens("a:b := c:::d"),
            ["a", ":", "b", ":=", "c", "::", ":", "d"]
        );
        assert_eq!(tokens("1.5e-3 .5 1..2"), ["1.5e-3", ".5", "1", ".", ".2"]);
    }

    #[test]
    fn what_is_left_open_is_an_error() {
        assert_eq!(error("'a"), "a string that is not closed");
        assert_eq!(error("E'a\\"), "a string that is not closed");
        assert_eq!(error("\"a"), "a quoted name that is not closed");
        assert_eq!(error("/* /* */"), "a comment that is not closed");
        assert_eq!(
            error("$a$ $b$"),
            "a dollar-quoted string that is not closed"
        );
        assert_eq!(error("a \0"), "a character that SQL does not know");
    }

    /// PostgreSQL's own scanner cuts the same words, strings and punctuation.
    #[cfg(feature = "pg-grammar")]
    mod against_postgresql {
        use pg_query::protobuf::Token as Scanned;
        use proptest::prelude::*;

        use super::super::*;

        /// Where tokens other than numbers start; nothing where the text is no SQL.
        fn own(text: &str) -> Option<Vec<usize>> {
            let mut lexer = Lexer::new(text);
            let mut starts = Vec::new();
            while let Some(token) = lexer.next().ok()? {
                if token.kind == Kind::PsqlCommand || text.contains("..") {
                    return None;
                }
                if !matches!(token.kind, Kind::Number | Kind::Parameter) {
                    starts.push(token.start);
                }
            }
            Some(starts)
        }

        fn postgresql_s(text: &str) -> Option<Vec<usize>> {
            let scanned = pg_query::scan(text).ok()?;
            let starts = scanned.tokens.iter().filter_map(|token| {
                let start = usize::try_from(token.start).ok()?;
                let comment = matches!(token.token(), Scanned::SqlComment | Scanned::CComment);
                let other = matches!(
                    token.token(),
                    Scanned::Iconst | Scanned::Fconst | Scanned::Param
                );
                (!comment && !other).then_some(start)
            });
            Some(starts.collect())
        }

        fn soup() -> impl Strategy<Value = String> {
            let pieces = [
                "a", "Tasks", "é", "_x$1", " ", "\n", "\t", "'", "''", "\"", "E'", "e'\\'", "U&'",
                "u&\"", "B'0'", "N'x'", "x'1'", "$$", "$a$", "$1", "--", "/*", "*/", "/", "*", "+",
                "-", "<>", "::", ":=", "(", ")", "[", "]", ",", ";", ".", "1", "1.5", ".5", "1e5",
                "\\", "&", "u", "n", "=", "!", "@", "<",
            ];
            proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..24)
                .prop_map(|pieces| pieces.concat())
        }

        proptest! {
            #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

            #[test]
            fn tokens_start_at_the_same_places(text in soup()) {
                if let (Some(own), Some(theirs)) = (own(&text), postgresql_s(&text)) {
                    prop_assert_eq!(own, theirs);
                }
            }
        }
    }
}
