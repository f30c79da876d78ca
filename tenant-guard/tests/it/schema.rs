//! The schema that cases and properties share.

use tenant_guard::{Extension, Guard, Policy, Table, Tenancy, TenancyBuilder, TenantType, View};

/// Three tenant tables, one with a key that lacks the tenant, one whose tenant column comes last, a reference table, a local one.
pub(crate) fn tenancy() -> Tenancy {
    let tenant = |name| Table::distributed(name, "tenant_id", TenantType::Int8);
    views(Tenancy::builder())
        .table(
            tenant("tasks")
                .columns([
                    "tenant_id",
                    "id",
                    "project_id",
                    "title",
                    "done",
                    "points",
                    "data",
                ])
                .named_unique_key("tasks_pkey", ["tenant_id", "id"]),
        )
        .table(
            tenant("projects")
                .columns(["tenant_id", "id", "name", "owner_id"])
                .named_unique_key("projects_pkey", ["tenant_id", "id"]),
        )
        .table(
            tenant("users")
                .columns(["tenant_id", "id", "email"])
                .named_unique_key("users_pkey", ["tenant_id", "id"]),
        )
        .table(
            tenant("acct")
                .columns(["tenant_id", "email", "v"])
                .named_unique_key("acct_email_key", ["email"]),
        )
        .table(
            tenant("events")
                .columns(["tenant_id", "id"])
                .unique_key(["tenant_id", "id"])
                .colocated_with("events"),
        )
        .table(
            tenant("late")
                .columns(["id", "email", "tenant_id"])
                .unique_key(["id", "tenant_id"]),
        )
        .table(
            Table::reference("countries")
                .columns(["code", "name"])
                .unique_key(["code"]),
        )
        .table(Table::local("audit").columns(["id", "what"]))
        .enum_type("status")
        .composite_type("address", ["street", "city"])
        .user_function("leak")
        .user_function("initcap")
        .build()
        .expect("a sound schema")
}

/// Views of all sorts, some of which PostgreSQL would not make.
fn views(builder: TenancyBuilder) -> TenancyBuilder {
    let definitions = [
        ("open_tasks", "SELECT id, title FROM tasks WHERE NOT done"),
        (
            "counted_tasks",
            "SELECT id, count(*) OVER () AS n FROM tasks",
        ),
        (
            "dashboard",
            "SELECT c.name AS country, (SELECT count(*) FROM open_tasks) AS open FROM public.countries c",
        ),
        (
            "german_countries",
            "SELECT code FROM countries WHERE name = 'Germany';",
        ),
        ("constants", "/* none */ VALUES (1) -- more"),
        ("locking_tasks", "SELECT id FROM tasks FOR UPDATE"),
        ("spying", "SELECT query FROM pg_stat_activity"),
        ("auditing", "SELECT pg_read_file('x')"),
        ("mixed", "SELECT t.id FROM tasks t, events e"),
        ("circular", "SELECT * FROM circular"),
        (
            "writing",
            "WITH d AS (DELETE FROM tasks RETURNING id) SELECT id FROM d",
        ),
        ("with_parameter", "SELECT $1"),
        ("not_sql", "FROM tasks"),
        (
            "computed_tasks",
            "SELECT id, title::int AS number FROM tasks",
        ),
        (
            "numbered_tasks",
            "SELECT id FROM tasks WHERE title::int > 0",
        ),
    ];
    let builder = definitions
        .into_iter()
        .fold(builder, |builder, (name, definition)| {
            let view = View::new(name, definition);
            builder.view(match name {
                "constants" => view.columns(["one"]),
                _ => view,
            })
        });
    let progress = View::new("progress", "SELECT done, count(*) FROM tasks GROUP BY done");
    builder
        .view(progress.columns(["done", "n"]))
        .table(Table::opaque("totals", "a materialized view"))
        .table(Table::opaque("elsewhere", "a foreign table"))
        .table(
            Table::distributed("declared_totals", "tenant_id", TenantType::Int8)
                .columns(["tenant_id", "points"])
                .read_only(),
        )
        .table(
            Table::reference("declared_rates")
                .columns(["rate"])
                .read_only(),
        )
}

/// The same tables for tenants with a schema each.
pub(crate) fn guard_of_schemas() -> Guard {
    let own = |name| Table::in_tenant_schema(name);
    let tenancy = Tenancy::builder()
        .table(
            own("tasks")
                .columns(["id", "project_id", "title", "done", "points"])
                .named_unique_key("tasks_pkey", ["id"]),
        )
        .table(own("projects").columns(["id", "name"]).unique_key(["id"]))
        .table(own("Odd name").columns(["id"]))
        .table(
            Table::reference("countries")
                .columns(["code", "name"])
                .unique_key(["code"]),
        )
        .table(Table::local("audit").columns(["id"]))
        .view(View::new(
            "open_tasks",
            "SELECT id, title FROM tasks WHERE NOT done",
        ))
        .build()
        .expect("a sound schema");
    Guard::new(tenancy, Policy::default())
}

pub(crate) fn policy() -> Policy {
    let policy = Policy::default()
        .allow_function("slugify(text)")
        .and_then(|policy| policy.allow_function("app.slugify(text, integer DEFAULT 80)"))
        .and_then(|policy| policy.allow_function("concat_all(text, VARIADIC text[])"))
        .and_then(|policy| {
            policy.allow_function("search(text) RETURNS TABLE (id bigint, rank real)")
        })
        .and_then(|policy| policy.allow_function("pg_sleep(text)"))
        .and_then(|policy| policy.allow_function("string_to_table(text) RETURNS TABLE (leak text)"))
        .and_then(|policy| policy.allow_function("pg_catalog.pg_advisory_xact_lock(bigint)"))
        .and_then(|policy| policy.allow_operator("<=>"))
        .and_then(|policy| policy.allow_type("vector"))
        .and_then(|policy| policy.allow_catalog("pg_enum", ["oid", "enumtypid", "enumlabel"]));
    policy
        .expect("sound declarations")
        .allow_extension(Extension::PgTrgm)
}

pub(crate) fn guard() -> Guard {
    Guard::new(tenancy(), policy())
}
