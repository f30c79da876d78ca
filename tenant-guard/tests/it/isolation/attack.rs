//! Statements that someone has tampered with: what is accepted of them has to keep the law as well.

use pg_query::protobuf::{ScanToken, Token};

use super::data::{TENANTS, tenant_literal};
use super::schema::{Schema, quoted};
use super::statement::Statement;
use super::tape::Tape;

/// The names of things that are no tenant's business.
const STRANGE_NAMES: &[&str] = &[
    "pg_class",
    "pg_stats",
    "pg_catalog.pg_stat_activity",
    "information_schema.columns",
    "archive.tasks",
    "pg_temp.tasks",
    "ctid",
    "tableoid",
    "query_to_xml",
    "pg_read_file",
    "set_config",
    "current_setting",
    "pg_sleep",
    "nextval",
    "session_user",
];

const COMMENTS: &[&str] = &[
    "/**/",
    "/* ; */",
    "/* /* */ */",
    "-- x\n",
    "/* ' */",
    "--'\n",
    "/*$x$*/",
];

const CASTS: &[&str] = &[
    "::text",
    "::regclass",
    "::oid",
    "::integer",
    "::record",
    "::bigint[]",
];

/// The statement after one to three mutations.
pub(crate) fn tampered(
    schema: &Schema,
    statement: &Statement,
    other: &str,
    tape: &[u8],
) -> Statement {
    let mut attack = Attack {
        schema,
        tape: Tape::new(tape),
    };
    let mut sql = statement.sql.clone();
    for _ in 0..=attack.tape.choose(3) {
        sql = attack.mutate(&sql, other);
    }
    Statement {
        sql,
        params: statement.params.clone(),
        ordered: false,
        tampered: true,
        productions: attack.tape.into_productions(),
    }
}

struct Attack<'s, 't> {
    schema: &'s Schema,
    tape: Tape<'t>,
}

impl Attack<'_, '_> {
    #[expect(clippy::too_many_lines, reason = "one arm a production, each short")]
    fn mutate(&mut self, sql: &str, other: &str) -> String {
        let Ok(scanned) = pg_query::scan(sql) else {
            return sql.to_owned();
        };
        let tokens = scanned.tokens;
        if tokens.is_empty() {
            return sql.to_owned();
        }
        match self.tape.production(&[
            "attack.none",
            "attack.other_tenant",
            "attack.or_true",
            "attack.predicate",
            "attack.comment",
            "attack.respell",
            "attack.cast",
            "attack.shadow",
            "attack.wrap",
            "attack.swap",
            "attack.drop",
            "attack.parentheses",
            "attack.append",
            "attack.strange_name",
            "attack.crossover",
            "attack.repeat",
            "attack.set_operation",
        ]) {
            "attack.other_tenant" => {
                let constant =
                    |token: &ScanToken| matches!(token.token(), Token::Iconst | Token::Sconst);
                let tenant = self.tenant();
                self.replace(sql, &tokens, constant, &tenant)
            }
            "attack.or_true" => {
                let what =
                    self.tape
                        .pick(&[" OR true ", " AND true ", " OR 1 = 1 -- ", " IS NOT NULL "]);
                self.insert(sql, &tokens, what)
            }
            "attack.predicate" => {
                let operator = self.tape.pick(&[" OR ", " AND ", " WHERE ", " AND NOT "]);
                let column = quoted(&self.schema.tenant_column);
                let tenant = self.tenant();
                self.insert(sql, &tokens, &format!("{operator}{column} = {tenant} "))
            }
            "attack.comment" => {
                let comment = self.tape.pick(COMMENTS);
                self.insert(sql, &tokens, comment)
            }
            "attack.respell" => self.respell(sql, &tokens),
            "attack.cast" => {
                let cast = self.tape.pick(CASTS);
                self.insert(sql, &tokens, cast)
            }
            "attack.shadow" => self.shadow(sql),
            "attack.wrap" => {
                let (before, after) = [
                    ("WITH z AS (", ") SELECT * FROM z"),
                    ("SELECT * FROM (", ") AS z"),
                    ("WITH RECURSIVE z AS MATERIALIZED (", ") TABLE z"),
                    ("SELECT EXISTS (", ")"),
                    ("SELECT ARRAY(", ")"),
                    ("EXPLAIN ANALYZE ", ""),
                    ("(", ")"),
                ][self.tape.choose(7)];
                format!("{before}{sql}{after}")
            }
            "attack.swap" => self.swap(sql, &tokens),
            "attack.drop" => self.replace(sql, &tokens, |_| true, " "),
            "attack.parentheses" => {
                let parenthesis =
                    |token: &ScanToken| matches!(token.token(), Token::Ascii40 | Token::Ascii41);
                self.replace(sql, &tokens, parenthesis, " ")
            }
            "attack.append" => {
                let table = self.table();
                let what = self.tape.pick(&[
                    "; DELETE FROM ",
                    " UNION ALL TABLE ",
                    ", ",
                    " -- ",
                    " CROSS JOIN ",
                ]);
                format!("{sql}{what}{table}")
            }
            "attack.strange_name" => {
                let name = self.tape.pick(STRANGE_NAMES);
                self.replace(sql, &tokens, is_name, name)
            }
            "attack.crossover" => self.crossover(sql, &tokens, other),
            "attack.repeat" => {
                let token = &tokens[self.tape.choose(tokens.len())];
                let word = format!(" {} ", text_of(sql, token));
                self.insert(sql, &tokens, &word)
            }
            "attack.set_operation" => {
                let operator = self
                    .tape
                    .pick(&["UNION ALL", "EXCEPT", "INTERSECT", "UNION"]);
                format!("{sql} {operator} {other}")
            }
            _ => sql.to_owned(),
        }
    }

    fn tenant(&mut self) -> String {
        let tenant = self.tape.choose(TENANTS);
        tenant_literal(self.schema.tenant_kind, tenant)
    }

    fn table(&mut self) -> String {
        let tables = &self.schema.tables;
        quoted(&tables[self.tape.choose(tables.len())].name)
    }

    /// Puts something between two tokens.
    fn insert(&mut self, sql: &str, tokens: &[ScanToken], what: &str) -> String {
        let end = position(tokens[self.tape.choose(tokens.len())].end);
        format!("{}{what}{}", &sql[..end], &sql[end..])
    }

    fn replace(
        &mut self,
        sql: &str,
        tokens: &[ScanToken],
        fits: impl Fn(&ScanToken) -> bool,
        with: &str,
    ) -> String {
        let fitting: Vec<&ScanToken> = tokens.iter().filter(|token| fits(token)).collect();
        match fitting.get(self.tape.choose(fitting.len())) {
            Some(token) => format!(
                "{}{with}{}",
                &sql[..position(token.start)],
                &sql[position(token.end)..]
            ),
            None => sql.to_owned(),
        }
    }

    /// The same name, or nearly, in other letters.
    fn respell(&mut self, sql: &str, tokens: &[ScanToken]) -> String {
        let names: Vec<&ScanToken> = tokens.iter().filter(|token| is_name(token)).collect();
        let Some(token) = names.get(self.tape.choose(names.len())) else {
            return sql.to_owned();
        };
        let name = text_of(sql, token);
        let bare = name.trim_matches('"');
        let spelled = match self.tape.choose(7) {
            0 => format!("\"{bare}\""),
            1 => name.to_uppercase(),
            2 => format!(
                "U&\"\\{:04x}{}\"",
                bare.chars().next().map_or(0, u32::from),
                skip_first(bare)
            ),
            3 => name.replace('k', "\u{212A}"),
            4 => format!("\"{}\"", bare.to_uppercase()),
            5 => format!("{name}\u{200B}"),
            _ => format!("public.{name}"),
        };
        format!(
            "{}{spelled}{}",
            &sql[..position(token.start)],
            &sql[position(token.end)..]
        )
    }

    fn swap(&mut self, sql: &str, tokens: &[ScanToken]) -> String {
        let names: Vec<&ScanToken> = tokens.iter().filter(|token| is_name(token)).collect();
        if names.len() < 2 {
            return sql.to_owned();
        }
        let (one, two) = (self.tape.choose(names.len()), self.tape.choose(names.len()));
        let (first, second) = (names[one.min(two)], names[one.max(two)]);
        if first.start == second.start {
            return sql.to_owned();
        }
        format!(
            "{}{}{}{}{}",
            &sql[..position(first.start)],
            text_of(sql, second),
            &sql[position(first.end)..position(second.start)],
            text_of(sql, first),
            &sql[position(second.end)..]
        )
    }

    /// A `WITH` query called like a table, which reads the table or not.
    fn shadow(&mut self, sql: &str) -> String {
        let (name, table) = (self.table(), self.table());
        let query = match self.tape.choose(3) {
            0 => format!("{name} AS (SELECT * FROM {table})"),
            1 => format!("{name} AS (SELECT * FROM {name})"),
            _ => format!("{name} AS (VALUES (1))"),
        };
        match sql.strip_prefix("WITH ") {
            Some(rest) if self.tape.one_in(2) => format!("WITH {query}, {rest}"),
            _ => format!("WITH {query} {sql}"),
        }
    }

    /// A few tokens are replaced by a few of another statement.
    fn crossover(&mut self, sql: &str, tokens: &[ScanToken], other: &str) -> String {
        let Ok(scanned) = pg_query::scan(other) else {
            return sql.to_owned();
        };
        let theirs = scanned.tokens;
        if theirs.is_empty() {
            return sql.to_owned();
        }
        let from = self.tape.choose(theirs.len());
        let to = (from + self.tape.choose(8)).min(theirs.len() - 1);
        let piece = &other[position(theirs[from].start)..position(theirs[to].end)];
        let first = self.tape.choose(tokens.len());
        let last = (first + self.tape.choose(8)).min(tokens.len() - 1);
        format!(
            "{} {piece} {}",
            &sql[..position(tokens[first].start)],
            &sql[position(tokens[last].end)..]
        )
    }
}

fn is_name(token: &ScanToken) -> bool {
    matches!(token.token(), Token::Ident | Token::Uident)
}

fn text_of<'s>(sql: &'s str, token: &ScanToken) -> &'s str {
    &sql[position(token.start)..position(token.end)]
}

fn position(byte: i32) -> usize {
    usize::try_from(byte).expect("a position")
}

fn skip_first(text: &str) -> &str {
    let mut chars = text.chars();
    chars.next();
    chars.as_str()
}
