fn main() {
    tenant_guard_macros::sql!("SELECT 1");
}
