//! Cutting a file into statements.

use std::ops::Range;

use crate::lexer::{Kind, LexError, Lexer, Token};

/// The bytes of each statement of a text, without semicolons, in order: cut where psql cuts it,
/// so that strings, dollar quotes, nested comments and `BEGIN ATOMIC` bodies stay whole.
///
/// ```
/// let sql = "SELECT ';'; /* ; */ SELECT 2";
/// let statements: Vec<&str> = tenant_guard::split_statements(sql)?
///     .into_iter()
///     .map(|bytes| &sql[bytes])
///     .collect();
/// assert_eq!(statements, ["SELECT ';'", "SELECT 2"]);
/// # Ok::<(), tenant_guard::SplitError>(())
/// ```
///
/// # Errors
/// [`SplitError`] where a string, a quoted name or a comment is not closed, or a character is no
/// part of SQL.
pub fn split_statements(text: &str) -> Result<Vec<Range<usize>>, SplitError> {
    let pieces = split(text)?;
    Ok(pieces
        .iter()
        .filter_map(|piece| Some(piece.tokens.first()?.start..piece.tokens.last()?.end))
        .collect())
}

/// A text that cannot be cut into statements.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text cannot be cut into statements: {what}")]
pub struct SplitError {
    at: usize,
    what: &'static str,
}

impl SplitError {
    /// The byte at which what is wrong begins.
    pub fn at(&self) -> usize {
        self.at
    }
}

impl From<LexError> for SplitError {
    fn from(error: LexError) -> Self {
        Self {
            at: error.at,
            what: error.what,
        }
    }
}

/// One statement of a file: its tokens, without the semicolon, and whether a comment before it
/// says to leave it out.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) tokens: Vec<Token>,
    pub(super) ignored: bool,
}

/// The comment that leaves the next statement out: whoever writes it declares that the statement
/// changes nothing that the guard has to know.
const IGNORE: &str = "-- tenant-guard: ignore";

/// Cuts a text at the semicolons at which psql cuts it: not within parentheses, not within a
/// function's `BEGIN ATOMIC … END`.
pub(super) fn split(text: &str) -> Result<Vec<Piece>, LexError> {
    let mut lexer = Lexer::new(text);
    let mut pieces = Vec::new();
    let mut open = OpenStatement::default();
    let mut end_of_last = 0;
    while let Some(token) = lexer.next()? {
        let first = open.tokens.is_empty();
        let is_end = token.kind == Kind::Punctuation(b';') && open.is_complete();
        if token.kind == Kind::PsqlCommand && !first {
            return Err(LexError {
                at: token.start,
                what: "a psql command within a statement",
            });
        }
        if !is_end {
            open.push(text, token);
        }
        if is_end || token.kind == Kind::PsqlCommand {
            let tokens = std::mem::take(&mut open).tokens;
            if is_end && copies_from_stdin(text, &tokens) {
                lexer.seek(end_of_copy_data(text, token.end));
            }
            pieces.extend(piece(text, end_of_last, tokens));
            end_of_last = token.end;
        }
    }
    pieces.extend(piece(text, end_of_last, open.tokens));
    Ok(pieces)
}

fn piece(text: &str, end_of_last: usize, tokens: Vec<Token>) -> Option<Piece> {
    let gap = text.get(end_of_last..tokens.first()?.start)?;
    let ignored = gap
        .lines()
        .any(|line| line.trim_start().starts_with(IGNORE));
    Some(Piece { tokens, ignored })
}

/// The statement that is being read, with what psql counts to find its end
/// (`src/fe_utils/psqlscan.l`).
#[derive(Default)]
struct OpenStatement {
    tokens: Vec<Token>,
    parentheses: usize,
    blocks: usize,
    makes_routine: bool,
}

impl OpenStatement {
    fn is_complete(&self) -> bool {
        self.parentheses == 0 && self.blocks == 0
    }

    fn push(&mut self, text: &str, token: Token) {
        match token.kind {
            Kind::Punctuation(b'(') => self.parentheses += 1,
            Kind::Punctuation(b')') => self.parentheses = self.parentheses.saturating_sub(1),
            Kind::Word if self.parentheses == 0 => self.word(&text[token.start..token.end]),
            _ => {}
        }
        self.tokens.push(token);
        if self.tokens.len() <= 4 {
            let words: Vec<&str> = self
                .tokens
                .iter()
                .map(|token| &text[token.start..token.end])
                .collect();
            self.makes_routine = makes_routine(&words);
        }
    }

    fn word(&mut self, word: &str) {
        if !self.makes_routine {
            return;
        }
        let opens = word.eq_ignore_ascii_case("begin")
            || (self.blocks > 0 && word.eq_ignore_ascii_case("case"));
        if opens {
            self.blocks += 1;
        } else if word.eq_ignore_ascii_case("end") {
            self.blocks = self.blocks.saturating_sub(1);
        }
    }
}

fn makes_routine(words: &[&str]) -> bool {
    let routine = |word: &str| {
        word.eq_ignore_ascii_case("function") || word.eq_ignore_ascii_case("procedure")
    };
    match words {
        [create, second, rest @ ..] if create.eq_ignore_ascii_case("create") => {
            routine(second)
                || matches!(rest, [replace, kind]
                    if second.eq_ignore_ascii_case("or")
                        && replace.eq_ignore_ascii_case("replace")
                        && routine(kind))
        }
        _ => false,
    }
}

fn copies_from_stdin(text: &str, tokens: &[Token]) -> bool {
    let word = |token: &Token, word: &str| {
        token.kind == Kind::Word && text[token.start..token.end].eq_ignore_ascii_case(word)
    };
    tokens.first().is_some_and(|first| word(first, "copy"))
        && tokens
            .windows(2)
            .any(|pair| word(&pair[0], "from") && word(&pair[1], "stdin"))
}

/// Behind the line `\.` that ends the rows of a `COPY … FROM stdin`; where there is none, there are
/// no rows.
fn end_of_copy_data(text: &str, from: usize) -> usize {
    let mut at = from;
    for line in text[from..].split_inclusive('\n') {
        at += line.len();
        if line.trim_end() == "\\." {
            return at;
        }
    }
    from
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(text: &str) -> Vec<&str> {
        let pieces = split(text).unwrap();
        pieces
            .iter()
            .map(|piece| {
                let (first, last) = (piece.tokens[0], piece.tokens[piece.tokens.len() - 1]);
                &text[first.start..last.end]
            })
            .collect()
    }

    #[test]
    fn semicolons_cut_outside_of_strings_and_parentheses() {
        assert_eq!(
            statements("a ';' b; /* ; */ c; -- ;\n d $$;$$ (e;f);;g"),
            ["a ';' b", "c", "d $$;$$ (e;f)", "g"]
        );
    }

    #[test]
    fn a_routine_s_body_is_one_statement() {
        let body = "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC \
            SELECT CASE WHEN true THEN 1 END; SELECT 2; END";
        assert_eq!(statements(&format!("{body}; SELECT 1")), [body, "SELECT 1"]);
        assert_eq!(
            statements("BEGIN; SELECT 1; END"),
            ["BEGIN", "SELECT 1", "END"]
        );
    }

    #[test]
    fn rows_of_a_copy_are_passed_over() {
        let text = "COPY t (a) FROM stdin;\n1;CREATE TABLE x\n\\.\nSELECT 1;";
        assert_eq!(statements(text), ["COPY t (a) FROM stdin", "SELECT 1"]);
    }

    #[test]
    fn psql_commands_end_with_their_line() {
        assert_eq!(
            statements("\\restrict abc\nSELECT 1;\n\\unrestrict abc\n"),
            ["\\restrict abc", "SELECT 1", "\\unrestrict abc"]
        );
        assert!(split("SELECT 1 \\gexec").is_err());
    }

    #[test]
    fn a_comment_leaves_a_statement_out() {
        let pieces = split("a; -- tenant-guard: ignore (by hand)\n b; c").unwrap();
        let ignored: Vec<bool> = pieces.iter().map(|piece| piece.ignored).collect();
        assert_eq!(ignored, [false, true, false]);
    }
}
