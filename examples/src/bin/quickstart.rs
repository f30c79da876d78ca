//! Plain SQL for a tenant.

use citus_examples::Playground;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // In an application: Cluster::connect("postgresql://app@coordinator/app").await?
    let playground = Playground::start().await?;
    let cluster = playground.cluster();

    // The way to one tenant's rows. Nothing is sent yet.
    let acme = cluster.tenant(42);
    let globex = cluster.tenant(43);

    // No statement names the tenant. The column is added, and the row goes to the tenant's worker.
    for (tenant, name) in [(&acme, "Acme"), (&globex, "Globex")] {
        tenant
            .execute(
                "INSERT INTO organisations (name, country) VALUES ($1, 'DE')",
                &[&name],
            )
            .await?;
        tenant
            .execute(
                "INSERT INTO projects (id, name) VALUES (1, 'Moon base')",
                &[],
            )
            .await?;
        tenant
            .execute(
                "INSERT INTO tasks (id, project_id, title) VALUES (1, 1, $1)",
                &[&name],
            )
            .await?;
    }

    // Both have a task 1. Each sees its own.
    let sql = "SELECT t.title, p.name FROM tasks t JOIN projects p ON p.id = t.project_id";
    for tenant in [&acme, &globex] {
        for row in tenant.query(sql, &[]).await? {
            println!("{} in {}", row.get::<_, String>(0), row.get::<_, String>(1));
        }
    }

    // Forgetting the WHERE changes one's own rows, and no others.
    let changed = acme.execute("UPDATE tasks SET done = true", &[]).await?;
    println!("{changed} task done");
    Ok(())
}
