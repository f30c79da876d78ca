//! What the driver adds to a prepared query of bare tokio-postgres: guard, hash, route, the loan of
//! a connection, the statement cache, the deadline and the tenant's parameter.
//!
//! One plain PostgreSQL, one connection each, the same statement, the same settings of the session
//! (a custom plan for each execution is Citus' need, not the driver's cost). The three take turns
//! in short blocks, so that a noisy moment of the machine meets all of them; told are medians over
//! the blocks, of the time that passed and of the processor time of this process' only thread
//! (Linux). The latter is what is added, whatever else the machine does.

use std::time::Instant;

use anyhow::Context;
use citus_client::{Cluster, Config, Tenancy, ToSql};
use citus_testkit::{BackendChoice, TestCluster};
use tokio::runtime::Builder;
use tokio_postgres::Client;

const SCHEMA: &str = "
    CREATE TABLE tasks (tenant_id bigint, id bigint, title text, PRIMARY KEY (tenant_id, id));
    SELECT create_distributed_table('tasks', 'tenant_id');
    INSERT INTO tasks SELECT t, i, 'task ' || i FROM generate_series(1, 100) t,
        generate_series(1, 100) i;
    ANALYZE tasks;
";
const SQL: &str = "SELECT title FROM tasks WHERE id = $1";
const BLOCKS: usize = 60;
const QUERIES_A_BLOCK: u32 = 500;
const WAYS: [&str; 3] = [
    "tokio-postgres, prepared",
    "tenant, guarded before",
    "tenant, plain SQL",
];

fn main() -> anyhow::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(Box::pin(run()))
}

async fn run() -> anyhow::Result<()> {
    let servers = TestCluster::builder()
        .workers(0)
        .backend(BackendChoice::Postgres);
    let servers = servers.start().await?;
    let database = servers.create_database().await?;
    database.migrate(SCHEMA).await?;
    let tenancy = Tenancy::from_sql(SCHEMA)?;
    let config = Config::new(&database.url())?.tenancy(tenancy).pool_size(1);
    let cluster = Cluster::connect_with(config).await?;
    let bare = database.connect().await?;
    bare.batch_execute("SET plan_cache_mode = force_custom_plan")
        .await?;

    let samples = measure(&cluster, &bare).await?;
    let least = median(&samples[0], |sample| sample.processor);
    println!("a point query by primary key, medians of {BLOCKS} blocks, microseconds");
    println!("{:<26}{:>9}{:>11}{:>9}", "", "passed", "processor", "added");
    for (way, samples) in WAYS.iter().zip(&samples) {
        let passed = median(samples, |sample| sample.passed);
        let processor = median(samples, |sample| sample.processor);
        println!(
            "{way:<26}{passed:>9.2}{processor:>11.2}{:>9.2}",
            processor - least
        );
    }
    Ok(())
}

/// Microseconds a query.
struct Sample {
    passed: f64,
    processor: f64,
}

async fn measure(cluster: &Cluster, bare: &Client) -> anyhow::Result<[Vec<Sample>; 3]> {
    let guarded = cluster.guard(SQL)?;
    let statement = bare.prepare(guarded.text()).await?;
    let tenant = cluster.tenant(42);
    let row = tenant.query_one(SQL, &[&7_i64]).await?;
    anyhow::ensure!(row.try_get::<_, &str>(0)? == "task 7");

    let mut samples = [const { Vec::new() }; 3];
    for _ in 0..BLOCKS {
        for (way, samples) in samples.iter_mut().enumerate() {
            let (started, before) = (Instant::now(), processor_time()?);
            for _ in 0..QUERIES_A_BLOCK {
                let rows = match way {
                    0 => {
                        let params: [&(dyn ToSql + Sync); 2] = [&7_i64, &42_i64];
                        bare.query(&statement, &params).await?
                    }
                    1 => tenant.query(&guarded, &[&7_i64]).await?,
                    _ => cluster.tenant(42).query(SQL, &[&7_i64]).await?,
                };
                anyhow::ensure!(rows.len() == 1);
            }
            let queries = f64::from(QUERIES_A_BLOCK);
            samples.push(Sample {
                passed: started.elapsed().as_secs_f64() * 1e6 / queries,
                processor: (processor_time()? - before) / queries,
            });
        }
    }
    Ok(samples)
}

/// Of this thread, in microseconds: the first number of `schedstat` is in nanoseconds.
fn processor_time() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = stat.split(' ').next().context("an empty schedstat")?;
    Ok(nanoseconds.parse::<f64>()? / 1000.0)
}

fn median(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> f64 {
    let mut values: Vec<f64> = samples.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
