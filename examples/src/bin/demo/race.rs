//! Two ways for the same statements, in turn: short rounds, so that whatever else the machine does
//! falls on both.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use citus_client::Cluster;
use citus_testkit::TestDatabase;
use citus_testkit::tokio_postgres::{Client, Statement};
use futures_util::future::try_join_all;
use tenant_guard::GuardedSql;

use crate::page::Page;
use crate::seed::{project_id, task_id};

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(300);

/// What is compared.
#[derive(Clone, Copy)]
struct Contest {
    name: &'static str,
    sql: &'static str,
    /// The parameter that goes with a tenant.
    argument: fn(i64) -> i64,
}

const CONTESTS: [Contest; 3] = [
    Contest {
        name: "read one task",
        sql: "SELECT title, points, done FROM tasks WHERE id = $1",
        argument: |tenant| task_id(tenant, 1),
    },
    Contest {
        name: "read a project's 8 tasks",
        sql: "SELECT id, title, done FROM tasks WHERE project_id = $1 ORDER BY id",
        argument: |tenant| project_id(tenant, 1),
    },
    Contest {
        name: "update one task",
        sql: "UPDATE tasks SET points = points % 8 + 1 WHERE id = $1 RETURNING points",
        argument: |tenant| task_id(tenant, 2),
    },
];

pub(crate) async fn run(
    page: &Page,
    cluster: &Cluster,
    database: &TestDatabase,
    tenants: i64,
    clients: u16,
) -> anyhow::Result<()> {
    let names = if database.is_citus() {
        ["coordinator", "worker"]
    } else {
        ["tokio-postgres", "citus-client"]
    };
    let next = Cell::new(0);
    let tenant = || {
        next.set((next.get() + 7) % tenants);
        next.get() + 1
    };
    let mut rows = Vec::new();
    for contest in CONTESTS {
        let guarded = cluster.guard(contest.sql)?;
        let mut bare = Vec::new();
        let mut driver = Vec::new();
        for _ in 0..clients {
            bare.push(Way::bare(cluster, database, &guarded).await?);
            driver.push(Way::Driver(cluster, &guarded));
        }
        // Once without counting: connections are made, statements prepared, caches filled.
        round(&bare, contest, &tenant).await?;
        round(&driver, contest, &tenant).await?;
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            first.push(round(&bare, contest, &tenant).await?);
            second.push(round(&driver, contest, &tenant).await?);
        }
        let (first, second) = (median(first), median(second));
        rows.push(vec![
            contest.name.to_owned(),
            format!("{first:.0}/s"),
            format!("{second:.0}/s"),
            format!("×{:.2}", second / first),
        ]);
    }
    page.table(&["statement", names[0], names[1], "ratio"], &rows);
    println!();
    page.say(&format!(
        "Medians of {ROUNDS} rounds in turn, {clients} clients; servers and clients share this machine."
    ));
    if !database.is_citus() {
        page.say(
            "Without Citus there is no coordinator to go around: both go to the same servers.",
        );
    }
    Ok(())
}

/// How one client gets its rows.
enum Way<'a> {
    /// A prepared statement of tokio-postgres: on the coordinator, or on plain servers on the
    /// tenant's own, which are told apart by their ports.
    Bare(BTreeMap<u16, (Client, Statement)>, Option<&'a Cluster>),
    /// The driver.
    Driver(&'a Cluster, &'a GuardedSql),
}

impl<'a> Way<'a> {
    async fn bare(
        cluster: &'a Cluster,
        database: &TestDatabase,
        guarded: &GuardedSql,
    ) -> anyhow::Result<Self> {
        let count = if database.is_citus() { 1 } else { usize::MAX };
        let mut nodes = BTreeMap::new();
        for node in database.nodes().take(count) {
            let client = node.connect().await?;
            let statement = client.prepare(guarded.text()).await?;
            nodes.insert(node.port(), (client, statement));
        }
        Ok(Self::Bare(nodes, (!database.is_citus()).then_some(cluster)))
    }

    async fn run(&self, tenant: i64, argument: i64) -> anyhow::Result<()> {
        let rows = match self {
            Self::Driver(cluster, guarded) => {
                cluster.tenant(tenant).query(*guarded, &[&argument]).await?
            }
            Self::Bare(nodes, cluster) => {
                let (client, statement) = match cluster {
                    Some(cluster) => nodes.get(&cluster.route("tasks", tenant)?.node.port),
                    None => nodes.values().next(),
                }
                .context("no connection to the tenant's server")?;
                client.query(statement, &[&argument, &tenant]).await?
            }
        };
        anyhow::ensure!(!rows.is_empty(), "tenant {tenant} has lost its rows");
        Ok(())
    }
}

/// Statements a second, by all clients together.
async fn round(
    ways: &[Way<'_>],
    contest: Contest,
    tenant: &impl Fn() -> i64,
) -> anyhow::Result<f64> {
    let start = Instant::now();
    let counts = try_join_all(ways.iter().map(async |way| {
        let mut count = 0_u32;
        while start.elapsed() < ROUND {
            let tenant = tenant();
            way.run(tenant, (contest.argument)(tenant)).await?;
            count += 1;
        }
        anyhow::Ok(count)
    }))
    .await?;
    Ok(f64::from(counts.iter().sum::<u32>()) / start.elapsed().as_secs_f64())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
