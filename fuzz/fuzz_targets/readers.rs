//! The two readers against each other: what is drafted of a text is what is checked of it, or the
//! draft is refused.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tenant_guard::{Code, Guard, Policy, Table, Tenancy, TenantType};

static GUARD: LazyLock<Guard> = LazyLock::new(|| {
    let tenant = |name| Table::distributed(name, "tenant_id", TenantType::Int8);
    let tenancy = Tenancy::builder()
        .table(
            tenant("tasks")
                .columns(["tenant_id", "id", "project_id", "title", "done"])
                .unique_key(["tenant_id", "id"]),
        )
        .table(
            tenant("projects")
                .columns(["tenant_id", "id", "name"])
                .unique_key(["tenant_id", "id"]),
        )
        .table(Table::reference("countries").columns(["code", "name"]).unique_key(["code"]))
        .build()
        .expect("a sound schema");
    Guard::new(tenancy, Policy::default())
});

fuzz_target!(|sql: &str| {
    let draft = match GUARD.draft(sql) {
        Ok(draft) => draft,
        Err(refusal) => {
            // Rendering slices the text by the refusal's span.
            assert!(!refusal.render(sql).is_empty());
            return;
        }
    };
    let guarded = match GUARD.check(sql) {
        Ok(guarded) => guarded,
        // A draft is not proven; and what is too deep for libpg_query's decoder is not wrong.
        Err(refusal) if matches!(refusal.code(), Code::Certificate | Code::TooComplex) => return,
        Err(refusal) => panic!("only drafted: {sql}\n{refusal}\n{draft:?}"),
    };
    assert_eq!(draft.text(), guarded.text(), "{sql}");
    assert_eq!(draft.tenant_param(), guarded.tenant_param(), "{sql}");
    assert_eq!(draft.caller_params(), guarded.caller_params(), "{sql}");
    assert_eq!(draft.table_slots(), guarded.table_slots(), "{sql}");
    assert_eq!(draft.access(), guarded.access(), "{sql}");
    assert_eq!(draft.writes(), guarded.writes(), "{sql}");
    assert_eq!(draft.locks(), guarded.locks(), "{sql}");
    assert_eq!(draft.effect(), guarded.effect(), "{sql}");
});
