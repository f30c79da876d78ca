//! The one door to SQL over all tenants: a report, with the reason that stands in the trace.

use citus_examples::Playground;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let playground = Playground::start().await?;
    let cluster = playground.cluster();
    for (id, country) in [(1, "BR"), (2, "IN"), (3, "IN")] {
        let insert = "INSERT INTO organisations (name, country) VALUES ('Someone', $1)";
        cluster.tenant(id).execute(insert, &[&country]).await?;
    }

    // A tenant cannot ask this: each sees one organisation, its own.
    let sql = "SELECT c.name, count(*) FROM organisations o JOIN countries c ON c.code = o.country
               GROUP BY c.name ORDER BY c.name";
    let of_one = cluster.tenant(1).query(sql, &[]).await?;
    println!("tenant 1 sees {} country", of_one.len());

    // `unscoped` sends the SQL as it is, to the coordinator. With RUST_LOG=info the trace shows it.
    let rows = cluster
        .unscoped("countries of our customers, for the yearly report")
        .query(sql, &[])
        .await?;
    if !playground.database().is_citus() {
        println!("servers without Citus have no coordinator: this is what the first of them holds");
    }
    for row in rows {
        println!("{}: {}", row.get::<_, String>(0), row.get::<_, i64>(1));
    }
    Ok(())
}
