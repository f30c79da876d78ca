const TITLES: &str = "SELECT title FROM tasks";

fn main() {
    tenant_guard_macros::sql!(TITLES);
    tenant_guard_macros::sql!();
    tenant_guard_macros::sql!(b"SELECT title FROM tasks");
    tenant_guard_macros::sql!(concat!("SELECT title ", "FROM tasks"));
    tenant_guard_macros::sql!("SELECT title FROM tasks WHERE id = {}", 1);
}
