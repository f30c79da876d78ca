//! More rows than one wants in memory at once: they are read as they come.

use citus_examples::Playground;
use futures_util::TryStreamExt as _;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let playground = Playground::start().await?;
    let acme = playground.cluster().tenant(42);
    acme.execute(
        "INSERT INTO organisations (name, country) VALUES ('Acme', 'KE')",
        &[],
    )
    .await?;
    acme.execute(
        "INSERT INTO projects (id, name) VALUES (1, 'Moon base')",
        &[],
    )
    .await?;
    acme.execute(
        "INSERT INTO tasks (id, project_id, title, points)
         SELECT n, 1, 'Task ' || n, n % 8 FROM generate_series(1, 100000) AS n",
        &[],
    )
    .await?;

    // The server sends rows as fast as they are taken here, and no faster.
    let sql = "SELECT id, points FROM tasks WHERE points >= $1";
    let mut rows = acme.query_raw(sql, &[&5_i32]).await?;
    let (mut tasks, mut points) = (0_u64, 0_i64);
    while let Some(row) = rows.try_next().await? {
        tasks += 1;
        points += i64::from(row.get::<_, i32>("points"));
    }
    println!("{tasks} tasks, {points} points");
    Ok(())
}
