//! Calls of functions with constant arguments: `f('a', x => 1)`.

use super::super::Ident;
use super::cursor::Cursor;
use super::error::MigrationProblem as Problem;
use super::literal;
use crate::lexer::Kind;

/// One call.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) function: Ident,
    arguments: Vec<(Option<Ident>, Value)>,
}

/// A constant argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    String(String),
    Number(String),
    Bool(bool),
    Null,
}

/// Reads `SELECT call [AS alias], …` or `SELECT * FROM call`, from behind `SELECT`. `None` where
/// the statement has another shape or an argument is no constant.
pub(super) fn calls(mut at: Cursor<'_>) -> Result<Option<Vec<Call>>, Problem> {
    if at.peek().is_some_and(|token| at.slice(token) == "*") {
        at.next();
    }
    at.eat("FROM");
    let mut calls = Vec::new();
    for item in at.list() {
        match call(item)? {
            Some(call) => calls.push(call),
            None => return Ok(None),
        }
    }
    Ok(Some(calls))
}

fn call(mut at: Cursor<'_>) -> Result<Option<Call>, Problem> {
    let Ok(name) = at.name() else {
        return Ok(None);
    };
    let Some(group) = at.group() else {
        return Ok(None);
    };
    let has_alias = at.eat("AS") || !at.is_at_end();
    if (has_alias && at.ident().is_err()) || !at.is_at_end() {
        return Ok(None);
    }
    let mut arguments = Vec::new();
    for item in group.list() {
        match argument(item)? {
            Some(argument) => arguments.push(argument),
            None => return Ok(None),
        }
    }
    Ok(Some(Call {
        function: name.name,
        arguments,
    }))
}

/// `[name {=> | :=}] constant [::type]`
fn argument(mut at: Cursor<'_>) -> Result<Option<(Option<Ident>, Value)>, Problem> {
    let mut named = at;
    let name = match named.ident() {
        Ok(name)
            if named
                .peek()
                .is_some_and(|token| matches!(named.slice(token), "=>" | ":=")) =>
        {
            named.next();
            at = named;
            Some(name)
        }
        _ => None,
    };
    let Some(token) = at.next() else {
        return Ok(None);
    };
    let written = at.slice(token);
    let value = match token.kind {
        Kind::String | Kind::DollarString => Value::String(literal::plain_string(written)?),
        Kind::Number => Value::Number(written.to_owned()),
        Kind::Word if written.eq_ignore_ascii_case("true") => Value::Bool(true),
        Kind::Word if written.eq_ignore_ascii_case("false") => Value::Bool(false),
        Kind::Word if written.eq_ignore_ascii_case("null") => Value::Null,
        _ => return Ok(None),
    };
    if at.peek().is_some_and(|token| token.kind == Kind::Typecast) {
        at.next();
        at.name()?;
    }
    Ok(at.is_at_end().then_some((name, value)))
}

impl Call {
    /// The argument of this name, or at this place; `NULL` is as good as none.
    pub(super) fn argument(&self, place: usize, name: &str) -> Option<&Value> {
        let by_name = self
            .arguments
            .iter()
            .find(|(given, _)| given.as_ref().is_some_and(|given| given.as_str() == name));
        let by_place = self
            .arguments
            .get(place)
            .filter(|(given, _)| given.is_none());
        by_name
            .or(by_place)
            .map(|(_, value)| value)
            .filter(|value| **value != Value::Null)
    }

    pub(super) fn string(&self, place: usize, name: &str) -> Result<Option<&str>, Problem> {
        match self.argument(place, name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.misused(name)),
        }
    }

    pub(super) fn number(&self, place: usize, name: &str) -> Result<Option<u32>, Problem> {
        match self.argument(place, name) {
            None => Ok(None),
            Some(Value::Number(digits) | Value::String(digits)) => match digits.parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(self.misused(name)),
            },
            Some(_) => Err(self.misused(name)),
        }
    }

    pub(super) fn is_true(&self, place: usize, name: &str) -> bool {
        match self.argument(place, name) {
            Some(Value::Bool(value)) => *value,
            Some(Value::String(text)) => matches!(text.as_str(), "t" | "true" | "on" | "1"),
            _ => false,
        }
    }

    fn misused(&self, name: &str) -> Problem {
        Problem::Unread {
            what: format!("argument {name} of {} is of another type", self.function),
        }
    }
}

/// The functions that a text calls: names before a parenthesis that are no keywords there.
pub(super) fn called_functions(text: Cursor<'_>) -> Vec<Ident> {
    let mut functions = Vec::new();
    let mut at = text;
    let mut after_alias = false;
    while let Some(token) = at.peek() {
        let is_name = matches!(token.kind, Kind::Word | Kind::QuotedWord);
        let keyword = token.kind == Kind::Word
            && KEYWORDS
                .iter()
                .any(|word| at.slice(token).eq_ignore_ascii_case(word));
        let alias = std::mem::replace(
            &mut after_alias,
            token.kind == Kind::Punctuation(b')') || at.sees("AS"),
        );
        if !is_name {
            at.next();
            continue;
        }
        let name = at.ident();
        if let Ok(name) = name
            && at.sees_punctuation(b'(')
            && !keyword
            && !alias
        {
            functions.push(name);
        }
    }
    functions
}

/// Keywords that a parenthesis may follow without being called.
const KEYWORDS: &[&str] = &[
    "all",
    "and",
    "any",
    "array",
    "as",
    "between",
    "bit",
    "by",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "cube",
    "dec",
    "decimal",
    "distinct",
    "else",
    "except",
    "exists",
    "filter",
    "float",
    "from",
    "greatest",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "intersect",
    "interval",
    "into",
    "is",
    "join",
    "lateral",
    "least",
    "like",
    "limit",
    "materialized",
    "not",
    "nullif",
    "numeric",
    "offset",
    "on",
    "or",
    "order",
    "over",
    "partition",
    "recursive",
    "returning",
    "rollup",
    "row",
    "select",
    "set",
    "sets",
    "some",
    "table",
    "then",
    "time",
    "timestamp",
    "to",
    "treat",
    "union",
    "using",
    "values",
    "varchar",
    "varying",
    "when",
    "where",
    "window",
    "with",
    "within",
];

#[cfg(test)]
mod tests {
    use super::super::split::split;
    use super::*;

    fn read(text: &str) -> Option<Vec<Call>> {
        let pieces = split(text).unwrap();
        let mut cursor = Cursor::new(text, &pieces[0].tokens);
        assert!(cursor.eat("SELECT"));
        calls(cursor).unwrap()
    }

    #[test]
    fn arguments_by_place_and_by_name() {
        let calls = read(
            "SELECT create_distributed_table('public.\"T\"'::regclass, 'tenant_id', \
             colocate_with => 'none', shard_count := 8) AS done, pg_catalog.f(NULL, true)",
        )
        .unwrap();
        let call = &calls[0];
        assert_eq!(call.function.as_str(), "create_distributed_table");
        assert_eq!(call.string(0, "table_name").unwrap(), Some("public.\"T\""));
        assert_eq!(call.string(3, "colocate_with").unwrap(), Some("none"));
        assert_eq!(call.string(2, "distribution_type").unwrap(), None);
        assert_eq!(call.number(4, "shard_count").unwrap(), Some(8));
        assert_eq!(calls[1].argument(0, "a"), None);
        assert!(calls[1].is_true(1, "b"));
    }

    #[test]
    fn other_shapes_are_no_calls() {
        for text in [
            "SELECT f(x) FROM t",
            "SELECT f('a' || 'b')",
            "SELECT f('a') FROM t",
            "SELECT 1",
            "SELECT f('a') + 1",
            "SELECT f(VARIADIC 'a')",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert!(read("SELECT * FROM f('a')").is_some());
    }

    #[test]
    fn called_functions_are_found() {
        let text = "SELECT setval('s', (SELECT coalesce(max(id), 1) FROM t WHERE a IN (1))), \
            \"F\"(1) FROM (VALUES (1)) AS v(x), app.g(2)";
        let pieces = split(text).unwrap();
        let names = called_functions(Cursor::new(text, &pieces[0].tokens));
        let names: Vec<&str> = names.iter().map(Ident::as_str).collect();
        assert_eq!(names, ["setval", "max", "F", "g"]);
    }
}
