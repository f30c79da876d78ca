fn main() {
    tenant_guard::sql_deferred!("");
    tenant_guard::sql_deferred!("SELECT 1; SELECT 2");
    tenant_guard::sql_deferred!("SELECT 'title");
    tenant_guard::sql_deferred!("SELECT $70000");
    tenant_guard::sql_deferred!(TITLES);
}
