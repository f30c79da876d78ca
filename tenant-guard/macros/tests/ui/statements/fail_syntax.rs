fn main() {
    tenant_guard_macros::sql!("SELECT 'title FROM tasks");
    tenant_guard_macros::sql!("SELECT title FORM tasks");
    tenant_guard_macros::sql!("SELECT title FROM tasks WHERE id = ?");
    tenant_guard_macros::sql!("SELECT '\0'");
}
