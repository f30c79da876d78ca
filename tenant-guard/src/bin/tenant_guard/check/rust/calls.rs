//! Which calls and macros take SQL, and where.

/// How a call takes its SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Takes {
    /// Which argument.
    pub(crate) argument: usize,
    /// Whether it may hold several statements.
    pub(crate) script: bool,
    /// Whether nothing but SQL is given to a call of this name and shape. Otherwise only a text
    /// that begins as SQL does is SQL.
    pub(crate) certain: bool,
}

const STATEMENT: Takes = Takes {
    argument: 0,
    script: false,
    certain: true,
};
const SCRIPT: Takes = Takes {
    script: true,
    ..STATEMENT
};
const PERHAPS: Takes = Takes {
    script: true,
    certain: false,
    ..STATEMENT
};

/// What a method with this name and number of arguments takes: those of citus-client,
/// tokio-postgres, postgres and deadpool-postgres, and of sqlx' `Executor`.
pub(crate) fn method(name: &str, arguments: usize) -> Option<Takes> {
    match (name, arguments) {
        (
            "query"
            | "query_one"
            | "query_opt"
            | "query_raw"
            | "query_stream"
            | "query_typed"
            | "query_typed_one"
            | "query_typed_opt"
            | "query_typed_raw"
            | "execute"
            | "execute_raw"
            | "execute_typed"
            | "prepare_typed"
            | "prepare_typed_cached",
            2,
        )
        | ("prepare" | "prepare_cached" | "copy_in" | "copy_out", 1) => Some(STATEMENT),
        ("batch_execute" | "simple_query" | "simple_query_raw", 1) => Some(SCRIPT),
        (
            "query" | "query_one" | "query_opt" | "execute" | "execute_many" | "fetch"
            | "fetch_all" | "fetch_many" | "fetch_one" | "fetch_optional" | "guard",
            1,
        ) => Some(PERHAPS),
        _ => None,
    }
}

/// Whether the value of a method is a statement that was checked where it was made.
pub(crate) fn prepares(name: &str) -> bool {
    matches!(
        name,
        "prepare" | "prepare_cached" | "prepare_typed" | "prepare_typed_cached" | "guard"
    )
}

/// What a function takes, by its full path.
pub(crate) fn function(path: &[String]) -> Option<Function> {
    let mut segments = path.iter().map(String::as_str);
    let (krate, last) = (segments.next()?, path.last()?.as_str());
    match (krate, last) {
        (
            "sqlx",
            "query" | "query_as" | "query_scalar" | "query_with" | "query_as_with"
            | "query_scalar_with",
        )
        | ("diesel", "sql_query") => Some(Function::Takes(STATEMENT)),
        ("sqlx", "raw_sql") => Some(Function::Takes(SCRIPT)),
        ("sqlx", "new" | "with_arguments") if path.iter().any(|part| part == "QueryBuilder") => {
            Some(Function::BuildsSql)
        }
        ("diesel", "sql") => Some(Function::BuildsSql),
        _ => None,
    }
}

/// What a function does with SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    /// It takes a statement.
    Takes(Takes),
    /// It takes a part of a statement that is put together at run time.
    BuildsSql,
}

/// What a macro takes, by its name.
pub(crate) fn macro_named(name: &str) -> Option<Macro> {
    let name = name.strip_suffix("_unchecked").unwrap_or(name);
    match name {
        "query" | "query_scalar" | "sql_deferred" => Some(Macro::Statement { argument: 0 }),
        "query_as" => Some(Macro::Statement { argument: 1 }),
        "sql" => Some(Macro::PerhapsStatement),
        "query_file" | "query_file_scalar" | "sql_file" => Some(Macro::File { argument: 0 }),
        "query_file_as" => Some(Macro::File { argument: 1 }),
        _ => None,
    }
}

/// What a macro takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Macro {
    /// A statement as a literal.
    Statement { argument: usize },
    /// A statement, if it looks like one: other crates have a macro of this name.
    PerhapsStatement,
    /// The path of a file that holds a statement, from the crate's folder on.
    File { argument: usize },
}

/// Whether a text begins as each statement of PostgreSQL does: with one of these words or a
/// parenthesis (`src/backend/parser/gram.y`, the rule `stmt`). The server refuses anything else.
pub(crate) fn begins_as_sql(text: &str) -> bool {
    let text = without_comments(text);
    if text.starts_with('(') {
        return true;
    }
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    let word = text[..end].to_ascii_lowercase();
    FIRST_WORDS.binary_search(&word.as_str()).is_ok()
}

/// In order.
const FIRST_WORDS: [&str; 55] = [
    "abort",
    "alter",
    "analyse",
    "analyze",
    "begin",
    "call",
    "checkpoint",
    "close",
    "cluster",
    "comment",
    "commit",
    "copy",
    "create",
    "deallocate",
    "declare",
    "delete",
    "discard",
    "do",
    "drop",
    "end",
    "execute",
    "explain",
    "fetch",
    "grant",
    "import",
    "insert",
    "listen",
    "load",
    "lock",
    "merge",
    "move",
    "notify",
    "prepare",
    "reassign",
    "refresh",
    "reindex",
    "release",
    "repack",
    "reset",
    "revoke",
    "rollback",
    "savepoint",
    "security",
    "select",
    "set",
    "show",
    "start",
    "table",
    "truncate",
    "unlisten",
    "update",
    "vacuum",
    "values",
    "wait",
    "with",
];

/// What follows the space, comments and semicolons at the beginning.
fn without_comments(mut text: &str) -> &str {
    loop {
        text = text.trim_start_matches(|c: char| c.is_whitespace() || c == ';');
        if text.starts_with("--") {
            text = text.split_once('\n').map_or("", |(_, rest)| rest);
        } else if text.starts_with("/*") {
            text = behind_comment(text);
        } else {
            return text;
        }
    }
}

/// Comments nest.
fn behind_comment(text: &str) -> &str {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(found) = text[at..].find(['*', '/']) {
        at += found;
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return &text[at..];
            }
        } else {
            at += 1;
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_begin_with_a_known_word() {
        assert!(FIRST_WORDS.is_sorted());
        for text in [
            "SELECT 1",
            "\n  with x AS (SELECT 1) TABLE x",
            "(SELECT 1)",
            "-- why\n/* and /* how */ */ select 1",
            ";update tasks SET done = true",
            "TABLE tasks",
        ] {
            assert!(begins_as_sql(text), "{text}");
        }
        for text in [
            "",
            "selected",
            "{ users }",
            "a=b",
            "/* SELECT",
            "-- SELECT 1",
            "'SELECT'",
        ] {
            assert!(!begins_as_sql(text), "{text}");
        }
    }

    #[test]
    fn calls_are_known_by_name_and_shape() {
        assert_eq!(method("query", 2), Some(STATEMENT));
        assert_eq!(method("query", 1), Some(PERHAPS));
        assert_eq!(method("query", 3), None);
        assert_eq!(method("batch_execute", 1), Some(SCRIPT));
        let path = |text: &str| -> Vec<String> { text.split("::").map(str::to_owned).collect() };
        let takes = Some(Function::Takes(STATEMENT));
        assert_eq!(function(&path("sqlx::query_as")), takes);
        assert_eq!(function(&path("diesel::sql_query")), takes);
        assert_eq!(
            function(&path("sqlx::QueryBuilder::new")),
            Some(Function::BuildsSql)
        );
        assert_eq!(function(&path("other::query")), None);
        assert_eq!(
            macro_named("query_as_unchecked"),
            Some(Macro::Statement { argument: 1 })
        );
    }
}
