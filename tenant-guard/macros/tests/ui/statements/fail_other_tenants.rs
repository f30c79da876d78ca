fn main() {
    tenant_guard::sql!("INSERT INTO tasks (tenant_id, id) VALUES (1, $1)");
    tenant_guard::sql!("UPDATE tasks SET tenant_id = $1");
    tenant_guard::sql!("UPDATE countries SET name = $1");
    tenant_guard::sql!("SELECT query FROM pg_stat_activity");
    tenant_guard::sql!("SELECT pg_read_file('/etc/passwd')");
}
