//! What a person reads when a statement is refused: code, message, place and help.

use insta::assert_snapshot;

use crate::schema::guard;

fn rendered(sql: &str) -> String {
    guard().check(sql).unwrap_err().render(sql)
}

#[test]
fn an_unknown_table_is_underlined_in_its_line() {
    assert_snapshot!(rendered("SELECT title\n  FROM tasks\n  JOIN invoices USING (id)"), @r"
    TG006: invoices is not a table of this tenancy
      |
    3 |   JOIN invoices USING (id)
      |        ^^^^^^^^
    help: check the spelling; views and tables made outside the migrations have to be added to the tenancy
    ");
}

#[test]
fn a_tenant_that_an_insert_gives_itself() {
    assert_snapshot!(rendered("INSERT INTO tasks (tenant_id, id) VALUES (6, 1)"), @r"
    TG016: the INSERT gives tasks.tenant_id itself, which could be another tenant's
      |
    1 | INSERT INTO tasks (tenant_id, id) VALUES (6, 1)
      |             ^^^^^
    help: name the columns without it and leave its values out: they are added
    ");
}

#[test]
fn a_function_call_in_the_shape_of_a_column() {
    assert_snapshot!(rendered("SELECT t.leak FROM tasks t"), @r"
    TG012: t.leak is not a known column, so it may be a function call
      |
    1 | SELECT t.leak FROM tasks t
      |        ^^^^^^
    help: name the column in the tenancy, give the output of the sub-query a name, or call the function as such
    ");
}

#[test]
fn a_key_that_tenants_share() {
    assert_snapshot!(rendered("INSERT INTO acct (email) VALUES ('me@example.com')"), @r"
    TG019: acct has a unique key (email) without tenant_id, in which tenants collide
      |
    1 | INSERT INTO acct (email) VALUES ('me@example.com')
      |             ^^^^
    help: put the tenant column into the key
    ");
}

#[test]
fn a_syntax_error_quotes_no_literal() {
    assert_snapshot!(rendered("SELECT * FROM tasks WHERE title = 'secret' 'again'"), @r"
    TG001: syntax error
    help: write the statement as PostgreSQL's grammar has it, with $1, $2, … for parameters
    ");
}

#[test]
fn two_statements() {
    assert_snapshot!(rendered("SELECT 1; DELETE FROM tasks"), @r"
    TG002: the text holds 2 statements
    help: send one statement at a time
    ");
}

#[test]
fn a_function_that_runs_sql() {
    assert_snapshot!(rendered("SELECT query_to_xml($1, true, true, '')"), @r"
    TG009: function query_to_xml runs SQL that is given as text
      |
    1 | SELECT query_to_xml($1, true, true, '')
      |        ^
    help: write the query itself into the statement; json_agg makes one value of its rows
    ");
}

#[test]
fn a_declared_function_with_the_name_of_a_built_in_one() {
    assert_snapshot!(rendered("SELECT pg_sleep('1')"), @r"
    TG009: function pg_sleep keeps a connection waiting
      |
    1 | SELECT pg_sleep('1')
      |        ^
    help: wait in the application, where no connection is held, or call your function with its schema
    ");
}

#[test]
fn a_function_that_nobody_has_declared() {
    assert_snapshot!(rendered("SELECT my_report()"), @r#"
    TG009: function my_report is not known to be safe
      |
    1 | SELECT my_report()
      |        ^
    help: if it reads and writes no table and depends on its arguments alone, declare it with its signature: Policy::allow_function("my_report(…)")
    "#);
}
