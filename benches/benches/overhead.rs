//! What the driver adds to a prepared query of bare tokio-postgres: guard, hash, route, the loan of
//! a connection, the statement cache, the deadline and the tenant's parameter.
//!
//! One plain PostgreSQL, one connection each, the same statement, the same settings of the session
//! (a custom plan for each execution is Citus' need, not the driver's cost). Compare the medians:
//! their difference is what is added.

use std::hint::black_box;

use anyhow::Context;
use citus_client::{Cluster, Config, Tenancy};
use citus_testkit::{BackendChoice, TestCluster};
use criterion::Criterion;
use tokio::runtime::{Builder, Runtime};

const SCHEMA: &str = "
    CREATE TABLE tasks (tenant_id bigint, id bigint, title text, PRIMARY KEY (tenant_id, id));
    SELECT create_distributed_table('tasks', 'tenant_id');
    INSERT INTO tasks SELECT t, i, 'task ' || i FROM generate_series(1, 100) t,
        generate_series(1, 100) i;
    ANALYZE tasks;
";
const SQL: &str = "SELECT title FROM tasks WHERE id = $1";

fn main() -> anyhow::Result<()> {
    let mut criterion = Criterion::default().configure_from_args();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let servers = TestCluster::builder()
        .workers(0)
        .backend(BackendChoice::Postgres)
        .start();
    let servers = runtime.block_on(servers)?;
    let database = runtime.block_on(servers.create_database())?;
    runtime.block_on(database.migrate(SCHEMA))?;
    let tenancy = Tenancy::from_sql(SCHEMA)?;
    let config = Config::new(&database.url())?.tenancy(tenancy).pool_size(1);
    let cluster = runtime.block_on(Box::pin(Cluster::connect_with(config)))?;
    let bare = runtime.block_on(database.connect())?;
    compare(&mut criterion, &runtime, &cluster, &bare)?;
    criterion.final_summary();
    Ok(())
}

fn compare(
    criterion: &mut Criterion,
    runtime: &Runtime,
    cluster: &Cluster,
    bare: &tokio_postgres::Client,
) -> anyhow::Result<()> {
    runtime.block_on(bare.batch_execute("SET plan_cache_mode = force_custom_plan"))?;
    let guarded = cluster.guard(SQL)?;
    let statement = runtime.block_on(bare.prepare(guarded.text()))?;
    let tenant = cluster.tenant(42);
    let row = runtime.block_on(tenant.query_one(SQL, &[&7_i64]))?;
    anyhow::ensure!(row.try_get::<_, &str>(0)? == "task 7");

    let mut group = criterion.benchmark_group("point query");
    // In turn, so that a noisy moment of the machine does not meet one of them alone.
    for round in 1..=3 {
        group.bench_function(format!("tokio-postgres, prepared ({round})"), |bench| {
            bench.to_async(runtime).iter(|| async {
                let params: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&7_i64, &42_i64];
                black_box(bare.query(&statement, &params).await)
            });
        });
        group.bench_function(format!("tenant, guarded before ({round})"), |bench| {
            bench
                .to_async(runtime)
                .iter(|| async { black_box(tenant.query(&guarded, &[&7_i64]).await) });
        });
        group.bench_function(format!("tenant, plain SQL ({round})"), |bench| {
            bench
                .to_async(runtime)
                .iter(|| async { black_box(cluster.tenant(42).query(SQL, &[&7_i64]).await) });
        });
    }
    group.finish();
    runtime
        .block_on(tenant.query(SQL, &[&7_i64]))
        .context("the connection is still there")?;
    Ok(())
}
