fn main() {
    tenant_guard::sql!("SELECT title FROM task WHERE id = $1");
}
