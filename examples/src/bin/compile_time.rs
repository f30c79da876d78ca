//! Statements that are checked while the program is built: `Cargo.toml` names the migrations.

use citus_client::tenant_guard::StaticSql;
use citus_client::{sql, sql_file};
use citus_examples::Playground;

// A statement of its own, with three parameters: another number does not build.
static ADD_TASK: &StaticSql<3> =
    sql!("INSERT INTO tasks (id, project_id, title, points) VALUES ($1, 1, $2, $3)");

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let playground = Playground::start().await?;
    let acme = playground.cluster().tenant(42);

    acme.execute(
        sql!("INSERT INTO organisations (name, country) VALUES ('Acme', $1)"),
        &[&"DE"],
    )
    .await?;
    acme.execute(
        sql!("INSERT INTO projects (id, name) VALUES (1, 'Moon base')"),
        &[],
    )
    .await?;
    for (points, title) in [(8, "fly"), (3, "pack")] {
        acme.execute(ADD_TASK, &[&i64::from(points), &title, &points])
            .await?;
    }

    // Lines in a compiler's message are lines of this file.
    let open = sql!(
        r#"
        SELECT p.name, count(*) AS "open"
        FROM projects p
        JOIN tasks t ON t.project_id = p.id
        WHERE NOT t.done
        GROUP BY p.name
        "#
    );
    for row in acme.query(open, &[]).await? {
        println!("{}: {} open", row.get::<_, String>(0), row.get::<_, i64>(1));
    }

    for row in acme
        .query(sql_file!("queries/to_do.sql"), &[&1_i64])
        .await?
    {
        let (title, points): (String, i32) = (row.get("title"), row.get("points"));
        println!("to do: {title} ({points} points)");
    }

    let done = sql!("UPDATE tasks SET done = true WHERE title = $1");
    println!("{} done", acme.execute(done, &[&"fly"]).await?);
    Ok(())
}
