//! The product on the terminal: real servers, real statements, nothing canned.

mod highlight;
mod page;
mod race;
mod seed;

use std::fmt::Write as _;
use std::time::Instant;

use citus_client::{Cluster, NodeAddress};
use citus_examples::Playground;
use citus_testkit::TestDatabase;
use clap::Parser;
use tenant_guard::{GuardedSql, TableKind};

use page::Page;

/// Starts a cluster, fills it with tenants, and shows what becomes of SQL.
///
/// The servers are those of citus-testkit: a cluster that `CITUS_TEST_URL` names, or else
/// local processes that are gone afterwards.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many tenants are created.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(i64).range(2..=1_000_000))]
    tenants: i64,
    /// Whose eyes it is seen through.
    #[arg(long, default_value_t = 42)]
    tenant: i64,
    /// How many clients send statements at the same time in the comparison.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    clients: u16,
}

const QUERY: &str = "\
SELECT p.name, count(t.id) AS tasks, count(t.id) FILTER (WHERE NOT t.done) AS open
FROM projects p LEFT JOIN tasks t ON t.project_id = p.id
WHERE p.name LIKE $1
GROUP BY p.name ORDER BY p.name";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut page = Page::new();
    let start = Instant::now();

    page.step("A cluster, a schema, and tenants");
    let playground = Playground::start().await?;
    show_servers(&page, &playground, start);
    let (cluster, database) = (playground.cluster(), playground.database());
    let tenant = arguments.tenant.clamp(1, arguments.tenants);
    let other = if tenant == arguments.tenants {
        tenant - 1
    } else {
        tenant + 1
    };
    seed::fill(&page, cluster, database, arguments.tenants).await?;

    page.step("A statement, as written and as sent");
    let guarded = show_rewriting(&page, cluster, tenant)?;

    page.step("Where it goes");
    show_route(&page, &playground, tenant).await?;
    show_rows(&page, cluster, tenant, &guarded).await?;

    page.step("Another tenant's id");
    show_other_tenant(&page, cluster, tenant, other).await?;

    page.step("A leak, refused");
    show_refusals(&page, cluster, tenant).await?;

    page.step(if database.is_citus() {
        "Through the coordinator, and straight to the worker"
    } else {
        "What the library adds"
    });
    race::run(
        &page,
        cluster,
        database,
        arguments.tenants,
        arguments.clients,
    )
    .await?;

    println!();
    page.say(&format!(
        "All of this in {:.0} s. The servers and their data are gone now.",
        start.elapsed().as_secs_f64()
    ));
    Ok(())
}

fn show_servers(page: &Page, playground: &Playground, start: Instant) {
    let nodes: Vec<String> = playground
        .servers()
        .nodes()
        .enumerate()
        .map(|(index, node)| {
            let name = node_name(playground.database(), index);
            format!("{name} {}:{}", node.host(), node.port())
        })
        .collect();
    page.fact("servers", playground.servers().backend());
    page.fact("", nodes.join(", "));
    let tenancy = playground.cluster().tenancy();
    let tables: Vec<String> = tenancy
        .tables()
        .filter_map(|table| match table.kind() {
            TableKind::Distributed(distribution) => {
                Some(format!("{} by {}", table.name().name, distribution.column))
            }
            TableKind::Reference => Some(format!("{} on every node", table.name().name)),
            _ => None,
        })
        .collect();
    page.fact("schema", tables.join(", "));
    page.good("", format!("up in {:.1} s", start.elapsed().as_secs_f64()));
}

fn show_rewriting(page: &Page, cluster: &Cluster, tenant: i64) -> anyhow::Result<GuardedSql> {
    page.say("Nothing in it says whose rows are meant.");
    println!();
    page.sql("written", QUERY);
    println!();
    let guarded = cluster.guard(QUERY)?;
    page.sent("sent", QUERY, guarded.text());
    if let Some(number) = guarded.tenant_param() {
        page.fact(
            "",
            format!(
                "${number} is the tenant, {tenant}: an argument of the call, never part of the text"
            ),
        );
    }
    Ok(guarded)
}

/// The driver computes this without asking anyone. Citus is asked what it thinks, for once.
async fn show_route(page: &Page, playground: &Playground, tenant: i64) -> anyhow::Result<()> {
    let route = playground.cluster().route("tasks", tenant)?;
    page.fact("tenant", tenant);
    if let (Some(hash), Some(range)) = (route.hash, route.range) {
        page.fact(
            "hash",
            format!("{hash}, computed here as Citus computes it"),
        );
        page.fact("shard", format!("the one with the hashes {range}"));
    }
    let name = name_of(playground.database(), &route.node);
    page.fact("node", format!("{name}, {}: {}", route.node, route.reason));
    if playground.database().is_citus() {
        let sql = "SELECT shardid, nodename, nodeport FROM pg_dist_shard_placement
                   WHERE shardid = get_shard_id_for_distribution_column('tasks', $1::bigint)";
        let reason = "the demo compares the driver's route with the catalog's";
        let row = playground
            .cluster()
            .unscoped(reason)
            .query_one(sql, &[&tenant])
            .await?;
        let (shard, host, port): (i64, String, i32) = (row.get(0), row.get(1), row.get(2));
        anyhow::ensure!(
            i32::from(route.node.port) == port,
            "Citus says {host}:{port}, the driver {}",
            route.node
        );
        page.good(
            "",
            format!("Citus says the same: shard {shard} on {host}:{port}"),
        );
    }
    Ok(())
}

async fn show_rows(
    page: &Page,
    cluster: &Cluster,
    tenant: i64,
    guarded: &GuardedSql,
) -> anyhow::Result<()> {
    let start = Instant::now();
    let rows = cluster.tenant(tenant).query(guarded, &[&"%a%"]).await?;
    let took = start.elapsed();
    println!();
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let (name, tasks, open): (String, i64, i64) = (row.get(0), row.get(1), row.get(2));
            vec![name, tasks.to_string(), open.to_string()]
        })
        .collect();
    page.table(&["project", "tasks", "open"], &cells);
    page.say(&format!(
        "{} rows in {:.1} ms",
        rows.len(),
        took.as_secs_f64() * 1e3
    ));
    Ok(())
}

async fn show_other_tenant(
    page: &Page,
    cluster: &Cluster,
    tenant: i64,
    other: i64,
) -> anyhow::Result<()> {
    let task = seed::task_id(other, 1);
    page.say(&format!(
        "Task {task} is tenant {other}'s. Tenant {tenant} has got hold of the id."
    ));
    println!();

    let read = "SELECT title FROM tasks WHERE id = $1";
    page.sql("read", read);
    for who in [tenant, other] {
        let rows = cluster.tenant(who).query(read, &[&task]).await?;
        let mut answer = format!("as tenant {who}: {}", counted(rows.len() as u64, "row"));
        for row in &rows {
            let _ = write!(answer, ", {:?}", row.get::<_, String>(0));
        }
        page.fact("", answer);
        anyhow::ensure!(
            rows.len() == usize::from(who == other),
            "isolation is broken"
        );
    }

    let write = "UPDATE tasks SET title = 'mine now' WHERE id = $1 OR true";
    println!();
    page.sql("write", write);
    let changed = cluster.tenant(tenant).execute(write, &[&task]).await?;
    let row = cluster.tenant(other).query_one(read, &[&task]).await?;
    let title: String = row.get(0);
    page.fact(
        "",
        format!(
            "as tenant {tenant}: {} changed, all its own",
            counted(changed, "row")
        ),
    );
    page.fact(
        "",
        format!("as tenant {other}: the title is still {title:?}"),
    );
    anyhow::ensure!(title != "mine now", "isolation is broken");
    Ok(())
}

/// Sent like any other statement. None of them leaves the process.
async fn show_refusals(page: &Page, cluster: &Cluster, tenant: i64) -> anyhow::Result<()> {
    let leaks = [
        "SELECT title FROM tasks WHERE id = $1\nUNION ALL SELECT query FROM pg_stat_activity",
        "UPDATE tasks SET organisation_id = 7 WHERE id = $1",
        "SELECT set_config('search_path', 'elsewhere', false) FROM tasks WHERE id = $1",
    ];
    for sql in leaks {
        page.sql("written", sql);
        if let Ok(rows) = cluster.tenant(tenant).query(sql, &[&1_i64]).await {
            anyhow::bail!("{} rows leaked", rows.len());
        }
        match cluster.guard(sql) {
            Ok(_) => anyhow::bail!("the statement was not refused"),
            Err(refusal) => page.verbatim("refused", &refusal.render(sql)),
        }
        println!();
    }
    page.say(
        "What the guard does not know to be safe is refused. `unscoped(reason)` is the other door.",
    );
    Ok(())
}

/// What a route's node is called here.
fn name_of(database: &TestDatabase, node: &NodeAddress) -> String {
    database
        .nodes()
        .position(|known| known.port() == node.port && known.host() == node.host)
        .map_or_else(|| node.to_string(), |index| node_name(database, index))
}

/// What the node at this place of a cluster is called here.
fn node_name(database: &TestDatabase, index: usize) -> String {
    match index {
        _ if !database.is_citus() => format!("server {}", index + 1),
        0 => "coordinator".to_owned(),
        _ => format!("worker {index}"),
    }
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 {
        format!("1 {what}")
    } else {
        format!("{count} {what}s")
    }
}
