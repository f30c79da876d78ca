fn main() {
    tenant_guard::sql!("SELECT id, titel FROM tasks");
    tenant_guard::sql!("SELECT t.titel FROM tasks t");
    tenant_guard::sql!("UPDATE tasks SET titel = $1 WHERE id = $2");
}
