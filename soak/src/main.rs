//! The driver under load for minutes, while nodes die, the network fails and shards move; then every
//! acknowledged write is looked for, and every one that was refused.
//!
//! `cargo xtask soak` runs it.

mod audit;
mod chaos;
mod journal;
mod load;
mod maintenance;
mod memory;
mod plot;
mod report;
mod stage;
mod tally;
mod violations;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use citus_testkit::FaultProxy;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::journal::Journal;
use crate::load::{FOLLOWERS, Load};
use crate::memory::Memory;
use crate::report::{Report, Run};
use crate::stage::Stage;
use crate::tally::Tally;
use crate::violations::Violations;

/// How long the load goes on after the last fault.
const QUIET: Duration = Duration::from_secs(5);

/// Reads, writes and transactions of many tenants through the driver, while nodes are killed, frozen
/// and restarted, connections are cut and swallowed, and (on Citus) shards are moved and split, tenants
/// isolated, nodes drained and removed. Afterwards each acknowledged write is there exactly once, none
/// that was refused is, no tenant saw another's row, no connection has leaked, and the memory is flat.
#[derive(Debug, Parser)]
#[command(name = "soak", after_help = EXIT_CODES)]
struct Options {
    /// For how long.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: u64,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// How many tenants there are.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(i64).range(1..))]
    tenants: i64,
    /// How many requests are under way at a time.
    #[arg(long, default_value_t = 16)]
    clients: usize,
    /// For the same order of requests and faults as in another run, as far as their times allow.
    #[arg(long)]
    seed: Option<u64>,
    /// Leave the servers and the shards alone, or the network, or both.
    #[arg(long, value_name = "WHAT")]
    without: Vec<Without>,
    /// Where the journal, the events and a plot go.
    #[arg(long, default_value = "target/soak")]
    folder: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Without {
    Network,
    Servers,
    Maintenance,
}

const EXIT_CODES: &str = "\
CITUS_TEST_BACKEND and CITUS_TEST_URL choose the servers, as in the tests.

Exit codes:
  0  all that has to hold held
  1  something was violated; the report says what
  2  wrong usage
  3  it could not be run";

fn main() -> ExitCode {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("no runtime");
    match runtime.and_then(|runtime| runtime.block_on(soak(&options))) {
        Ok(report) => {
            if options.json {
                println!("{}", serde_json::json!(report));
            } else {
                println!("{report}");
            }
            ExitCode::from(u8::from(!report.violations.is_empty()))
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(3)
        }
    }
}

async fn soak(options: &Options) -> anyhow::Result<Report> {
    let seed = options.seed.unwrap_or_else(rand::random);
    std::fs::create_dir_all(&options.folder)
        .with_context(|| format!("cannot make {}", options.folder.display()))?;
    let stage = Arc::new(Stage::set(options.tenants).await?);
    eprintln!("{}, seed {seed}", stage.servers.backend());
    let load = Arc::new(Load {
        cluster: stage.driver().await?,
        tenants: options.tenants,
        journal: Journal::create(&options.folder.join("journal"))?,
        tally: Arc::new(Tally::new()),
        violations: Arc::new(Violations::default()),
        stop: AtomicBool::new(false),
        followers: Arc::new(Semaphore::new(FOLLOWERS)),
        next_id: AtomicI64::new(1),
    });
    let mut clients = JoinSet::new();
    for client in 0..options.clients {
        clients.spawn(load::work(Arc::clone(&load), seed ^ client as u64));
    }
    let memory = disturb(options, &stage, &load, seed).await?;
    sleep(QUIET).await;
    load.stop.store(true, Ordering::Release);
    while let Some(client) = clients.join_next().await {
        client.context("a client has panicked")??;
    }
    let followers = Arc::clone(&load.followers);
    let _all = followers.acquire_many(u32::try_from(FOLLOWERS)?).await?;
    let load = Arc::into_inner(load).context("a client is still at work")?;
    audit(options, &stage, load, &memory, seed).await
}

/// Lets things go wrong for the time that was asked for, and then no more.
async fn disturb(
    options: &Options,
    stage: &Arc<Stage>,
    load: &Load,
    seed: u64,
) -> anyhow::Result<Memory> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut chaos = JoinSet::new();
    if !options.without.contains(&Without::Network) {
        let (stage, tally) = (Arc::clone(stage), Arc::clone(&load.tally));
        chaos.spawn(chaos::network(stage, tally, Arc::clone(&stop), !seed));
    }
    chaos.spawn(servers(
        options.without.clone(),
        Arc::clone(stage),
        Arc::clone(&load.tally),
        Arc::clone(&stop),
        seed.rotate_left(32),
        options.tenants,
    ));
    let length = Duration::from_secs(60 * options.minutes);
    let style = ProgressStyle::with_template("{elapsed_precise} {bar:30} {wide_msg}")?;
    let bar = ProgressBar::new(length.as_secs()).with_style(style);
    let mut memory = Memory::default();
    let start = Instant::now();
    while start.elapsed() < length {
        sleep(Duration::from_secs(1)).await;
        memory.sample();
        bar.set_position(start.elapsed().as_secs());
        let (succeeded, failed, event) = load.tally.brief();
        let violations = load.violations.count();
        let event = event.unwrap_or_default();
        bar.set_message(format!(
            "{succeeded} requests, {failed} failed, {violations} violations: {event}"
        ));
        if let Some(ended) = chaos.try_join_next() {
            ended.context("a cause of faults has panicked")??;
        }
    }
    stop.store(true, Ordering::Release);
    bar.set_message("the last fault ends");
    while let Some(ended) = chaos.join_next().await {
        ended.context("a cause of faults has panicked")??;
    }
    bar.finish_and_clear();
    Ok(memory)
}

/// One thing after the other that concerns the servers themselves.
async fn servers(
    without: Vec<Without>,
    stage: Arc<Stage>,
    tally: Arc<Tally>,
    stop: Arc<AtomicBool>,
    seed: u64,
    tenants: i64,
) -> anyhow::Result<()> {
    let mut random = StdRng::seed_from_u64(seed);
    let maintained = stage.is_citus() && !without.contains(&Without::Maintenance);
    // Those of somebody else are not ours to stop.
    let killed = !without.contains(&Without::Servers) && !stage.is_external();
    if !killed && !maintained {
        return Ok(());
    }
    while !stop.load(Ordering::Acquire) {
        sleep(Duration::from_millis(random.random_range(500..3000))).await;
        if maintained && (!killed || random.random_bool(0.7)) {
            maintenance::act(&stage, &tally, &mut random, tenants).await?;
        } else if killed {
            chaos::server(&stage, &tally, &mut random).await?;
        }
    }
    Ok(())
}

async fn audit(
    options: &Options,
    stage: &Stage,
    load: Load,
    memory: &Memory,
    seed: u64,
) -> anyhow::Result<Report> {
    let Load {
        cluster,
        journal,
        tally,
        violations,
        ..
    } = load;
    let seconds = tally.elapsed().as_secs();
    audit::served(&cluster, options.tenants, &violations).await;
    audit::idle(stage, &violations).await?;
    drop(cluster);
    audit::gone(stage, &violations).await?;
    let promises = journal.read()?;
    audit::writes(stage, &promises, &violations).await?;
    if memory.leaks() {
        violations.add("the memory is not flat", || {
            format!(
                "{:?} KiB in the second and the last quarter",
                memory.growth()
            )
        });
    }
    let counted = tally.snapshot();
    plot::draw(&options.folder.join("requests.svg"), &counted)?;
    std::fs::write(options.folder.join("events"), counted.chronicle())?;
    let counts = || stage.proxied.nodes().map(FaultProxy::counts);
    let run = Run {
        servers: stage.servers.backend().to_string(),
        seed,
        seconds,
        tenants: options.tenants,
        clients: options.clients,
        connections: counts().map(|counts| counts.connections).sum(),
        cancel_requests: counts().map(|counts| counts.cancel_requests).sum(),
    };
    let violations = violations.all();
    Ok(Report::new(run, counted, &promises, memory, violations))
}
