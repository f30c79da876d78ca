const TITLES: &str = "SELECT title FROM tasks";

fn main() {
    tenant_guard::sql!(TITLES);
    tenant_guard::sql!();
    tenant_guard::sql!(b"SELECT title FROM tasks");
    tenant_guard::sql!(concat!("SELECT title ", "FROM tasks"));
    tenant_guard::sql!("SELECT title FROM tasks WHERE id = {}", 1);
}
