fn main() {
    tenant_guard_macros::sql!("");
    tenant_guard_macros::sql!("-- nothing\n ;");
    tenant_guard_macros::sql!("SELECT 1; DELETE FROM tasks");
    tenant_guard_macros::sql!("DROP TABLE tasks");
}
