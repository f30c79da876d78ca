fn main() {
    tenant_guard_macros::sql_file!("queries/unknown.sql");
    tenant_guard_macros::sql_file!("queries/two.sql");
    tenant_guard_macros::sql_file!("queries/latin1.sql");
    tenant_guard_macros::sql_file!("queries/nothing.sql");
    tenant_guard_macros::sql_file!("queries");
}
