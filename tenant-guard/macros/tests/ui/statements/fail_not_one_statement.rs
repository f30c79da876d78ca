fn main() {
    tenant_guard::sql!("");
    tenant_guard::sql!("-- nothing\n ;");
    tenant_guard::sql!("SELECT 1; DELETE FROM tasks");
    tenant_guard::sql!("DROP TABLE tasks");
}
