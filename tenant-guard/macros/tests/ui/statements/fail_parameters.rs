use tenant_guard::StaticSql;

fn query<const N: usize>(_: &StaticSql<N>, _: &[i64; N]) {}

fn main() {
    query(
        tenant_guard::sql!("SELECT title FROM tasks WHERE id = $1 OR id = $2"),
        &[7],
    );
}
