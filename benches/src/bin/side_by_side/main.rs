//! The same statements through the coordinator, straight to the worker by the driver, and on plain
//! PostgreSQL, in turn in one run, on real servers.
//!
//! Everything shares one machine, so that absolute numbers say little and ratios much. Rounds are
//! short and take turns: what disturbs the machine disturbs all ways alike.

mod data;
mod operation;
mod overhead;
mod plot;
mod report;
mod rounds;
mod way;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use citus_client::{Cluster, Config, Topology};
use citus_testkit::{BackendChoice, TestCluster, TestDatabase};
use clap::Parser;

use data::TENANTS;
use operation::Operation;
use report::Report;
use way::{Kind, Way};

/// Compares the ways to the same rows.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many clients send statements at the same time.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    clients: u16,
    /// How often each way gets its turn.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    rounds: u16,
    /// How long a turn is, in milliseconds.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(10..=600_000))]
    turn: u64,
    /// Where the plot and the figures are written to.
    #[arg(long, default_value = "target/bench")]
    output: PathBuf,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let servers = TestCluster::start().await?;
    let database = servers.create_database().await?;
    data::fill(&database).await?;
    let cluster = connect(&database).await?;
    let plain = plain_server().await;
    if let Err(error) = &plain {
        eprintln!("without a comparison to plain PostgreSQL: {error:#}");
    }
    let plain = plain.as_ref().ok().map(|(_, database)| database);

    let mut ways = vec![Way::new(Kind::Driver, &cluster, &database)];
    if database.is_citus() {
        ways.insert(0, Way::new(Kind::Coordinator, &cluster, &database));
    }
    if let Some(plain) = plain {
        ways.push(Way::new(Kind::Plain, &cluster, plain));
    }

    let mut report = Report::new(servers.backend().to_string(), arguments.clients);
    for operation in Operation::ALL {
        let turn = Duration::from_millis(arguments.turn);
        let measured =
            rounds::run(&ways, operation, arguments.clients, arguments.rounds, turn).await?;
        report.add(operation, measured);
    }
    if let Some(plain) = plain {
        report.overhead = Some(overhead::measure(plain).await?);
    }

    report.print();
    std::fs::create_dir_all(&arguments.output)?;
    let figures = arguments.output.join("side_by_side.json");
    std::fs::write(&figures, serde_json::to_string_pretty(&report)?).context("the figures")?;
    let picture = arguments.output.join("side_by_side.svg");
    plot::draw(&report, &picture)?;
    println!("\n{}\n{}", picture.display(), figures.display());
    Ok(())
}

/// The driver, on Citus by its metadata, on plain servers by ranges.
async fn connect(database: &TestDatabase) -> anyhow::Result<Cluster> {
    let config = Config::new(&database.url())?.tenancy(data::tenancy()?);
    let config = if database.is_citus() {
        config
    } else {
        config.topology(Topology::fixed(database.node_urls(), 32)?)
    };
    Ok(Cluster::connect_with(config).await?)
}

/// One server without Citus, from the installation that the cluster is from.
async fn plain_server() -> anyhow::Result<(TestCluster, TestDatabase)> {
    let builder = TestCluster::builder().workers(0);
    let server = builder.backend(BackendChoice::Postgres).start().await?;
    let database = server.create_database().await?;
    data::fill(&database).await?;
    Ok((server, database))
}

/// The next tenant: all of them come up, in an order without a pattern that a cache could like.
fn next_tenant(count: u64) -> i64 {
    let scattered = count.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
    i64::try_from(scattered).unwrap_or(0) % TENANTS + 1
}
