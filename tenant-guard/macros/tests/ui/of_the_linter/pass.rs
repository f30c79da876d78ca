fn main() {
    tenant_guard::sql!("SELECT slugify(title) FROM tasks");
}
