fn main() {
    tenant_guard_macros::sql!("SELECT id, titel FROM tasks");
    tenant_guard_macros::sql!("SELECT t.titel FROM tasks t");
    tenant_guard_macros::sql!("UPDATE tasks SET titel = $1 WHERE id = $2");
}
