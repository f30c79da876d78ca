//! Any text goes through the guard: it never panics, and what it accepts keeps its promises.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tenant_guard::{Access, Code, Guard, GuardedSql, Policy, Table, Tenancy, TenantType};

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
    match GUARD.check(sql) {
        Ok(guarded) => keeps_its_promises(sql, &guarded),
        Err(refusal) => {
            // Rendering slices the text by the refusal's span.
            assert!(!refusal.render(sql).is_empty());
        }
    }
});

fn keeps_its_promises(sql: &str, guarded: &GuardedSql) {
    let text = guarded.text();
    for slot in guarded.tenant_param_slots() {
        let number = guarded.tenant_param().expect("a slot has a parameter");
        assert_eq!(text.get(slot.clone()), Some(format!("${number}").as_str()));
    }
    for slot in guarded.table_slots() {
        assert!(text.get(slot.range.clone()).is_some());
    }
    match guarded.access() {
        Access::Tenant { .. } => assert!(!guarded.tenant_param_slots().is_empty()),
        _ => assert!(guarded.tenant_param_slots().is_empty()),
    }
    // Guarding is a function of the text: a second look gives the same statement.
    assert_eq!(GUARD.check(sql).as_ref(), Ok(guarded));
    is_understood_again(guarded);
}

/// The guarded text is a statement of the same tables. It may be refused, as an INSERT is that now
/// gives the tenant, or where it has grown too long; but not because it cannot be read.
fn is_understood_again(guarded: &GuardedSql) {
    match GUARD.check(guarded.text()) {
        Ok(again) => {
            assert_eq!(again.access(), guarded.access());
            assert_eq!(again.writes(), guarded.writes());
            assert!(again.tenant_param_slots().len() >= guarded.tenant_param_slots().len());
            assert!(again.table_slots().len() == guarded.table_slots().len());
        }
        Err(refusal) => assert!(
            !matches!(
                refusal.code(),
                Code::Syntax | Code::NotOneStatement | Code::StatementKind | Code::UnknownTable
            ),
            "{refusal}: {}",
            guarded.text()
        ),
    }
}
