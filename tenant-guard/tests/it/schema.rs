//! The schema that cases and properties share.

use tenant_guard::{Guard, Policy, Table, Tenancy, TenantType};

/// Three tenant tables, one with a key that lacks the tenant, one whose tenant column comes last, a reference table, a local one.
pub(crate) fn tenancy() -> Tenancy {
    let tenant = |name| Table::distributed(name, "tenant_id", TenantType::Int8);
    Tenancy::builder()
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
        .build()
        .expect("a sound schema")
}

pub(crate) fn guard() -> Guard {
    Guard::new(tenancy(), Policy::default().allow_function("slugify"))
}
