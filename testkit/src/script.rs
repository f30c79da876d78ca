//! Cutting a script into its statements, as psql does.

/// One statement of a script, without the semicolon.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Statement<'a> {
    pub(crate) text: &'a str,
    /// The line in which it starts, counted from 1.
    pub(crate) line: usize,
}

/// The statements of a script; pieces of nothing but blanks and comments are left out.
///
/// Semicolons count where psql counts them: outside of quotes, dollar quotes, comments,
/// parentheses and the `BEGIN ATOMIC … END` of a function. A quote that is never closed makes the
/// rest one statement, which the server then refuses.
pub(crate) fn statements(script: &str) -> Vec<Statement<'_>> {
    let mut statements = Vec::new();
    let mut rest = script;
    let mut line = 1;
    loop {
        let blank = blank(rest);
        line += newlines(&rest[..blank]);
        rest = &rest[blank..];
        if rest.is_empty() {
            return statements;
        }
        let end = statement_end(rest);
        let text = rest[..end].trim_end();
        if !text.is_empty() {
            statements.push(Statement { text, line });
        }
        line += newlines(&rest[..end]);
        rest = rest[end..].strip_prefix(';').unwrap_or_default();
    }
}

/// Whether a statement only has a meaning to Citus: it distributes a table, or creates the
/// extension. A plain server gets its migrations without these.
pub(crate) fn is_for_citus_only(statement: &str) -> bool {
    const FUNCTIONS: [&str; 11] = [
        "alter_distributed_table",
        "citus_add_local_table_to_metadata",
        "citus_schema_distribute",
        "citus_set_coordinator_host",
        "create_distributed_function",
        "create_distributed_table",
        "create_distributed_table_concurrently",
        "create_reference_table",
        "mark_tables_colocated",
        "truncate_local_data_after_distributing_table",
        "update_distributed_table_colocation",
    ];
    let mut words = Words { rest: statement };
    match words
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
        .as_str()
    {
        "select" => {
            let mut name = words.next().unwrap_or_default();
            if words.skip(".") {
                name = words.next().unwrap_or_default();
            }
            FUNCTIONS.iter().any(|f| f.eq_ignore_ascii_case(name)) && words.skip("(")
        }
        "create" => {
            let mut is = |word: &str| {
                let before = words.rest;
                let found = words
                    .next()
                    .is_some_and(|next| next.eq_ignore_ascii_case(word));
                if !found {
                    words.rest = before;
                }
                found
            };
            is("extension") && {
                let _ = is("if") && is("not") && is("exists");
                is("citus") || is("citus_columnar")
            }
        }
        _ => false,
    }
}

/// The words at the start of a statement; a quoted identifier counts without its quotes.
struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a str> {
        self.rest = &self.rest[blank(self.rest)..];
        let quoted = self
            .rest
            .strip_prefix('"')
            .and_then(|rest| rest.split_once('"'));
        if let Some((word, rest)) = quoted {
            self.rest = rest;
            return Some(word);
        }
        let (word, rest) = self.rest.split_at(word_end(self.rest));
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    fn skip(&mut self, mark: &str) -> bool {
        self.rest = &self.rest[blank(self.rest)..];
        let rest = self.rest.strip_prefix(mark);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}

/// Where the semicolon that ends the first statement stands, or the end of the text.
fn statement_end(text: &str) -> usize {
    let mut position = 0;
    let mut parentheses = 0_usize;
    let mut body = Body::default();
    while let Some(next) = text[position..].chars().next() {
        let rest = &text[position..];
        position += match next {
            ';' if parentheses == 0 && !body.is_open() => return position,
            '(' => {
                parentheses += 1;
                1
            }
            ')' => {
                parentheses = parentheses.saturating_sub(1);
                1
            }
            '\'' => quoted_end(rest, '\'', false),
            '"' => quoted_end(rest, '"', false),
            '$' => dollar_quoted_end(rest).unwrap_or(1),
            _ if starts_word(next) => {
                let end = word_end(rest);
                let word = &rest[..end];
                if word.eq_ignore_ascii_case("e") && rest[end..].starts_with('\'') {
                    end + quoted_end(&rest[end..], '\'', true)
                } else {
                    if parentheses == 0 {
                        body.see(word);
                    }
                    end
                }
            }
            _ => blank(rest).max(next.len_utf8()),
        };
    }
    text.len()
}

/// Follows the `BEGIN ATOMIC … END` of `CREATE [OR REPLACE] FUNCTION | PROCEDURE`.
#[derive(Default)]
struct Body {
    words: usize,
    makes_routine: bool,
    create: bool,
    depth: usize,
}

impl Body {
    fn is_open(&self) -> bool {
        self.depth > 0
    }

    fn see(&mut self, word: &str) {
        let is = |name: &str| word.eq_ignore_ascii_case(name);
        match self.words {
            0 => self.create = is("create"),
            1..=3 if self.create => self.makes_routine |= is("function") || is("procedure"),
            _ => {}
        }
        self.words += 1;
        if !self.makes_routine {
            return;
        }
        if is("begin") || (self.depth > 0 && is("case")) {
            self.depth += 1;
        } else if is("end") {
            self.depth = self.depth.saturating_sub(1);
        }
    }
}

/// The length of the blanks and comments at the start.
fn blank(text: &str) -> usize {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        if rest.starts_with("--") {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
        } else if rest.starts_with("/*") {
            rest = &rest[block_comment_end(rest)..];
        } else {
            return text.len() - rest.len();
        }
    }
}

/// Comments of PostgreSQL nest.
fn block_comment_end(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut position = 0;
    while position < text.len() {
        let rest = &text.as_bytes()[position..];
        if rest.starts_with(b"/*") {
            depth += 1;
            position += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            position += 2;
            if depth == 0 {
                return position;
            }
        } else {
            position += 1;
        }
    }
    text.len()
}

/// The length of the literal or identifier that the text starts with. A doubled quote is two
/// literals in a row here, which comes to the same.
fn quoted_end(text: &str, quote: char, backslashes: bool) -> usize {
    let mut escaped = false;
    for (position, c) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' && backslashes {
            escaped = true;
        } else if c == quote {
            // In an escape string, what follows a doubled quote still has backslashes.
            let rest = &text[position + 1..];
            return if backslashes && rest.starts_with(quote) {
                position + 1 + quoted_end(rest, quote, true)
            } else {
                position + 1
            };
        }
    }
    text.len()
}

/// The length of the dollar-quoted string that the text starts with; `None` for a lone `$`.
fn dollar_quoted_end(text: &str) -> Option<usize> {
    let tag_end = 1 + text[1..].find('$')?;
    let tag = &text[1..tag_end];
    if !tag.is_empty() && (!tag.starts_with(starts_word) || word_end(tag) != tag.len()) {
        return None;
    }
    let delimiter = &text[..=tag_end];
    let body = &text[tag_end + 1..];
    let end = body
        .find(delimiter)
        .map_or(body.len(), |end| end + delimiter.len());
    Some(tag_end + 1 + end)
}

fn starts_word(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

/// The length of the identifier at the start. A `$` may stand inside of one, so it is no quote
/// there.
fn word_end(text: &str) -> usize {
    let ends = |c: char| !(starts_word(c) || c.is_ascii_digit() || c == '$');
    if text.starts_with(starts_word) {
        text.find(ends).unwrap_or(text.len())
    } else {
        0
    }
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(script: &str) -> Vec<&str> {
        statements(script)
            .into_iter()
            .map(|statement| statement.text)
            .collect()
    }

    #[test]
    fn statements_and_their_lines() {
        let script = "-- first\nSELECT 1;\n\n  SELECT\n 2 ; ; /* none */ ;\nSELECT 3";
        assert_eq!(
            statements(script),
            [
                Statement {
                    text: "SELECT 1",
                    line: 2
                },
                Statement {
                    text: "SELECT\n 2",
                    line: 4
                },
                Statement {
                    text: "SELECT 3",
                    line: 6
                },
            ]
        );
        assert!(texts("").is_empty());
        assert!(texts(" ; -- only this").is_empty());
    }

    #[test]
    fn semicolons_that_do_not_count() {
        for one in [
            "SELECT 'a;b'",
            "SELECT 'it''s;'",
            r"SELECT E'\';'",
            r"SELECT E'a'';\';'",
            r#"SELECT "a;b""#,
            "SELECT $$;$$",
            "SELECT $tag$ $$;$$ ; $tag$",
            "SELECT 1 /* ; /* ; */ ; */ + 1",
            "SELECT 1 -- ;\n + 1",
            "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)",
            "SELECT ';' AS \u{fc}\u{df};".strip_suffix(';').unwrap(),
            "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; \
             SELECT CASE WHEN true THEN 1 END; END",
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $f$ SELECT 1; $f$",
        ] {
            assert_eq!(texts(one), [one]);
            assert_eq!(texts(&format!("{one};SELECT 2")), [one, "SELECT 2"]);
        }
    }

    #[test]
    fn semicolons_that_do_count() {
        assert_eq!(texts(r"SELECT 'a\';SELECT 2"), [r"SELECT 'a\'", "SELECT 2"]);
        assert_eq!(
            texts("SELECT a$b$ FROM t;SELECT $b$;$b$"),
            ["SELECT a$b$ FROM t", "SELECT $b$;$b$"]
        );
        assert_eq!(texts("SELECT $1;SELECT $2"), ["SELECT $1", "SELECT $2"]);
        assert_eq!(texts("BEGIN;COMMIT;"), ["BEGIN", "COMMIT"]);
        assert_eq!(
            texts("CREATE TABLE begin_log (a int);SELECT 1"),
            ["CREATE TABLE begin_log (a int)", "SELECT 1"]
        );
    }

    #[test]
    fn an_open_quote_takes_the_rest() {
        assert_eq!(texts("SELECT 'a; SELECT 2"), ["SELECT 'a; SELECT 2"]);
        assert_eq!(texts("SELECT $x$ a; SELECT 2"), ["SELECT $x$ a; SELECT 2"]);
        assert_eq!(
            texts("SELECT 1 /* a; SELECT 2"),
            ["SELECT 1 /* a; SELECT 2"]
        );
    }

    #[test]
    fn what_only_citus_understands() {
        for sql in [
            "SELECT create_distributed_table('t', 'tenant_id')",
            "select /* now */ pg_catalog . Create_Reference_Table ('t')",
            "SELECT \"create_distributed_table\"('t', 'tenant_id', colocate_with => 'u')",
            "CREATE EXTENSION citus",
            "create extension if not exists citus with schema pg_catalog",
        ] {
            assert!(is_for_citus_only(sql), "{sql}");
        }
        for sql in [
            "SELECT create_distributed_table FROM t",
            "SELECT count(*) FROM create_distributed_table",
            "CREATE EXTENSION pgcrypto",
            "CREATE TABLE citus (a int)",
            "INSERT INTO t SELECT create_distributed_table('t', 'a')",
            "SELECT",
        ] {
            assert!(!is_for_citus_only(sql), "{sql}");
        }
    }
}
