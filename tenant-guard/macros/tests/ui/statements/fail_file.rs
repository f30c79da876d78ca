fn main() {
    tenant_guard::sql_file!("queries/unknown.sql");
    tenant_guard::sql_file!("queries/two.sql");
    tenant_guard::sql_file!("queries/latin1.sql");
    tenant_guard::sql_file!("queries/nothing.sql");
    tenant_guard::sql_file!("queries");
}
