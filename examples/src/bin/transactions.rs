//! Several statements, all or nothing, on the tenant's own worker.

use citus_examples::Playground;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let playground = Playground::start().await?;
    let acme = playground.cluster().tenant(42);

    let transaction = acme.begin().await?;
    transaction
        .execute(
            "INSERT INTO organisations (name, country) VALUES ('Acme', 'JP')",
            &[],
        )
        .await?;
    transaction
        .execute(
            "INSERT INTO projects (id, name) VALUES (1, 'Moon base')",
            &[],
        )
        .await?;
    transaction.commit().await?;

    // A second project with the same id: the server refuses it, and what was done before it in the
    // same transaction is undone.
    let transaction = acme.begin().await?;
    transaction
        .execute(
            "INSERT INTO projects (id, name) VALUES (2, 'Mars base')",
            &[],
        )
        .await?;
    let twice = transaction
        .execute("INSERT INTO projects (id, name) VALUES (1, 'again')", &[])
        .await;
    match twice {
        Ok(_) => anyhow::bail!("project 1 was inserted twice"),
        Err(error) => println!("refused by the server: {error}"),
    }
    transaction.rollback().await?;

    // A transaction that is dropped is rolled back, too: an early return cannot leave half of it.
    {
        let transaction = acme.begin().await?;
        transaction.execute("DELETE FROM projects", &[]).await?;
    }

    let row = acme.query_one("SELECT count(*) FROM projects", &[]).await?;
    println!("{} project", row.get::<_, i64>(0));
    Ok(())
}
