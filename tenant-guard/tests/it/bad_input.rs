//! What is no statement at all: each is refused with a code, by every way into the guard, takes memory in
//! proportion to its length at most, and leaves nothing behind.

use allocation_counter::{AllocationInfo, measure};
use proptest::prelude::*;
use tenant_guard::{Code, Guard, Policy, StaticSql, highest_param};

use crate::schema::{guard, tenancy};

/// More than the guard's own bookkeeping for a text that it does not read.
const UNREAD: u64 = 4 * 1024;

/// For a text that is read, however short.
const READ: u64 = 32 * 1024;

/// And for each byte of it: tokens, and a tree of small nodes.
const FOR_EACH_BYTE: u64 = 512;

/// The code of the refusal, with what was allocated for it, the refusal itself dropped.
fn refused(guard: &Guard, sql: &str) -> (Code, AllocationInfo) {
    let mut code = None;
    let allocated = measure(|| {
        let refusal = match guard.cached(sql) {
            Ok(guarded) => panic!("{:?} was accepted as {}", start(sql), guarded.text()),
            Err(refusal) => refusal,
        };
        code = Some(refusal.code());
        // As a person sees it: no place may be out of the text.
        drop(refusal.render(sql));
    });
    assert_eq!(
        guard.check(sql).map(drop).unwrap_err().code(),
        code.unwrap()
    );
    assert_eq!(guard.cached_statements(), 0, "{:?} is kept", start(sql));
    (code.unwrap(), allocated)
}

fn start(sql: &str) -> String {
    sql.chars().take(40).collect()
}

fn check(guard: &Guard, sql: &str, expected: Code) {
    // What is made once in a process.
    let _ = guard.check(sql);
    let (code, allocated) = refused(guard, sql);
    assert_eq!(code, expected, "{:?}", start(sql));
    assert_eq!(
        allocated.bytes_current,
        0,
        "{:?} leaves something",
        start(sql)
    );
    let bound = READ + FOR_EACH_BYTE * sql.len() as u64;
    assert!(
        allocated.bytes_max <= bound,
        "{:?} takes {} bytes, more than {bound}",
        start(sql),
        allocated.bytes_max
    );
    assert!(guard.draft(sql).is_err(), "{:?} has a draft", start(sql));
}

#[test]
fn nothing_is_refused() {
    let guard = guard();
    for sql in [
        "",
        " ",
        "\n\t ",
        ";",
        ";;",
        "-- nothing",
        "/* nothing */",
        "/**/;",
    ] {
        check(&guard, sql, Code::NotOneStatement);
    }
}

#[test]
fn garbage_is_refused() {
    let guard = guard();
    for sql in [
        "garbage",
        "SELEC 1",
        "SELECT FROM WHERE",
        "SELECT 'not closed",
        "SELECT \"not closed",
        "SELECT $tag$ not closed",
        "/* not closed",
        "SELECT )",
        "\\d tasks",
        "\u{1}\u{2}\u{3}",
        "\u{1f4a5}",
        "{\"query\": \"SELECT 1\"}",
        "<html></html>",
    ] {
        check(&guard, sql, Code::Syntax);
    }
}

#[test]
fn other_encodings_are_refused() {
    let guard = guard();
    // UTF-16, as it looks to whoever takes it for UTF-8.
    check(&guard, "S\0E\0L\0E\0C\0T\0 \u{0}1\0", Code::Syntax);
    // Full-width letters, and a replacement for what could not be decoded.
    check(
        &guard,
        "\u{ff33}\u{ff25}\u{ff2c}\u{ff25}\u{ff23}\u{ff34} 1",
        Code::Syntax,
    );
    check(&guard, "SELECT 1 \u{fffd}\u{fffd} 2", Code::Syntax);
    assert!(guard.check("\u{feff}SELECT 1").is_err());
}

#[test]
fn a_nul_byte_is_refused_wherever_it_stands() {
    let guard = guard();
    for sql in [
        "\0",
        "SELECT 1\0",
        "\0SELECT 1",
        "SELECT '\0'",
        "SELECT 1 -- \0",
    ] {
        check(&guard, sql, Code::Syntax);
    }
    let long = format!("SELECT 1{}\0", " ".repeat(200_000));
    check(&guard, &long, Code::Syntax);
}

#[test]
fn several_statements_are_refused() {
    let guard = guard();
    for sql in [
        "SELECT 1; SELECT 2",
        "SELECT title FROM tasks; DROP TABLE tasks;",
        "; SELECT 1; SELECT 2",
    ] {
        check(&guard, sql, Code::NotOneStatement);
    }
}

#[test]
fn placeholders_of_other_databases_are_refused() {
    let guard = guard();
    for placeholder in [
        "?", ":id", "%s", "%(id)s", "{id}", "${id}", "#{id}", "$id", "<id>",
    ] {
        let sql = format!("SELECT title FROM tasks WHERE id = {placeholder}");
        check(&guard, &sql, Code::Syntax);
    }
    // To PostgreSQL this is the absolute value of a column.
    let strict = Guard::new(tenancy(), Policy::default().refuse_unknown_columns());
    check(
        &strict,
        "SELECT title FROM tasks WHERE id = @p1",
        Code::NoSuchColumn,
    );
}

#[test]
fn ten_megabytes_are_not_read() {
    const LENGTH: usize = 10 * 1024 * 1024;
    let guard = guard();
    for unit in [
        "(", ")", "SELECT ", "[", "'", "$", "/*", "a", "\u{e4}", "\0", ";",
    ] {
        let sql = unit.repeat(LENGTH / unit.len());
        let (code, allocated) = refused(&guard, &sql);
        assert_eq!(code, Code::TooComplex, "{unit}");
        assert_eq!(allocated.bytes_current, 0, "{unit}");
        assert!(
            allocated.bytes_max <= UNREAD,
            "{unit}: {}",
            allocated.bytes_max
        );
        assert_eq!(
            guard.draft(&sql).unwrap_err().code(),
            Code::TooComplex,
            "{unit}"
        );
    }
}

#[test]
fn what_is_long_takes_memory_in_proportion() {
    const LENGTH: usize = 128 * 1024;
    let guard = guard();
    for unit in [
        "(", ")", "[", "'", "$", "/*", "a.", "- ", "NOT ", "1,", "::int", "{",
    ] {
        let sql = format!("SELECT {}", unit.repeat((LENGTH - 7) / unit.len()));
        let (code, _) = refused(&guard, &sql);
        check(&guard, &sql, code);
    }
}

#[test]
fn a_refused_static_statement_leaves_nothing() {
    static GARBAGE: StaticSql<0> = StaticSql::new("garbage");
    let guard = guard();
    assert_eq!(guard.fixed(&GARBAGE).unwrap_err().code(), Code::Syntax);
    let again = measure(|| assert!(guard.fixed(&GARBAGE).is_err()));
    assert_eq!(again.bytes_current, 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// No panic, and nothing is kept of what is refused.
    #[test]
    fn any_text_is_answered(sql in any::<String>(), pieces in prop::collection::vec(prop::sample::select(PIECES), 0..12)) {
        let guard = guard();
        for sql in [sql, pieces.concat(), pieces.join(" ")] {
            match guard.cached(&sql) {
                Ok(guarded) => prop_assert!(guarded.text().len() >= sql.trim().len() / 2),
                Err(refusal) => {
                    prop_assert!(!refusal.render(&sql).is_empty());
                    if let Some(span) = refusal.span() {
                        prop_assert!(sql.get(span).is_some());
                    }
                }
            }
            let _ = guard.draft(&sql);
            let _ = highest_param(&sql);
        }
    }
}

/// What statements are made of, and what breaks them.
const PIECES: &[&str] = &[
    "SELECT",
    "FROM",
    "tasks",
    "WHERE",
    "id",
    "=",
    "$1",
    "$",
    "'",
    "\"",
    "(",
    ")",
    ",",
    ";",
    "--",
    "/*",
    "*/",
    "$$",
    "E'",
    "U&'",
    "\\",
    "\0",
    "\u{e9}",
    "\u{feff}",
    "?",
    ":x",
    "1",
    ".",
    "*",
    "::",
    "[",
    "]",
    "UNION",
    "WITH",
    "AS",
    "INSERT INTO",
    "VALUES",
    "UPDATE",
    "SET",
    "DELETE",
    "\n",
];
