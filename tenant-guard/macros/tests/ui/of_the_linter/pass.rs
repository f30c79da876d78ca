fn main() {
    tenant_guard_macros::sql!("SELECT slugify(title) FROM tasks");
}
