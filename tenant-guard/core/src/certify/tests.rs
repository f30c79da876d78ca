use std::ops::Range;

use super::*;
use crate::{Guard, Policy, Table, TableName, TableSlot, TenantType, View};

fn tenancy() -> Tenancy {
    let tenant = |name| Table::distributed(name, "tenant_id", TenantType::Int8);
    Tenancy::builder()
        .table(tenant("tasks").columns(["tenant_id", "id", "title"]))
        .table(tenant("users").columns(["tenant_id", "id"]))
        .table(tenant("notes").columns(["id", "title", "tenant_id"]))
        .table(Table::reference("countries").columns(["code"]))
        .table(Table::local("audit").columns(["id"]))
        .table(tenant("totals").columns(["tenant_id", "n"]).read_only())
        .table(Table::opaque("sums", "a materialized view"))
        .view(View::new("ids", "SELECT id FROM tasks"))
        .view(View::new("titles", "SELECT title FROM tasks").columns(["name"]))
        .view(View::new("nested", "SELECT id FROM ids, users"))
        .view(View::new("circular", "SELECT * FROM circular"))
        .view(View::new("writing", "DELETE FROM tasks"))
        .build()
        .unwrap()
}

/// Certifies an output with the slots that belong to it.
fn certified(input: &str, output: &str) -> Result<(), Refusal> {
    let slots = |needle: &str| -> Vec<_> {
        output
            .match_indices(needle)
            .map(|(at, _)| at..at + needle.len())
            .collect()
    };
    let tables = [
        "public.tasks",
        "public.users",
        "public.notes",
        "public.countries",
        "public.audit",
        "public.totals",
        "public.sums",
        "public.ids",
        "pg_catalog.pg_timezone_names",
    ];
    let tables = tables.into_iter().flat_map(slots).map(|range| {
        let (schema, name) = output[range.clone()].split_once('.').unwrap();
        let table = TableName::new(schema, name);
        TableSlot { range, table }
    });
    let mut table_slots: Vec<TableSlot> = tables.collect();
    table_slots.sort_by_key(|slot| slot.range.start);
    let spliced = Spliced {
        text: output.to_owned(),
        tenant_param_slots: slots("$1"),
        table_slots,
    };
    assert!(pg_query::parse(output, 0).is_ok(), "{output}");
    let tree = pg_query::parse(input, 0).unwrap().protobuf;
    let policy = Policy::default();
    let certificate = certify(&tree, &spliced, &tenancy(), policy.catalogs(), 1);
    if let Err(refusal) = &certificate {
        assert_eq!(refusal.code(), Code::Certificate);
    }
    certificate
}

const DERIVED: &str = "(SELECT * FROM public.tasks WHERE tasks.tenant_id = $1)";

#[test]
fn what_the_guard_makes_is_certified() {
    let guard = Guard::new(tenancy(), Policy::default());
    let sql = "SELECT t.id FROM tasks t, users WHERE t.id = users.id";
    assert_eq!(certified(sql, guard.check(sql).unwrap().text()), Ok(()));
}

/// libpg_query hands over trees of a bounded depth, and restrictions add to it.
#[test]
fn an_output_that_is_nested_too_deeply_is_refused_as_such() {
    let guard = Guard::new(tenancy(), Policy::default());
    let code = |depth: usize, joins: usize| {
        let from = "JOIN countries ON true".to_owned() + &" JOIN countries ON true".repeat(joins);
        let sql = format!(
            "{}tasks t {from}{}",
            "SELECT * FROM (".repeat(depth),
            ") x".repeat(depth)
        );
        let is_read = pg_query::parse(&sql, 0).is_ok();
        (
            is_read,
            guard.check(&sql).err().map(|refusal| refusal.code()),
        )
    };
    let mut too_deep_when_restricted = 0;
    for depth in 1..40 {
        for joins in 0..6 {
            let (is_read, refused) = code(depth, joins);
            assert_ne!(refused, Some(Code::Certificate), "{depth} {joins}");
            too_deep_when_restricted += usize::from(is_read && refused == Some(Code::TooComplex));
        }
    }
    assert_ne!(too_deep_when_restricted, 0);
}

#[test]
fn a_table_without_its_restriction_fails() {
    for (input, output) in [
        ("SELECT * FROM tasks", "SELECT * FROM public.tasks"),
        (
            "SELECT * FROM tasks t, users",
            "SELECT * FROM public.tasks t, public.users",
        ),
        ("DELETE FROM tasks", "DELETE FROM public.tasks"),
        ("UPDATE tasks SET id = 1", "UPDATE public.tasks SET id = 1"),
        (
            "INSERT INTO tasks (id) VALUES (1)",
            "INSERT INTO public.tasks (id) VALUES (1)",
        ),
        ("SELECT * FROM audit", "SELECT * FROM public.audit"),
        ("SELECT * FROM countries", "SELECT * FROM countries"),
        (
            "SELECT * FROM tasks",
            "SELECT * FROM tasks WHERE tasks.tenant_id = $1",
        ),
        ("DELETE FROM countries", "DELETE FROM public.countries"),
    ] {
        assert!(certified(input, output).is_err(), "{output}");
    }
}

#[test]
fn a_catalog_is_read_as_it_is_where_it_may_be_read() {
    let input = "SELECT * FROM pg_timezone_names";
    let output = "SELECT * FROM pg_catalog.pg_timezone_names";
    assert_eq!(certified(input, output), Ok(()));
    for (input, output) in [
        (input, "SELECT * FROM pg_catalog.pg_timezone_abbrevs"),
        (input, input),
        (output, "SELECT * FROM public.countries"),
        (
            "SELECT * FROM pg_stats",
            "SELECT * FROM pg_catalog.pg_stats",
        ),
        (
            "DELETE FROM pg_timezone_names",
            "DELETE FROM pg_catalog.pg_timezone_names",
        ),
        (
            "SELECT * FROM public.pg_timezone_names",
            "SELECT * FROM pg_catalog.pg_timezone_names",
        ),
    ] {
        assert!(certified(input, output).is_err(), "{output}");
    }
}

#[test]
fn views_beside_each_other_are_no_views_within_views() {
    let ids = format!("(SELECT id FROM {DERIVED} AS tasks)");
    let (mut input, mut output) = (Vec::new(), Vec::new());
    for number in 0..12 {
        input.push(format!("ids x{number}"));
        output.push(format!("{ids} x{number}"));
    }
    let (input, output) = (input.join(", "), output.join(", "));
    assert_eq!(
        certified(
            &format!("SELECT 1 FROM {input}"),
            &format!("SELECT 1 FROM {output}")
        ),
        Ok(())
    );
}

#[test]
fn an_alias_that_repeats_the_name_says_nothing() {
    let users = "(SELECT * FROM public.users WHERE users.tenant_id = $1) AS users";
    for alias in ["", "AS tasks", "AS t"] {
        let input = format!("SELECT 1 FROM tasks {alias}, users");
        let with = |written: &str| {
            certified(
                &input,
                &format!("SELECT 1 FROM {DERIVED} {written}, {users}"),
            )
        };
        assert_eq!(with("AS tasks").is_ok(), alias != "AS t", "{alias}");
        assert_eq!(with("AS t").is_ok(), alias == "AS t", "{alias}");
        assert!(with("AS tasks(a)").is_err(), "{alias}");
    }
}

#[test]
fn no_unknown_table_passes() {
    let same = |sql: &str| certified(sql, sql);
    assert_eq!(same("SELECT * FROM pg_catalog.pg_timezone_names"), Ok(()));
    assert_eq!(same("SELECT * FROM public.countries"), Ok(()));
    for sql in [
        "SELECT * FROM pg_catalog.pg_stats",
        "SELECT * FROM public.audit",
        "SELECT * FROM public.nobody_s",
        "SELECT * FROM public.tasks",
        "SELECT 1 FROM public.countries LIMIT (SELECT count(*) FROM public.audit)",
    ] {
        assert!(same(sql).is_err(), "{sql}");
    }
}

#[test]
fn a_table_without_its_schema_fails() {
    let input = "SELECT * FROM countries";
    assert_eq!(certified(input, "SELECT * FROM public.countries"), Ok(()));
    assert!(certified(input, input).is_err());
}

#[test]
fn a_restriction_that_is_not_the_canonical_one_fails() {
    let input = "SELECT id FROM tasks t, users";
    let users = "(SELECT * FROM public.users WHERE users.tenant_id = $1) AS users";
    let with = |tasks: &str| certified(input, &format!("SELECT id FROM {tasks} t, {users}"));
    assert_eq!(with(DERIVED), Ok(()));
    for tasks in [
        "(SELECT * FROM public.tasks WHERE tasks.id = $1)",
        "(SELECT * FROM public.tasks WHERE tasks.tenant_id = 1)",
        "(SELECT * FROM public.tasks WHERE tasks.tenant_id <> $1)",
        "(SELECT * FROM public.tasks WHERE tasks.tenant_id = $1 OR true)",
        "(SELECT * FROM public.tasks WHERE tasks.tenant_id = ANY(ARRAY[$1]))",
        "(SELECT * FROM public.tasks WHERE tasks.tenant_id = $1 AND tasks.tenant_id = ANY(ARRAY[$1, 6]))",
        "(SELECT * FROM public.tasks WHERE tasks.tenant_id = $1 AND tasks.id = ANY(ARRAY[$1]))",
        "(SELECT * FROM public.tasks WHERE tasks.tenant_id = $1 AND tasks.tenant_id = ALL(ARRAY[$1]))",
        "(SELECT * FROM public.tasks WHERE users.tenant_id = $1)",
        "(SELECT id FROM public.tasks WHERE tasks.tenant_id = $1)",
        "(SELECT * FROM public.tasks x WHERE tasks.tenant_id = $1)",
        "(SELECT * FROM public.tasks WHERE tasks.tenant_id = $1 LIMIT 1)",
        "(SELECT * FROM public.tasks WHERE tasks.tenant_id = $1 OFFSET 1)",
        "(SELECT * FROM public.tasks WHERE tasks.tenant_id = $1 OFFSET id)",
        "(SELECT * FROM public.tasks WHERE tasks.tenant_id = $1 LIMIT 0)",
        "(SELECT DISTINCT * FROM public.tasks WHERE tasks.tenant_id = $1)",
        "(SELECT * FROM public.tasks WHERE tasks.tenant_id OPERATOR(x.=) $1)",
        "(SELECT * FROM public.tasks, public.users WHERE tasks.tenant_id = $1)",
        "(SELECT * FROM public.tasks WHERE tasks.tenant_id = $1 FOR UPDATE)",
        "LATERAL (SELECT * FROM public.tasks WHERE tasks.tenant_id = $1)",
    ] {
        assert!(with(tasks).is_err(), "{tasks}");
    }
}

#[test]
fn a_condition_that_is_not_a_conjunct_fails() {
    let input = "DELETE FROM tasks WHERE id = 1 OR id = 2";
    let with = |condition: &str| certified(input, &format!("DELETE FROM public.tasks {condition}"));
    assert_eq!(
        with("WHERE tasks.tenant_id = $1 AND (id = 1 OR id = 2)"),
        Ok(())
    );
    for condition in [
        "WHERE tasks.tenant_id = $1 AND id = 1 OR id = 2",
        "WHERE tasks.tenant_id = $1 OR (id = 1 OR id = 2)",
        "WHERE NOT tasks.tenant_id = $1 AND (id = 1 OR id = 2)",
        "WHERE tasks.tenant_id = $1",
    ] {
        assert!(with(condition).is_err(), "{condition}");
    }
}

#[test]
fn a_view_is_its_query_restricted_and_nothing_else() {
    let with = |view: &str, output: &str| {
        let input = format!("SELECT 1 FROM {view}");
        certified(&input, &format!("SELECT 1 FROM {output}"))
    };
    let ids = format!("(SELECT id FROM {DERIVED} AS tasks)");
    assert_eq!(with("ids", &format!("{ids} AS ids")), Ok(()));
    assert_eq!(with("public.ids x(a)", &format!("{ids} x(a)")), Ok(()));
    let titles = format!("(SELECT title FROM {DERIVED} AS tasks)");
    let named = format!("(SELECT * FROM {titles} AS titles(name)) AS titles");
    assert_eq!(with("titles", &named), Ok(()));
    let users = "(SELECT * FROM public.users WHERE users.tenant_id = $1) AS users";
    let nested = format!("(SELECT id FROM {ids} AS ids, {users}) AS nested");
    assert_eq!(with("nested", &nested), Ok(()));

    for output in [
        "(SELECT id FROM public.tasks) AS ids".to_owned(),
        "(SELECT id FROM public.tasks WHERE tasks.id = $1) AS ids".to_owned(),
        "public.ids".to_owned(),
        "(SELECT * FROM public.ids WHERE ids.tenant_id = $1) AS ids".to_owned(),
        format!("{titles} AS ids"),
        format!("{DERIVED} AS ids"),
        format!("{ids} AS other"),
        format!("{ids} AS ids(a)"),
        format!("LATERAL {ids} AS ids"),
        format!("{ids} AS ids, {ids} AS twice"),
        format!("(SELECT id FROM {DERIVED} AS tasks LIMIT 1) AS ids"),
        format!("(SELECT id FROM {DERIVED} AS tasks WHERE id = 1) AS ids"),
        format!("(SELECT DISTINCT id FROM {DERIVED} AS tasks) AS ids"),
        format!("(SELECT title FROM {DERIVED} AS tasks) AS ids"),
        format!("(SELECT id FROM {DERIVED} AS tasks FOR UPDATE) AS ids"),
        format!("(SELECT id FROM {DERIVED} AS tasks, {users}) AS ids"),
        format!("(SELECT id FROM {users}) AS ids"),
        format!("(SELECT id FROM {ids} AS ids) AS ids"),
    ] {
        assert!(with("ids", &output).is_err(), "{output}");
    }
    assert!(with("titles", &format!("{titles} AS titles")).is_err());
    let unrestricted = format!("(SELECT id FROM {ids} AS ids, public.users) AS nested");
    assert!(with("nested", &unrestricted).is_err());
    assert!(with("ONLY ids", &format!("{ids} AS ids")).is_err());
    assert!(with("circular", "(SELECT * FROM public.circular) AS circular").is_err());
    let writing = "(DELETE FROM public.tasks WHERE tasks.tenant_id = $1) AS writing";
    assert!(pg_query::parse(&format!("SELECT 1 FROM {writing}"), 0).is_err());
}

#[test]
fn a_name_in_a_view_is_not_what_it_is_around_the_view() {
    let input = "WITH tasks AS (SELECT 1 AS id) SELECT * FROM ids";
    let with = |query: &str| {
        let output = format!("WITH tasks AS (SELECT 1 AS id) SELECT * FROM ({query}) AS ids");
        certified(input, &output)
    };
    let derived = format!("SELECT id FROM {DERIVED} AS tasks");
    assert_eq!(with(&derived), Ok(()));
    assert!(with("SELECT id FROM tasks").is_err());
}

#[test]
fn a_name_of_a_with_query_is_one_where_postgresql_sees_it() {
    let tasks = format!("{DERIVED} AS tasks");
    let users = "(SELECT * FROM public.users WHERE users.tenant_id = $1) AS users";
    // What `tasks` means where it is read, and what is left when that is said of a table.
    let with = |input: &str, is_query: bool| {
        let output = |read: &str| input.replace("users", users).replace("READ", read);
        let input = input.replace("READ", "tasks");
        let kept = certified(&input, &output("tasks"));
        assert_eq!(kept.is_ok(), is_query, "{input}");
        assert_eq!(
            certified(&input, &output(&tasks)).is_ok(),
            !is_query,
            "{input}"
        );
        assert!(
            certified(&input, &output("public.tasks")).is_err(),
            "{input}"
        );
    };
    for (input, is_query) in [
        ("WITH tasks AS (SELECT 1) SELECT * FROM READ", true),
        (
            "WITH a AS (SELECT 1 FROM READ), tasks AS (SELECT 1) SELECT 1",
            false,
        ),
        (
            "WITH RECURSIVE a AS (SELECT 1 FROM READ), tasks AS (SELECT 1) SELECT 1",
            true,
        ),
        ("WITH tasks AS (SELECT 1 FROM READ) SELECT 1", false),
        (
            "WITH RECURSIVE tasks AS (SELECT 1 UNION SELECT 1 FROM READ) SELECT 1",
            true,
        ),
        (
            "WITH tasks AS (SELECT 1), a AS (SELECT 1 FROM READ) SELECT 1",
            true,
        ),
        (
            "SELECT * FROM (WITH tasks AS (SELECT 1) SELECT 1) a, READ",
            false,
        ),
        (
            "SELECT * FROM (WITH tasks AS (SELECT 1) SELECT 1 FROM READ) a, users",
            true,
        ),
        (
            "SELECT 1 UNION (WITH tasks AS (SELECT 1) SELECT 1) UNION SELECT 1 FROM READ",
            false,
        ),
        (
            "WITH tasks AS (SELECT 1) SELECT 1 UNION SELECT 1 FROM READ",
            true,
        ),
    ] {
        with(input, is_query);
    }
}

#[test]
fn a_with_query_of_a_write_is_none_around_it() {
    let delete = "WITH a AS (WITH tasks AS (SELECT 1 AS id) DELETE FROM public.users \
        WHERE users.tenant_id = $1 RETURNING 1) SELECT 1 FROM";
    let input = "WITH a AS (WITH tasks AS (SELECT 1 AS id) DELETE FROM users RETURNING 1) \
        SELECT 1 FROM tasks";
    assert_eq!(
        certified(input, &format!("{delete} {DERIVED} AS tasks")),
        Ok(())
    );
    assert!(certified(input, &format!("{delete} tasks")).is_err());
    let written = "WITH tasks AS (SELECT 1 AS id) DELETE FROM tasks";
    assert!(certified(written, written).is_err());
    assert!(certified(written, &format!("{written} WHERE tasks.tenant_id = $1")).is_err());
}

#[test]
fn the_tenant_s_parameter_is_none_of_the_input() {
    for (input, output) in [
        (
            "SELECT $1 FROM countries",
            "SELECT $1 FROM public.countries",
        ),
        (
            "DELETE FROM tasks WHERE id = $1",
            "DELETE FROM public.tasks WHERE tasks.tenant_id = $1 AND (id = $1)",
        ),
    ] {
        assert!(certified(input, output).is_err(), "{output}");
        let (input, other) = (
            input.replace("$1", "$2"),
            output.replace("id = $1)", "id = $2)"),
        );
        let other = other.replace("SELECT $1", "SELECT $2");
        assert_eq!(certified(&input, &other), Ok(()));
    }
}

#[test]
fn other_rows_are_not_locked() {
    let input = "SELECT 1 FROM tasks AS t, tasks AS u FOR UPDATE OF t";
    let with = |lock: &str| {
        certified(
            input,
            &format!("SELECT 1 FROM {DERIVED} AS t, {DERIVED} AS u {lock}"),
        )
    };
    assert_eq!(with("FOR UPDATE OF t"), Ok(()));
    for lock in [
        "",
        "FOR UPDATE",
        "FOR UPDATE OF u",
        "FOR SHARE OF t",
        "FOR UPDATE OF t NOWAIT",
    ] {
        assert!(with(lock).is_err(), "{lock}");
    }
}

#[test]
fn a_with_query_is_no_table_that_is_copied() {
    let with = "WITH users AS (SELECT 6 AS tenant_id, 1 AS id)";
    let input = format!("INSERT INTO tasks {with} SELECT * FROM users");
    let output = format!("INSERT INTO public.tasks {with} SELECT * FROM users");
    assert!(certified(&input, &output).is_err());
}

#[test]
fn a_source_that_is_only_read_is_not_said_to_be_equal() {
    let sql = "MERGE INTO tasks AS t USING totals AS s ON t.id = s.n \
        WHEN NOT MATCHED THEN INSERT (id) VALUES (s.n)";
    let guard = Guard::new(tenancy(), Policy::default());
    let output = guard.check(sql).unwrap().text().to_owned();
    assert_eq!(certified(sql, &output), Ok(()));
    assert!(output.contains("VALUES (s.n, $1)"), "{output}");
    assert!(certified(sql, &output.replace("s.n, $1", "s.n, s.tenant_id")).is_err());
}

#[test]
fn a_table_of_a_tenant_s_schema_has_the_placeholder_and_nothing_else_changes() {
    let tenancy = Tenancy::builder()
        .table(Table::in_tenant_schema("tasks").columns(["id", "title"]))
        .table(Table::reference("countries").columns(["code"]))
        .build()
        .unwrap();
    let certified = |input: &str, output: &str| {
        let slots = |schema: &str, name: &str| -> Vec<_> {
            let full = format!("{schema}.{name}");
            let found = output.match_indices(&full);
            found
                .map(|(at, _)| TableSlot {
                    range: at..at + full.len(),
                    table: TableName::new(schema, name),
                })
                .collect()
        };
        let mut table_slots = slots("pg_tenant_schema", "tasks");
        table_slots.extend(slots("public", "countries"));
        table_slots.extend(slots("acme", "tasks"));
        let spliced = Spliced {
            text: output.to_owned(),
            tenant_param_slots: Vec::new(),
            table_slots,
        };
        let tree = pg_query::parse(input, 0).unwrap().protobuf;
        assert!(pg_query::parse(output, 0).is_ok(), "{output}");
        certify(&tree, &spliced, &tenancy, &Catalogs::new(), 1)
    };
    for (input, right, wrong) in [
        (
            "SELECT * FROM tasks t, countries",
            "SELECT * FROM pg_tenant_schema.tasks t, public.countries",
            &[
                "SELECT * FROM tasks t, public.countries",
                "SELECT * FROM pg_tenant_schema.tasks t, countries",
                "SELECT * FROM acme.tasks t, public.countries",
                "SELECT * FROM pg_tenant_schema.tasks, public.countries",
                "SELECT * FROM pg_tenant_schema.tasks t, public.countries LIMIT 1",
            ][..],
        ),
        (
            "UPDATE tasks SET id = 1",
            "UPDATE pg_tenant_schema.tasks SET id = 1",
            &[
                "UPDATE tasks SET id = 1",
                "UPDATE acme.tasks SET id = 1",
                "UPDATE pg_tenant_schema.tasks SET id = 2",
                "UPDATE pg_tenant_schema.tasks SET id = 1 WHERE id = 1",
            ],
        ),
        (
            "INSERT INTO tasks (id, title) VALUES (1, 'a') ON CONFLICT (id) DO NOTHING",
            "INSERT INTO pg_tenant_schema.tasks (id, title) VALUES (1, 'a') ON CONFLICT (id) DO NOTHING",
            &[
                "INSERT INTO pg_tenant_schema.tasks (title, id) VALUES (1, 'a') ON CONFLICT (id) DO NOTHING",
                "INSERT INTO pg_tenant_schema.tasks (id, title) VALUES (1, 'a') ON CONFLICT DO NOTHING",
            ],
        ),
    ] {
        assert_eq!(certified(input, right), Ok(()), "{right}");
        for wrong in wrong {
            assert!(certified(input, wrong).is_err(), "{wrong}");
        }
    }
    let named = "SELECT * FROM pg_tenant_schema.tasks";
    assert!(certified(named, named).is_err());
    assert!(certified("DELETE FROM countries", "DELETE FROM public.countries").is_err());
}

#[test]
fn a_declared_view_is_not_written_and_an_opaque_relation_not_read() {
    let totals = "(SELECT * FROM public.totals WHERE totals.tenant_id = $1) AS totals";
    let read = certified("SELECT 1 FROM totals", &format!("SELECT 1 FROM {totals}"));
    assert_eq!(read, Ok(()));
    for (input, output) in [
        (
            "DELETE FROM totals",
            "DELETE FROM public.totals WHERE totals.tenant_id = $1",
        ),
        (
            "INSERT INTO totals (n) VALUES (1)",
            "INSERT INTO public.totals (n, tenant_id) VALUES (1, $1)",
        ),
        ("SELECT * FROM sums", "SELECT * FROM public.sums"),
        (
            "DELETE FROM ids",
            "DELETE FROM public.ids WHERE ids.tenant_id = $1",
        ),
    ] {
        assert!(certified(input, output).is_err(), "{output}");
    }
}

#[test]
fn an_alias_that_renames_columns_does_not_pass_the_flat_form() {
    let input = "SELECT * FROM tasks AS x(a, tenant_id)";
    let output = "SELECT * FROM public.tasks AS x(a, tenant_id) WHERE x.tenant_id = $1";
    assert!(certified(input, output).is_err());
}

#[test]
fn an_inserted_row_without_the_tenant_fails() {
    let input = "INSERT INTO tasks (id) VALUES (1), (2)";
    let with = |rest: &str| certified(input, &format!("INSERT INTO public.tasks {rest}"));
    assert_eq!(with("(id, tenant_id) VALUES (1, $1), (2, $1)"), Ok(()));
    for rest in [
        "(id, tenant_id) VALUES (1, $1), (2, 6)",
        "(id, title) VALUES (1, $1), (2, $1)",
        "(tenant_id, id) VALUES (1, $1), (2, $1)",
        "(tenant_id, id, tenant_id) VALUES (1, 1, $1), (2, 2, $1)",
    ] {
        assert!(with(rest).is_err(), "{rest}");
    }
}

#[test]
fn a_merge_without_its_restrictions_fails() {
    let input = "MERGE INTO tasks t USING users u ON t.id = u.id OR true \
        WHEN NOT MATCHED BY SOURCE THEN DELETE \
        WHEN NOT MATCHED THEN INSERT (id) VALUES (u.id)";
    let users = "(SELECT * FROM public.users WHERE users.tenant_id = $1) u";
    let with = |source: &str, on: &str, gone: &str, row: &str| {
        certified(
            input,
            &format!(
                "MERGE INTO public.tasks t USING {source} ON {on} \
                 WHEN NOT MATCHED BY SOURCE {gone} THEN DELETE \
                 WHEN NOT MATCHED THEN INSERT {row}"
            ),
        )
    };
    let on = "t.tenant_id = $1 AND t.tenant_id = u.tenant_id AND (t.id = u.id OR true)";
    let gone = "AND t.tenant_id = $1";
    let row = "(id, tenant_id) VALUES (u.id, u.tenant_id)";
    assert_eq!(with(users, on, gone, row), Ok(()));
    for (source, on, gone, row) in [
        ("public.users u", on, gone, row),
        (users, "t.id = u.id OR true", gone, row),
        (
            users,
            "t.tenant_id = $1 AND (t.id = u.id OR true)",
            gone,
            row,
        ),
        (
            users,
            "t.tenant_id = u.tenant_id AND (t.id = u.id OR true)",
            gone,
            row,
        ),
        (
            users,
            "t.tenant_id = $1 AND t.tenant_id = u.tenant_id AND t.id = u.id OR true",
            gone,
            row,
        ),
        (
            users,
            "t.tenant_id = $1 AND t.tenant_id = u.id AND (t.id = u.id OR true)",
            gone,
            row,
        ),
        (users, on, "", row),
        (users, on, "AND u.tenant_id = $1", row),
        (users, on, "AND t.tenant_id = $1 OR true", row),
        (users, on, gone, "(id) VALUES (u.id)"),
        (users, on, gone, "(id, tenant_id) VALUES (u.id, $1)"),
        (users, on, gone, "(id, tenant_id) VALUES (u.id, u.id)"),
        (
            users,
            on,
            gone,
            "(tenant_id, id) VALUES (u.id, u.tenant_id)",
        ),
        (users, on, gone, "(id, title) VALUES (u.id, u.tenant_id)"),
    ] {
        assert!(
            with(source, on, gone, row).is_err(),
            "{source} {on} {gone} {row}"
        );
    }
}

#[test]
fn a_merge_may_not_change_a_row_s_tenant() {
    let source = "USING (VALUES (1)) v(id) ON";
    let input = format!("MERGE INTO tasks t {source} t.id = v.id WHEN MATCHED THEN UPDATE SET");
    let output = format!(
        "MERGE INTO public.tasks t {source} t.tenant_id = $1 AND (t.id = v.id) WHEN MATCHED THEN UPDATE SET"
    );
    let with = |set: &str| certified(&format!("{input} {set}"), &format!("{output} {set}"));
    assert_eq!(with("title = 'a'"), Ok(()));
    assert!(with("tenant_id = 6").is_err());
    assert!(with("(title, tenant_id) = ('a', 6)").is_err());
}

#[test]
fn a_restriction_in_where_counts_on_preserved_sides_only() {
    let users = "(SELECT * FROM public.users WHERE users.tenant_id = $1) u";
    let with = |join: &str, tables: (&str, &str), condition: &str| {
        certified(
            &format!("SELECT 1 FROM tasks t {join} users u ON true"),
            &format!(
                "SELECT 1 FROM {} t {join} {} ON true {condition}",
                tables.0, tables.1
            ),
        )
    };
    let both = ("public.tasks", "public.users u");
    let t = "WHERE t.tenant_id = $1";
    let t_and_u = "WHERE t.tenant_id = $1 AND u.tenant_id = $1";
    assert_eq!(with("JOIN", both, t_and_u), Ok(()));
    assert_eq!(with("LEFT JOIN", ("public.tasks", users), t), Ok(()));
    assert_eq!(
        with(
            "RIGHT JOIN",
            (DERIVED, "public.users u"),
            "WHERE u.tenant_id = $1"
        ),
        Ok(())
    );
    for (join, tables, condition) in [
        ("LEFT JOIN", both, t_and_u),
        ("RIGHT JOIN", both, t_and_u),
        ("FULL JOIN", both, t_and_u),
        ("FULL JOIN", ("public.tasks", users), t),
        ("RIGHT JOIN", ("public.tasks", users), t),
        ("JOIN", both, t),
        ("JOIN", both, "WHERE u.tenant_id = $1 AND t.tenant_id = $1"),
        ("JOIN", both, "WHERE t.tenant_id = $1 OR u.tenant_id = $1"),
        ("JOIN", both, "WHERE t.tenant_id = $1 AND t.tenant_id = $1"),
    ] {
        assert!(with(join, tables, condition).is_err(), "{join} {condition}");
    }
    let hidden = certified(
        "SELECT 1 FROM (tasks t JOIN users u ON true) AS j",
        "SELECT 1 FROM (public.tasks t JOIN public.users u ON true) AS j \
         WHERE t.tenant_id = $1 AND u.tenant_id = $1",
    );
    assert!(hidden.is_err());
}

#[test]
fn a_column_list_that_means_other_columns_fails() {
    let users = |row: &str| certified("INSERT INTO tasks VALUES (1, 2)", row);
    // Here the first columns are the tenant and the id, so no list says the same.
    for list in [
        "(tenant_id, id)",
        "(id, title, tenant_id)",
        "(title, id, tenant_id)",
    ] {
        let output = format!("INSERT INTO public.tasks {list} VALUES (1, 2, $1)");
        assert!(users(&output).is_err(), "{output}");
    }
    let defaults = |output: &str| certified("INSERT INTO tasks DEFAULT VALUES", output);
    assert_eq!(
        defaults("INSERT INTO public.tasks (tenant_id) VALUES ($1)"),
        Ok(())
    );
    for output in [
        "INSERT INTO public.tasks DEFAULT VALUES",
        "INSERT INTO public.tasks (id) VALUES ($1)",
        "INSERT INTO public.tasks (tenant_id) VALUES (6)",
        "INSERT INTO public.tasks (id, tenant_id) VALUES (1, $1)",
        "INSERT INTO public.tasks (tenant_id) VALUES ($1), ($1)",
    ] {
        assert!(defaults(output).is_err(), "{output}");
    }
}

#[test]
fn a_column_list_that_says_what_is_meant_without_it_is_none() {
    let insert = "INSERT INTO public.notes (id, title, tenant_id) VALUES (1, 'a', $1)";
    let source = "USING public.countries c ON n.tenant_id = $1 AND (true)";
    let merge = format!(
        "MERGE INTO public.notes n {source} WHEN NOT MATCHED THEN \
         INSERT (id, title, tenant_id) VALUES (1, c.code, $1)"
    );
    for (list, same) in [("(id, title)", true), ("", true), ("(title, id)", false)] {
        let input = format!("INSERT INTO notes {list} VALUES (1, 'a')");
        assert_eq!(certified(&input, insert).is_ok(), same, "{input}");
        let input = format!(
            "MERGE INTO notes n USING countries c ON true WHEN NOT MATCHED THEN \
             INSERT {list} VALUES (1, c.code)"
        );
        assert_eq!(certified(&input, &merge).is_ok(), same, "{input}");
    }
}

#[test]
fn a_selected_row_without_the_tenant_fails() {
    let input = "INSERT INTO tasks (id) SELECT 1 FROM countries UNION ALL SELECT 2";
    let with = |first: &str, second: &str| {
        certified(
            input,
            &format!(
                "INSERT INTO public.tasks (id, tenant_id) \
                 SELECT 1{first} FROM public.countries UNION ALL SELECT 2{second}"
            ),
        )
    };
    let tenant = ", $1::bigint";
    assert_eq!(with(tenant, tenant), Ok(()));
    for row in [
        "",
        ", 6",
        ", 6::bigint",
        ", $1",
        ", $2::bigint",
        ", $1::text",
        ", $1::varchar(1)",
        ", $1::bigint[]",
        ", $1::bigint AS tenant_id",
        ", -$1::bigint",
        ", $1::public.bigint",
    ] {
        assert!(with(row, tenant).is_err(), "{row}");
        assert!(with(tenant, row).is_err(), "{row}");
    }
    let one = |row: &str| {
        certified(
            "INSERT INTO tasks (id) SELECT 1",
            &format!("INSERT INTO public.tasks (id, tenant_id) SELECT {row}"),
        )
    };
    assert_eq!(one("1, $1::bigint"), Ok(()));
    assert!(one("$1::bigint, 1").is_err());
    assert!(one("1, $1::bigint, $1::bigint").is_err());
}

#[test]
fn rows_that_are_copied_bring_their_tenant() {
    let with = |list: &str, outputs: &str, source: &str| {
        certified(
            &format!("INSERT INTO tasks {list} SELECT {outputs} FROM users u"),
            &format!("INSERT INTO public.tasks {list} SELECT {outputs} FROM {source} u"),
        )
    };
    let users = "(SELECT * FROM public.users WHERE users.tenant_id = $1)";
    for (list, outputs) in [
        ("", "*"),
        ("", "u.*"),
        ("", "tenant_id, id"),
        ("(id, tenant_id)", "id, u.tenant_id"),
        ("(tenant_id, id)", "*"),
    ] {
        assert_eq!(with(list, outputs, users), Ok(()), "{list} {outputs}");
        assert!(with(list, outputs, "public.users").is_err());
    }
    for (list, outputs) in [
        ("", "id, tenant_id"),
        ("", "id, *"),
        ("", "*, id"),
        ("", "6, id"),
        ("", "tenant_id + 1, id"),
        ("", "x.tenant_id, id"),
        ("(id, tenant_id)", "*"),
        ("(id, tenant_id)", "tenant_id, id"),
        ("(id)", "id"),
        ("(tenant_id)", "id"),
        ("(tenant_id[1], id)", "tenant_id, id"),
    ] {
        assert!(with(list, outputs, users).is_err(), "{list} {outputs}");
    }
    let grouped = "SELECT tenant_id, 1 FROM (SELECT * FROM public.users WHERE users.tenant_id = $1) u GROUP BY tenant_id";
    let output = format!("INSERT INTO public.tasks {grouped}");
    let input = "INSERT INTO tasks SELECT tenant_id, 1 FROM users u GROUP BY tenant_id";
    assert!(certified(input, &output).is_err());
    // In notes the tenant comes last.
    let into_notes = |outputs: &str, table: &str| {
        certified(
            &format!("INSERT INTO notes SELECT {outputs} FROM {table} x"),
            &format!(
                "INSERT INTO public.notes SELECT {outputs} FROM \
                 (SELECT * FROM public.{table} WHERE {table}.tenant_id = $1) x"
            ),
        )
    };
    assert_eq!(into_notes("id, title, tenant_id", "notes"), Ok(()));
    assert_eq!(into_notes("*", "notes"), Ok(()));
    assert!(into_notes("tenant_id, title, id", "notes").is_err());
    assert!(into_notes("*", "tasks").is_err());
    // As right as the other form, though not the one that the guard writes.
    let flat = "INSERT INTO public.tasks SELECT * FROM public.users u WHERE u.tenant_id = $1";
    let input = "INSERT INTO tasks SELECT * FROM users u";
    assert_eq!(certified(input, flat), Ok(()));
    assert!(certified(input, &flat.replace("$1", "6")).is_err());
}

#[test]
fn a_sample_is_one_of_a_restricted_table() {
    let input = "SELECT id FROM tasks AS t TABLESAMPLE BERNOULLI (50), users";
    let users = "(SELECT * FROM public.users WHERE users.tenant_id = $1) AS users";
    let with = |tasks: &str| certified(input, &format!("SELECT id FROM {tasks}, {users}"));
    let inner = "SELECT * FROM public.tasks AS t TABLESAMPLE BERNOULLI (50)";
    assert_eq!(
        with(&format!("({inner} WHERE t.tenant_id = $1) AS t")),
        Ok(())
    );
    for tasks in [
        format!("({inner}) AS t"),
        format!("({inner} WHERE t.tenant_id = $1) AS u"),
        format!("({inner} WHERE t.tenant_id = $1) AS t(a)"),
        format!("({inner} WHERE tasks.tenant_id = $1) AS t"),
        format!("({inner} WHERE t.tenant_id = $1 LIMIT 1) AS t"),
        "(SELECT * FROM public.tasks AS t TABLESAMPLE BERNOULLI (60) WHERE t.tenant_id = $1) AS t"
            .to_owned(),
        "(SELECT * FROM public.tasks AS t TABLESAMPLE SYSTEM (50) WHERE t.tenant_id = $1) AS t"
            .to_owned(),
        "(SELECT * FROM public.tasks AS t WHERE t.tenant_id = $1) AS t".to_owned(),
    ] {
        assert!(with(&tasks).is_err(), "{tasks}");
    }
}

#[test]
fn any_other_change_fails() {
    let input = "SELECT id, 'a' FROM tasks WHERE id = 2";
    let with = |output: &str| certified(input, output);
    assert_eq!(
        with("SELECT id, 'a' FROM public.tasks WHERE tasks.tenant_id = $1 AND (id = 2)"),
        Ok(())
    );
    for output in [
        "SELECT id, 'b' FROM public.tasks WHERE tasks.tenant_id = $1 AND (id = 2)",
        "SELECT id, 'a' FROM public.tasks WHERE tasks.tenant_id = $1 AND (id = 3)",
        "SELECT id, 'a' FROM public.tasks WHERE tasks.tenant_id = $1 AND (id = 2) LIMIT 1",
        "SELECT id, 'a' FROM public.tasks WHERE tasks.tenant_id = $1 AND (id = 2); SELECT 1",
        "SELECT id, 'a' FROM public.users WHERE users.tenant_id = $1 AND (id = 2)",
        "SELECT id, 'a' FROM ONLY public.tasks WHERE tasks.tenant_id = $1 AND (id = 2)",
    ] {
        assert!(with(output).is_err(), "{output}");
    }
}

#[test]
fn a_slot_beside_its_place_fails() {
    let tree = pg_query::parse("SELECT * FROM tasks", 0).unwrap().protobuf;
    let text = "SELECT * FROM public.tasks WHERE tasks.tenant_id = $1".to_owned();
    let end = text.len();
    let table = |range| TableSlot {
        range,
        table: TableName::new("public", "tasks"),
    };
    let with = |tenant_param: Option<Range<usize>>, table_slots| {
        let tenant_param_slots = tenant_param.into_iter().collect();
        let spliced = Spliced {
            text: text.clone(),
            tenant_param_slots,
            table_slots,
        };
        certify(&tree, &spliced, &tenancy(), Policy::default().catalogs(), 1)
    };
    assert_eq!(with(Some(end - 2..end), vec![table(14..26)]), Ok(()));
    assert!(with(Some(end - 3..end), vec![table(14..26)]).is_err());
    assert!(with(None, vec![table(14..26)]).is_err());
    assert!(with(Some(end - 2..end), vec![table(15..26)]).is_err());
    assert!(with(Some(end - 2..end), vec![table(14..27)]).is_err());
    assert!(with(Some(end - 2..end), vec![table(14..20)]).is_err());
    assert!(with(Some(end - 2..end), vec![]).is_err());
    assert!(with(Some(end - 2..end), vec![table(14..26), table(14..26)]).is_err());
    assert!(with(Some(end - 3..end - 1), vec![table(14..26)]).is_err());
}

#[test]
fn a_slot_may_hold_comments_inside_of_the_name_only() {
    let tree = pg_query::parse("SELECT 1 FROM countries", 0)
        .unwrap()
        .protobuf;
    let with = |written: &str, slot: &str| {
        let text = format!("SELECT 1 FROM {written}");
        assert!(pg_query::parse(&text, 0).is_ok(), "{text}");
        let table = TableName::new("public", "countries");
        let range = 14..14 + slot.len();
        let table_slots = vec![TableSlot { range, table }];
        let tenant_param_slots = Vec::new();
        let spliced = Spliced {
            text,
            tenant_param_slots,
            table_slots,
        };
        certify(&tree, &spliced, &tenancy(), &Catalogs::new(), 1).is_ok()
    };
    for name in [
        "public.countries",
        "public . countries",
        "public/* . */.--\ncountries",
        "\"public\".\"countries\"",
        "public.U&\"countries\"",
        "public.U&\"c!006funtries\" UESCAPE '!'",
    ] {
        assert!(with(name, name), "{name}");
        assert!(
            !with(&format!("{name}/**/"), &format!("{name}/**/")),
            "{name}"
        );
        assert!(!with(&format!("{name} "), &format!("{name} ")), "{name}");
        assert!(!with(name, &name[..name.len() - 1]), "{name}");
    }
}
