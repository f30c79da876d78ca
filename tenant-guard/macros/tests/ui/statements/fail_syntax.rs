fn main() {
    tenant_guard::sql!("SELECT 'title FROM tasks");
    tenant_guard::sql!("SELECT title FORM tasks");
    tenant_guard::sql!("SELECT title FROM tasks WHERE id = ?");
    tenant_guard::sql!("SELECT '\0'");
}
