//! The known ways in which sqlparser reads a text otherwise than PostgreSQL. Each is refused, or read
//! as PostgreSQL reads it.

use super::{Verdict, compare};
use crate::schema::guard;

/// Refused although PostgreSQL reads it, or refused by both: never read otherwise.
fn never_misread(statements: &[&str]) {
    let guard = guard();
    for sql in statements {
        let verdict = compare(&guard, sql).unwrap();
        assert_ne!(verdict, Verdict::Same, "{sql}");
        guard.draft(sql).unwrap_err();
    }
}

/// Read by both, to the same end.
fn read_alike(statements: &[&str]) {
    let guard = guard();
    for sql in statements {
        assert_eq!(compare(&guard, sql), Ok(Verdict::Same), "{sql}");
    }
}

#[test]
fn d1_what_follows_an_end_is_not_dropped() {
    never_misread(&[
        "SELECT title END FROM tasks",
        "SELECT 1 END; DELETE FROM tasks",
        "SELECT 1 END UNION ALL SELECT title FROM tasks",
    ]);
}

#[test]
fn d2_a_backslash_is_a_character() {
    read_alike(&[
        r"SELECT title FROM tasks WHERE title = '\'' UNION ALL SELECT title FROM tasks --'",
        r"SELECT title FROM tasks WHERE title = E'\'' OR title = '\'",
    ]);
}

#[test]
fn d3_a_type_s_modifier_is_no_text() {
    // sqlparser prints the modifier without its quotes; nothing here prints.
    read_alike(&[
        "SELECT 'x'::bpchar('9) FROM tasks --')",
        "SELECT title::varchar(9) FROM tasks",
    ]);
    never_misread(&["SELECT 'x'::bpchar(')', title) FROM tasks"]);
}

#[test]
fn d4_a_comment_ends_an_operator() {
    read_alike(&[
        "SELECT title FROM tasks WHERE points <>/* x AND tenant_id = 5 AND title = '*/ 1 --'",
        "SELECT title FROM tasks WHERE points =-- x\n1 OR points = -- y\n2 AND done = -/* */1",
    ]);
}

#[test]
fn d5_only_is_no_table() {
    read_alike(&[
        "SELECT title FROM ONLY tasks",
        "SELECT t.title FROM ONLY (tasks) AS t",
        "UPDATE ONLY tasks SET done = true",
        "DELETE FROM ONLY tasks",
        "DELETE FROM ONLY tasks AS t WHERE t.done",
    ]);
    never_misread(&["SELECT * FROM \"only\" tasks"]);
}

#[test]
fn d6_a_table_is_seen_wherever_it_stands() {
    never_misread(&[
        "SELECT 1 UNION ALL TABLE audit",
        "COPY tasks TO STDOUT",
        "SELECT * INTO copy FROM tasks",
    ]);
}

#[test]
fn d7_quotes_are_not_lost() {
    read_alike(&[
        "SELECT title FROM tasks WHERE title = 'a''''b'",
        r#"SELECT title AS "a""""b" FROM tasks"#,
    ]);
}

#[test]
fn d8_two_signs_are_no_comment() {
    read_alike(&[
        "SELECT - -points FROM tasks WHERE id = - - 1",
        "SELECT id FROM tasks WHERE points = - 1",
    ]);
    never_misread(&["SELECT - --1\n FROM tasks"]);
}

#[test]
fn d9_what_is_cut_otherwise_is_cut_as_postgresql_does() {
    never_misread(&[
        "SELECT 0x42F FROM tasks",
        "SELECT 0b101 FROM tasks",
        "SELECT 1_000 FROM tasks",
        "SELECT 1a FROM tasks",
        "SELECT $1a FROM tasks",
        "SELECT * FROM U&\"t!0061sks\" UESCAPE '!'",
        "SELECT U&'\\061' FROM tasks",
        "SELECT N'x' FROM tasks",
        "SELECT 1 =@ points FROM tasks",
        "SELECT points!=-1 FROM tasks",
        "SELECT count(*) FROM tasks GROUP BY GROUPING SETS (ROLLUP (title))",
        "SELECT\u{a0}1 FROM tasks",
    ]);
    read_alike(&[
        r#"SELECT * FROM U&"t\0061sks""#,
        r"SELECT U&'\0061' FROM tasks",
        "SELECT 'a'\n'b' FROM tasks",
        "SELECT points<>-1 FROM tasks",
        "SELECT id FROM tasks WHERE points NOTNULL",
        "SELECT interval '1' day FROM tasks",
    ]);
}

#[test]
fn what_sqlparser_does_not_know_is_read_all_the_same() {
    read_alike(&[
        "TABLE tasks ORDER BY id LIMIT ALL",
        "SELECT (t).* FROM tasks AS t",
        "SELECT id FROM tasks ORDER BY id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED",
        "SELECT id FROM tasks FOR KEY SHARE",
        "SELECT id FROM tasks WHERE points BETWEEN SYMMETRIC 9 AND 1",
        "SELECT x.n FROM ROWS FROM (generate_series(1, 3), unnest($1::bigint[])) AS x(n, m)",
        "SELECT sum(points) OVER (ORDER BY id ROWS 1 PRECEDING EXCLUDE TIES) FROM tasks",
        "SELECT id FROM tasks WHERE points OPERATOR(pg_catalog.=) 5",
        "INSERT INTO tasks (id, title) SELECT unnest($1::bigint[]), 'x' \
         ON CONFLICT (tenant_id, id) DO NOTHING",
    ]);
    never_misread(&[
        "SELECT rows(1) FROM tasks",
        "SELECT 1 FROM ROWS FROM () AS x",
        "(SELECT id FROM tasks LIMIT ALL) LIMIT 1",
        "SELECT id FROM tasks FOR NO UPDATE",
    ]);
}

#[test]
fn d10_names_are_cut_and_folded_as_postgresql_does() {
    let long = "t".repeat(70);
    let cut = "t".repeat(63);
    read_alike(&[
        &format!("SELECT {cut}.id FROM tasks AS {long}"),
        "SELECT É.id FROM tasks AS É",
        "SELECT T.ID FROM Tasks AS t",
    ]);
    never_misread(&[
        // The Kelvin sign is no k.
        "SELECT * FROM tas\u{212a}s",
        "WITH tas\u{212a}s AS (SELECT 1 AS id) SELECT t\u{e9}.id FROM tas\u{212a}s AS t\u{c9}",
        "SELECT * FROM \"\"",
    ]);
}

#[test]
fn d11_words_of_other_databases_are_names() {
    never_misread(&[
        "UPDATE REPLACE tasks SET done = true",
        "SELECT TOP 1 * FROM tasks",
        "SELECT * FROM tasks QUALIFY true",
        "SELECT * FROM tasks PREWHERE done",
        "SELECT * FROM tasks LATERAL VIEW explode(title) x AS y",
        "SELECT * EXCEPT (id) FROM tasks",
        "SELECT * FROM tasks MINUS SELECT * FROM tasks",
        "SELECT done XOR true FROM tasks",
        "SELECT points = 1 = 2 FROM tasks",
        "SELECT * FROM tasks LIMIT 1, 2",
        "INSERT tasks (id) VALUES (1)",
        "DELETE tasks WHERE done",
        "UPDATE tasks SET done = true LIMIT 1",
        "INSERT INTO tasks (id) VALUES (1) ON DUPLICATE KEY UPDATE id = 2",
        "SELECT * FROM tasks FOR UPDATE OF public.tasks",
    ]);
}

#[test]
fn an_order_of_operators_that_is_not_postgresql_s_is_refused() {
    read_alike(&[
        "SELECT id FROM tasks WHERE tenant_id = 5 AND title IS DISTINCT FROM 'b' OR true",
        "SELECT id FROM tasks WHERE NOT done AND points + 1 * 2 > 3 IS NOT NULL",
        "SELECT id FROM tasks WHERE points BETWEEN 1 AND 2 AND done",
        "SELECT -points::int, -1::int FROM tasks",
    ]);
    never_misread(&[
        "SELECT -points ^ 2 FROM tasks",
        "SELECT -points AT TIME ZONE 'UTC' FROM tasks",
        "SELECT ~points + 1 FROM tasks WHERE points < 1 < 2",
        "SELECT id FROM tasks WHERE EXISTS (DELETE FROM tasks RETURNING id)",
    ]);
}
