//! Afterwards: what is there, and what has to be.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use citus_client::Cluster;
use tokio::time::{Instant, sleep};

use crate::journal::{Bounds, Promises};
use crate::stage::{APPLICATION, POOL_SIZE, Stage};
use crate::violations::Violations;

/// For everything to be as it was before the faults.
const RECOVERY: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(200);

/// Every tenant is served again, and sees its own counter and nothing else.
pub(crate) async fn served(cluster: &Cluster, tenants: i64, violations: &Violations) {
    let deadline = Instant::now() + RECOVERY;
    for tenant in 0..tenants {
        let handle = cluster.tenant(tenant);
        loop {
            match handle.query("SELECT tenant_id FROM counters", &[]).await {
                Ok(rows) if rows.len() == 1 && rows[0].get::<_, i64>(0) == tenant => break,
                Ok(rows) => {
                    let found = rows.len();
                    violations.add("a tenant sees other than its own rows", || {
                        format!("tenant {tenant} sees {found} counters")
                    });
                    break;
                }
                Err(_) if Instant::now() < deadline => sleep(POLL).await,
                Err(error) => {
                    violations.add("a tenant is not served after the faults", || {
                        format!("tenant {tenant}: {error}")
                    });
                    break;
                }
            }
        }
    }
}

/// No session of the driver is busy that nobody waits for, and there are no more than the pools may
/// have.
pub(crate) async fn idle(stage: &Stage, violations: &Violations) -> anyhow::Result<()> {
    // One more reads the topology.
    let most = i64::try_from(POOL_SIZE)? + 1;
    let calm = |sessions: &Sessions| sessions.all <= most && sessions.busy == 0;
    for (node, sessions) in wait(stage, calm).await? {
        if !calm(&sessions) {
            let Sessions { all, busy } = sessions;
            violations.add("a connection has leaked from its pool", || {
                format!("node {node} has {all} sessions, {busy} of them not idle; {most} may be")
            });
        }
    }
    Ok(())
}

/// After the driver was dropped no session of it is left.
pub(crate) async fn gone(stage: &Stage, violations: &Violations) -> anyhow::Result<()> {
    for (node, sessions) in wait(stage, |sessions| sessions.all == 0).await? {
        if sessions.all > 0 {
            violations.add("a connection outlives its driver", || {
                format!("node {node} has {} sessions", sessions.all)
            });
        }
    }
    Ok(())
}

struct Sessions {
    all: i64,
    busy: i64,
}

/// The sessions of each node, once they are as they should be, or when they do not come to it.
async fn wait(
    stage: &Stage,
    is_so: impl Fn(&Sessions) -> bool,
) -> anyhow::Result<Vec<(usize, Sessions)>> {
    let deadline = Instant::now() + RECOVERY;
    loop {
        let mut found = Vec::new();
        for (index, node) in stage.database.nodes().enumerate() {
            let row = node
                .connect()
                .await?
                .query_one(
                    "SELECT count(*), count(*) FILTER (WHERE state <> 'idle') FROM pg_stat_activity
                     WHERE application_name = $1 AND datname = current_database()",
                    &[&APPLICATION],
                )
                .await?;
            let (all, busy) = (row.get(0), row.get(1));
            found.push((index, Sessions { all, busy }));
        }
        if found.iter().all(|(_, sessions)| is_so(sessions)) || Instant::now() > deadline {
            return Ok(found);
        }
        sleep(POLL).await;
    }
}

/// Each acknowledged write is there once, none that was refused is, of those that nobody knows each
/// at most once, and transactions are whole.
pub(crate) async fn writes(
    stage: &Stage,
    promises: &Promises,
    violations: &Violations,
) -> anyhow::Result<()> {
    let client = stage.beside().await?;
    let mut rows = HashMap::new();
    for table in ["entries", "receipts"] {
        let sql = format!("SELECT tenant_id, id, count(*) FROM {table} GROUP BY 1, 2");
        let found: HashMap<(i64, i64), i64> = client
            .query(&sql, &[])
            .await?
            .iter()
            .map(|row| ((row.get(0), row.get(1)), row.get(2)))
            .collect();
        rows.insert(table, found);
    }
    compare(
        "row of entries",
        &promises.entries,
        &rows["entries"],
        violations,
    );
    compare(
        "row of receipts",
        &promises.receipts,
        &rows["receipts"],
        violations,
    );
    // A transfer that nobody knows of is in both tables or in none; one that is known was compared.
    // Its row of entries can have been deleted later only when it was acknowledged.
    for (key, bounds) in &promises.receipts {
        let count = |table| rows[table].get(key).copied().unwrap_or_default();
        if bounds.least == 0 && count("entries") != count("receipts") {
            violations.add("a transaction was carried out by half", || {
                format!("{key:?}")
            });
        }
    }
    let counters: HashMap<i64, i64> = client
        .query("SELECT tenant_id, n FROM counters", &[])
        .await?
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    compare("increment", &promises.counters, &counters, violations);
    Ok(())
}

fn compare<K: Copy + Eq + Hash + std::fmt::Debug>(
    what: &'static str,
    promised: &HashMap<K, Bounds>,
    found: &HashMap<K, i64>,
    violations: &Violations,
) {
    let unpromised = found.keys().filter(|key| !promised.contains_key(key));
    for key in promised.keys().chain(unpromised) {
        let bounds = promised.get(key).copied().unwrap_or_default();
        let count = found.get(key).copied().unwrap_or_default();
        if bounds.hold(count) {
            continue;
        }
        let sentence = if count < bounds.least {
            "an acknowledged write is lost"
        } else if bounds.most == 0 {
            "a write is there that was refused or undone"
        } else {
            "a write is there more often than it was made"
        };
        let Bounds { least, most } = bounds;
        violations.add(sentence, || {
            format!("{what} {key:?}: there {count} times, {least} to {most} were promised")
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_doubled_or_unasked_for_is_found() {
        let bounds = |least, most| Bounds { least, most };
        let promised = HashMap::from([
            (1, bounds(1, 1)),
            (2, bounds(1, 1)),
            (3, bounds(1, 1)),
            (4, bounds(0, 0)),
            (5, bounds(0, 1)),
            (6, bounds(3, 5)),
        ]);
        let found = HashMap::from([(1, 1), (3, 2), (4, 1), (6, 6), (7, 1)]);
        let violations = Violations::default();
        compare("row", &promised, &found, &violations);
        let all = violations.all();
        let times = |what| all.get(what).map_or(0, |violation| violation.times);
        assert_eq!(times("an acknowledged write is lost"), 1);
        assert_eq!(times("a write is there that was refused or undone"), 2);
        assert_eq!(times("a write is there more often than it was made"), 2);
        assert_eq!(violations.count(), 5);
    }
}
