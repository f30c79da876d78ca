//! What the library adds to a bare prepared query, and what of it is finding the way.

use std::hint::black_box;
use std::time::{Duration, Instant};

use citus_client::{Cluster, Config, TenantId, Topology};
use citus_testkit::TestDatabase;
use serde::Serialize;
use tenant_guard::{Access, GuardedSql};

use crate::{data, next_tenant};

const QUERIES: u64 = 20_000;
const ROUTES: u32 = 1_000_000;
const SQL: &str = "SELECT name, counter, payload FROM items WHERE id = $1";

/// Times of one client, in microseconds unless said otherwise.
#[derive(Debug, Serialize)]
pub(crate) struct Overhead {
    /// A point SELECT, prepared, over tokio-postgres: the median.
    pub(crate) bare: f64,
    /// The same over the driver, from the text of the statement on: the median.
    pub(crate) driver: f64,
    /// The median of the differences within a pair.
    pub(crate) added: f64,
    /// Finding a statement that was guarded before, and the node for a tenant; nanoseconds.
    pub(crate) guard_and_route: f64,
    /// Finding the node for a tenant alone, hash included; nanoseconds.
    pub(crate) route: f64,
}

/// On a server without Citus, whose answers take the same time whatever the way; both ways take
/// turns with every single query.
pub(crate) async fn measure(plain: &TestDatabase) -> anyhow::Result<Overhead> {
    let topology = Topology::fixed([plain.url()], 32)?;
    let config = Config::new(&plain.url())?
        .tenancy(data::tenancy()?)
        .topology(topology);
    let cluster = Cluster::connect_with(config).await?;
    let guarded = cluster.guard(SQL)?;
    let client = plain.connect().await?;
    // The driver's connections plan so, too.
    client
        .batch_execute("SET plan_cache_mode = force_custom_plan")
        .await?;
    let statement = client.prepare(guarded.text()).await?;

    let (mut bare, mut driver, mut added) = (Vec::new(), Vec::new(), Vec::new());
    for count in 0..QUERIES {
        let (tenant, item) = (next_tenant(count), 1_i64);
        let by_hand = async || {
            let start = Instant::now();
            client.query(&statement, &[&item, &tenant]).await?;
            anyhow::Ok(start.elapsed())
        };
        let by_driver = async || {
            let start = Instant::now();
            cluster.tenant(tenant).query(SQL, &[&item]).await?;
            anyhow::Ok(start.elapsed())
        };
        // Whoever goes second finds the rows in the processor's cache.
        let (one, other) = if count % 2 == 0 {
            let one = by_hand().await?;
            (one, by_driver().await?)
        } else {
            let other = by_driver().await?;
            (by_hand().await?, other)
        };
        bare.push(one.as_secs_f64() * 1e6);
        driver.push(other.as_secs_f64() * 1e6);
        added.push((other.as_secs_f64() - one.as_secs_f64()) * 1e6);
    }
    Ok(Overhead {
        bare: median(bare),
        driver: median(driver),
        added: median(added),
        guard_and_route: guard_and_route(&cluster)?,
        route: route(&cluster, &guarded)?,
    })
}

fn guard_and_route(cluster: &Cluster) -> anyhow::Result<f64> {
    let topology = cluster.topology();
    let start = Instant::now();
    for tenant in 0..ROUTES {
        let guarded = cluster.guard(black_box(SQL))?;
        if let Access::Tenant {
            colocation,
            tenant_type,
        } = guarded.access()
        {
            let tenant = TenantId::from(i64::from(tenant));
            black_box(topology.route(colocation, tenant_type, black_box(&tenant))?);
        }
    }
    Ok(nanoseconds(start.elapsed()))
}

fn route(cluster: &Cluster, guarded: &GuardedSql) -> anyhow::Result<f64> {
    let topology = cluster.topology();
    let Access::Tenant {
        colocation,
        tenant_type,
    } = guarded.access()
    else {
        anyhow::bail!("the statement has lost its tenant");
    };
    let start = Instant::now();
    for tenant in 0..ROUTES {
        let tenant = TenantId::from(i64::from(tenant));
        black_box(topology.route(colocation, tenant_type, black_box(&tenant))?);
    }
    Ok(nanoseconds(start.elapsed()))
}

fn nanoseconds(all: Duration) -> f64 {
    all.as_secs_f64() * 1e9 / f64::from(ROUTES)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
