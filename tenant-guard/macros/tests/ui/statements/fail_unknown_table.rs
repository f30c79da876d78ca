fn main() {
    tenant_guard_macros::sql!("SELECT title FROM task WHERE id = $1");
}
