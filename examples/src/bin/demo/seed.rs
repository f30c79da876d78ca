//! Tenants with projects and tasks, written through the driver as an application would.

use std::collections::BTreeMap;
use std::time::Instant;

use citus_client::{Cluster, RequestError};
use citus_testkit::TestDatabase;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use indicatif::{ProgressBar, ProgressStyle};

use crate::name_of;
use crate::page::Page;

/// How many tenants are written at the same time.
const IN_FLIGHT: usize = 8;
const PROJECTS: i64 = 5;
const TASKS: i64 = 40;

const COUNTRIES: [&str; 5] = ["BR", "DE", "IN", "JP", "KE"];

const ORGANISATION: &str = "INSERT INTO organisations (name, country) VALUES ($1, $2)";

const PROJECT: &str = "\
INSERT INTO projects (id, name)
SELECT $1::bigint * 100 + n, (ARRAY['Atlas', 'Borealis', 'Cascade', 'Drift', 'Ember'])[n]
FROM generate_series(1, 5) AS n";

const TASK: &str = "\
INSERT INTO tasks (id, project_id, title, points, done)
SELECT $1::bigint * 1000 + n, $1::bigint * 100 + 1 + n % 5, 'Task ' || n, 1 + n % 8, n % 3 = 0
FROM generate_series(1, 40) AS n";

/// The id of a tenant's n-th task; ids are unique over all tenants here, so that one can be stolen.
pub(crate) fn task_id(tenant: i64, number: i64) -> i64 {
    tenant * 1_000 + number
}

/// The id of a tenant's n-th project.
pub(crate) fn project_id(tenant: i64, number: i64) -> i64 {
    tenant * 100 + number
}

pub(crate) async fn fill(
    page: &Page,
    cluster: &Cluster,
    database: &TestDatabase,
    tenants: i64,
) -> anyhow::Result<()> {
    let start = Instant::now();
    let bar = progress_bar(page, tenants);
    stream::iter(1..=tenants)
        .map(|tenant| async move { write_tenant(cluster, tenant).await })
        .buffer_unordered(IN_FLIGHT)
        .try_for_each(|()| {
            bar.inc(1);
            async { Ok(()) }
        })
        .await?;
    bar.finish_and_clear();

    let took = start.elapsed().as_secs_f64();
    let rows = tenants * (1 + PROJECTS + TASKS);
    page.good(
        "tenants",
        format!(
            "{tenants} with {PROJECTS} projects and {TASKS} tasks each: {rows} rows in {took:.1} s"
        ),
    );
    let mut nodes: BTreeMap<String, u64> = BTreeMap::new();
    for tenant in 1..=tenants {
        let route = cluster.route("tasks", tenant)?;
        *nodes.entry(name_of(database, &route.node)).or_default() += 1;
    }
    let spread: Vec<String> = nodes
        .iter()
        .map(|(node, count)| format!("{count} on {node}"))
        .collect();
    page.fact("", spread.join(", "));
    Ok(())
}

async fn write_tenant(cluster: &Cluster, id: i64) -> Result<(), RequestError> {
    let tenant = cluster.tenant(id);
    let name = format!("Organisation {id}");
    let country = COUNTRIES[usize::try_from(id).unwrap_or(0) % COUNTRIES.len()];
    tenant.execute(ORGANISATION, &[&name, &country]).await?;
    tenant.execute(PROJECT, &[&id]).await?;
    tenant.execute(TASK, &[&id]).await?;
    Ok(())
}

fn progress_bar(page: &Page, tenants: i64) -> ProgressBar {
    let bar = ProgressBar::new(tenants.unsigned_abs());
    let template = if page.colours() {
        "    tenants {bar:48.green/238} {pos:>5} of {len}, {eta} to go"
    } else {
        "    tenants {bar:48} {pos:>5} of {len}, {eta} to go"
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━━─"));
    }
    bar
}
