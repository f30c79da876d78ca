//! Reading the definition of a column with `sqlparser`.
//!
//! `sqlparser` reads a name and a type; what follows them is read by its keywords, which
//! PostgreSQL reserves. Its hazards are closed: comments are blanked, constants are not unescaped,
//! its tokens have to lie where PostgreSQL's lie, and all of them have to be used up.

use sqlparser::ast::{ColumnDef, DataType, Ident as ParsedIdent, Statement};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::{Parser, ParserOptions};
use sqlparser::tokenizer::{Location, Token as ParsedToken, Tokenizer};

use super::super::Ident;
use super::cursor::Cursor;
use super::error::MigrationProblem as Problem;
use crate::lexer::{Kind, Token, fold, truncate};

/// A column with the keys that stand in its definition.
#[derive(Debug)]
pub(super) struct ColumnDefinition {
    pub(super) name: Ident,
    /// Its type as `sqlparser` prints it.
    pub(super) data_type: String,
    pub(super) collation: Option<String>,
    pub(super) keys: Vec<InlineKey>,
}

/// `PRIMARY KEY` or `UNIQUE` behind a column.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct InlineKey {
    pub(super) name: Option<Ident>,
    pub(super) primary: bool,
}

/// The keywords that end a column's type (`ColQualList`, `src/backend/parser/gram.y`).
const AFTER_TYPE: &[&str] = &[
    "COLLATE",
    "CONSTRAINT",
    "NOT",
    "NULL",
    "DEFAULT",
    "UNIQUE",
    "PRIMARY",
    "CHECK",
    "REFERENCES",
    "GENERATED",
    "STORAGE",
    "COMPRESSION",
    "DEFERRABLE",
    "INITIALLY",
    "USING",
    "OPTIONS",
];

/// Reads `name type [COLLATE c] [constraints]`.
pub(super) fn column(definition: Cursor<'_>) -> Result<ColumnDefinition, Problem> {
    let mut tail = definition;
    tail.next();
    let mut head = 1;
    while !tail.is_at_end() && !AFTER_TYPE.iter().any(|word| tail.sees(word)) {
        tail.next();
        head += 1;
    }
    let head = definition.tokens().get(..head).unwrap_or_default();
    let parsed = name_and_type(Cursor::new(definition.text(), head))?;
    if !parsed.options.is_empty() {
        return Err(Problem::misread("a column's definition", tail));
    }
    if parsed.data_type == DataType::Unspecified {
        return Err(Problem::misread("a column without a type", tail));
    }
    let mut after_type = tail;
    let collation = after_type
        .eat("COLLATE")
        .then(|| after_type.name())
        .transpose()?;
    Ok(ColumnDefinition {
        name: stored(&parsed.name)?,
        data_type: parsed.data_type.to_string(),
        collation: collation.map(|name| name.to_string()),
        keys: inline_keys(tail)?,
    })
}

/// The type alone, as in `ALTER COLUMN … TYPE t`.
pub(super) fn data_type(written: Cursor<'_>) -> Result<String, Problem> {
    let end = written
        .tokens()
        .iter()
        .position(|token| {
            token.kind == Kind::Word
                && AFTER_TYPE
                    .iter()
                    .any(|word| written.slice(*token).eq_ignore_ascii_case(word))
        })
        .unwrap_or(written.tokens().len());
    let head = written.tokens().get(..end).unwrap_or_default();
    let blanked = blank(Cursor::new(written.text(), head));
    Ok(parse(&format!("column_ {blanked}"))?.data_type.to_string())
}

/// Finds `[CONSTRAINT name] {UNIQUE | PRIMARY KEY}`. All three keywords are reserved, so outside of
/// parentheses they are nothing else, unless they follow a dot.
pub(super) fn inline_keys(tail: Cursor<'_>) -> Result<Vec<InlineKey>, Problem> {
    let mut keys = Vec::new();
    let mut name = None;
    let mut at = tail;
    while let Some(token) = at.peek() {
        if at.eat("CONSTRAINT") {
            name = Some(at.ident()?);
        } else if at.eat("PRIMARY KEY") {
            keys.push(InlineKey {
                name: name.take(),
                primary: true,
            });
        } else if at.eat("UNIQUE") {
            keys.push(InlineKey {
                name: name.take(),
                primary: false,
            });
        } else {
            name = None;
            match token.kind {
                Kind::Punctuation(b'(') => {
                    at.group();
                }
                Kind::Punctuation(b'.') => {
                    at.next();
                    at.next();
                }
                _ => {
                    at.next();
                }
            }
        }
    }
    Ok(keys)
}

fn name_and_type(head: Cursor<'_>) -> Result<ColumnDef, Problem> {
    parse(&blank(head))
}

/// Reads one column's name and type, given without comments.
fn parse(column: &str) -> Result<ColumnDef, Problem> {
    let text = format!("CREATE TABLE table_ ({column})");
    let unread = |what: String| Problem::Unread {
        what: format!("a column's name and type could not be read ({what})"),
    };
    let dialect = PostgreSqlDialect {};
    let tokens = Tokenizer::new(&dialect, &text)
        .with_unescape(false)
        .tokenize_with_location()
        .map_err(|error| unread(error.message))?;
    if lies_otherwise(&text, &tokens)? {
        return Err(unread("two lexers disagree about it".to_owned()));
    }
    let mut parser = Parser::new(&dialect)
        .with_options(ParserOptions::new().with_unescape(false))
        .with_tokens_with_locations(tokens);
    let statement = parser
        .parse_statement()
        .map_err(|_| unread("sqlparser does not know it".to_owned()))?;
    if parser.peek_token().token != ParsedToken::EOF {
        return Err(unread("sqlparser reads only a part of it".to_owned()));
    }
    let Statement::CreateTable(mut table) = statement else {
        return Err(unread("it is no column".to_owned()));
    };
    match (table.columns.pop(), table.columns.pop()) {
        (Some(column), None) if table.constraints.is_empty() => Ok(column),
        _ => Err(unread("it is no column".to_owned())),
    }
}

/// Whether words, strings, parentheses and commas start elsewhere for `sqlparser` than for
/// PostgreSQL. Numbers and operators are left out: they are cut differently, and cannot hide any of
/// the others.
fn lies_otherwise(
    text: &str,
    parsed: &[sqlparser::tokenizer::TokenWithSpan],
) -> Result<bool, Problem> {
    let mut own = Vec::new();
    let mut lexer = crate::lexer::Lexer::new(text);
    while let Some(token) = lexer.next()? {
        if counts(token) {
            own.push(location(text, token.start));
        }
    }
    let theirs = parsed
        .iter()
        .filter(|token| counts_for_sqlparser(&token.token))
        .map(|token| token.span.start);
    Ok(!own.into_iter().eq(theirs))
}

fn counts(token: Token) -> bool {
    !matches!(
        token.kind,
        Kind::Number
            | Kind::Parameter
            | Kind::Operator
            | Kind::Typecast
            | Kind::Assign
            | Kind::Punctuation(b':')
    )
}

fn counts_for_sqlparser(token: &ParsedToken) -> bool {
    matches!(
        token,
        ParsedToken::Word(_)
            | ParsedToken::SingleQuotedString(_)
            | ParsedToken::DoubleQuotedString(_)
            | ParsedToken::DollarQuotedString(_)
            | ParsedToken::NationalStringLiteral(_)
            | ParsedToken::EscapedStringLiteral(_)
            | ParsedToken::UnicodeStringLiteral(_)
            | ParsedToken::HexStringLiteral(_)
            | ParsedToken::SingleQuotedByteStringLiteral(_)
            | ParsedToken::LParen
            | ParsedToken::RParen
            | ParsedToken::LBracket
            | ParsedToken::RBracket
            | ParsedToken::Comma
            | ParsedToken::SemiColon
            | ParsedToken::Period
    )
}

fn location(text: &str, at: usize) -> Location {
    let before = &text[..at];
    let line = before.matches('\n').count() as u64 + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Location::new(line, before[start..].chars().count() as u64 + 1)
}

/// The tokens with single blanks between them where there was anything.
fn blank(cursor: Cursor<'_>) -> String {
    let mut text = String::new();
    let mut end_of_last = None;
    for token in cursor.tokens() {
        if end_of_last.is_some_and(|end| end < token.start) {
            text.push(' ');
        }
        text.push_str(cursor.slice(*token));
        end_of_last = Some(token.end);
    }
    text
}

fn stored(name: &ParsedIdent) -> Result<Ident, Problem> {
    match name.quote_style {
        None => Ok(fold(&name.value)),
        // Read without unescaping: a doubled quote is still doubled.
        Some('"') => Ok(Ident::new(truncate(name.value.replace("\"\"", "\"")))),
        Some(_) => Err(Problem::Unread {
            what: "a name in foreign quotes".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::split::split;
    use super::*;

    fn read(text: &str) -> Result<ColumnDefinition, Problem> {
        let pieces = split(text).unwrap();
        column(Cursor::new(text, &pieces[0].tokens))
    }

    fn name_and_type(text: &str) -> (String, String) {
        let column = read(text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
        (column.name.to_string(), column.data_type.to_lowercase())
    }

    #[test]
    fn names_and_types_of_many_kinds() {
        let columns = [
            ("Id bigint NOT NULL", "id", "bigint"),
            ("\"Id\" /* x */ int8", "Id", "int8"),
            ("\"a\"\"b\" text", "a\"b", "text"),
            (
                "at timestamp(3) with time zone DEFAULT now()",
                "at",
                "timestamp(3) with time zone",
            ),
            ("at timestamptz(6)", "at", "timestamptz(6)"),
            (
                "n character varying(40) COLLATE \"C\"",
                "n",
                "character varying(40)",
            ),
            ("n numeric(10, 2) DEFAULT 0.0", "n", "numeric(10,2)"),
            (
                "tags text[] NOT NULL DEFAULT '{}'::text[]",
                "tags",
                "text[]",
            ),
            ("p double precision", "p", "double precision"),
            ("s app.status", "s", "app.status"),
            ("s \"Status\" NOT NULL", "s", "\"status\""),
            ("g geometry(Point, 4326)", "g", "geometry(point, 4326)"),
            ("id bigserial PRIMARY KEY", "id", "bigserial"),
            ("c citext STORAGE EXTERNAL", "c", "citext"),
            ("b bit varying(3)", "b", "bit varying(3)"),
            ("i interval", "i", "interval"),
            ("key text", "key", "text"),
            ("type text", "type", "text"),
            ("name name", "name", "name"),
            ("\"order\" int", "order", "int"),
            ("range int4range", "range", "int4range"),
            ("v vector(1536)", "v", "vector(1536)"),
            ("u uuid DEFAULT gen_random_uuid()", "u", "uuid"),
            (
                "x int GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME s)",
                "x",
                "int",
            ),
            ("t time without time zone", "t", "time without time zone"),
        ];
        for (text, name, data_type) in columns {
            let (read_name, read_type) = name_and_type(text);
            assert_eq!(read_name, name, "{text}");
            assert_eq!(
                read_type.replace(", ", ","),
                data_type.replace(", ", ","),
                "{text}"
            );
        }
    }

    #[test]
    fn keys_in_a_column_s_definition() {
        let keys = |text: &str| {
            let keys = read(text).unwrap().keys;
            let spelled = keys.iter().map(|key| {
                let kind = if key.primary { "primary" } else { "unique" };
                let name = key.name.as_ref().map_or("-", Ident::as_str);
                format!("{kind} {name}")
            });
            spelled.collect::<Vec<_>>().join(", ")
        };
        assert_eq!(keys("a int PRIMARY KEY"), "primary -");
        assert_eq!(
            keys("a int CONSTRAINT pk PRIMARY KEY UNIQUE"),
            "primary pk, unique -"
        );
        assert_eq!(
            keys("a int CONSTRAINT nn NOT NULL UNIQUE NULLS NOT DISTINCT"),
            "unique -"
        );
        assert_eq!(
            keys("a text DEFAULT 'UNIQUE' CHECK (a <> 'PRIMARY KEY')"),
            ""
        );
        assert_eq!(
            keys("a int REFERENCES t (\"unique\") ON DELETE SET NULL"),
            ""
        );
        assert_eq!(
            keys("a int DEFAULT (1) /* UNIQUE */ -- PRIMARY KEY\n NOT NULL"),
            ""
        );
    }

    #[test]
    fn what_two_lexers_read_differently_is_refused() {
        assert!(read("U&\"a\" int").is_err());
        assert!(read("a").is_err());
        assert!(
            read("a bpchar('9) x')").is_err()
                || read("a bpchar('9) x')").unwrap().name.as_str() == "a"
        );
        assert!(read("`a` int").is_err());
        assert!(read("[a] int").is_err());
    }
}
