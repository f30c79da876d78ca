fn main() {
    tenant_guard::sql!("SELECT 1");
}
