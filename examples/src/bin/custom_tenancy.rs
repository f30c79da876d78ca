//! A schema described by hand, and what the guard makes of statements.
//!
//! The driver takes such a tenancy with `Config::new(url)?.tenancy(tenancy).policy(policy)`. On Citus
//! it reads one from the live metadata unless it is given.

use tenant_guard::{Access, Guard, Policy, Table, Tenancy, TenantType};

fn main() -> anyhow::Result<()> {
    // The tenant column may have another name in each table; its type is one for all.
    let tenancy = Tenancy::builder()
        .search_path(["app"])
        .table(
            Table::distributed("workspaces", "id", TenantType::Uuid)
                .schema("app")
                .columns(["id", "name"])
                .unique_key(["id"]),
        )
        .table(
            Table::distributed("notes", "workspace_id", TenantType::Uuid)
                .schema("app")
                .columns(["workspace_id", "id", "body", "state"])
                .unique_key(["workspace_id", "id"]),
        )
        .table(
            Table::reference("emoji")
                .schema("app")
                .columns(["code", "name"])
                .unique_key(["code"]),
        )
        .enum_type("note_state")
        .user_function("slugify")
        .build()?;
    // The guard cannot look into a function. That this one touches no table is our word.
    let guard = Guard::new(tenancy, Policy::default().allow_function("slugify(text)")?);

    let statements = [
        "SELECT slugify(body) FROM notes WHERE state = 'draft'::note_state",
        "SELECT w.name, count(n.id) FROM workspaces w LEFT JOIN notes n ON true GROUP BY w.name",
        "INSERT INTO notes (id, body) VALUES ($1, $2) ON CONFLICT (workspace_id, id) DO NOTHING",
        "SELECT name FROM emoji",
        "UPDATE notes SET workspace_id = $1",
        "SELECT * FROM notes, pg_stat_activity",
    ];
    for sql in statements {
        println!("{sql}");
        match guard.check(sql) {
            Ok(guarded) => {
                let what = match guarded.access() {
                    Access::Tenant { .. } => "one tenant's rows",
                    Access::Reference => "reference tables",
                    _ => "no table",
                };
                println!("  -> {}\n     touches {what}\n", guarded.text());
            }
            Err(refusal) => println!("{}\n", refusal.render(sql)),
        }
    }
    Ok(())
}
