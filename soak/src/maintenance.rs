//! What the operators of a Citus cluster do to it while it is used.

use std::time::Duration;

use anyhow::Context as _;
use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio::time::sleep;
use tokio_postgres::Client;

use crate::stage::Stage;
use crate::tally::Tally;

/// What takes longer is given up, by the server.
const LIMIT: &str = "SET statement_timeout = '60s'; SET lock_timeout = '20s'";

/// A node as `pg_dist_node` names it.
struct Place {
    id: i32,
    host: String,
    port: i32,
}

/// One of the things that operators do. One that fails is told and no violation: nothing may be lost
/// by it either.
pub(crate) async fn act(
    stage: &Stage,
    tally: &Tally,
    random: &mut StdRng,
    tenants: i64,
) -> anyhow::Result<()> {
    let client = stage.beside().await?;
    client.batch_execute(LIMIT).await?;
    // What moved away is dropped later, and stands in the way of what moves back before.
    let _ = client
        .batch_execute("CALL citus_cleanup_orphaned_resources()")
        .await;
    let (kind, done) = match random.random_range(0..10) {
        0..3 => (
            "shard moved, block_writes",
            move_shard(&client, "block_writes").await,
        ),
        3..6 => (
            "shard moved, force_logical",
            move_shard(&client, "force_logical").await,
        ),
        6 | 7 => {
            let tenant = random.random_range(0..tenants);
            ("tenant isolated", isolate(&client, tenant).await)
        }
        8 => ("shard split", split(&client).await),
        _ => (
            "node drained, removed and added",
            replace(&client, random).await,
        ),
    };
    match done {
        Ok(what) => tally.fault(kind, format!("{kind}: {what}")),
        Err(error) => tally.fault(&format!("failed: {kind}"), format!("{kind}: {error:#}")),
    }
    Ok(())
}

async fn move_shard(client: &Client, mode: &str) -> anyhow::Result<String> {
    let (shard, from) = some_shard(client).await?;
    let to = other_place(client, &from).await?;
    client
        .execute(
            "SELECT citus_move_shard_placement($1, $2, $3, $4, $5, $6::text::citus.shard_transfer_mode)",
            &[&shard, &from.host, &from.port, &to.host, &to.port, &mode],
        )
        .await
        .map_err(said)?;
    Ok(format!("{shard} from {} to {}", from.port, to.port))
}

async fn isolate(client: &Client, tenant: i64) -> anyhow::Result<String> {
    client
        .execute(
            "SELECT isolate_tenant_to_new_shard('entries', $1::bigint, 'CASCADE', 'block_writes')",
            &[&tenant],
        )
        .await
        .map_err(said)?;
    Ok(format!("tenant {tenant}"))
}

/// In the middle; one half stays and the other one moves.
async fn split(client: &Client) -> anyhow::Result<String> {
    let (shard, from) = some_shard(client).await?;
    let to = other_place(client, &from).await?;
    let bounds = client
        .query_one(
            "SELECT shardminvalue::bigint, shardmaxvalue::bigint FROM pg_dist_shard WHERE shardid = $1",
            &[&shard],
        )
        .await?;
    let middle = i64::midpoint(bounds.get(0), bounds.get(1)).to_string();
    client
        .execute(
            "SELECT citus_split_shard_by_split_points($1, ARRAY[$2], ARRAY[$3::int, $4::int], 'block_writes')",
            &[&shard, &middle, &from.id, &to.id],
        )
        .await
        .map_err(said)?;
    Ok(format!("{shard} at {middle}"))
}

/// A worker gives its shards away, leaves, and comes back some seconds later, empty.
async fn replace(client: &Client, random: &mut StdRng) -> anyhow::Result<String> {
    let places = places(client).await?;
    let leaving = places
        .get(random.random_range(0..places.len().max(1)))
        .context("there is no worker")?;
    let drained = client
        .execute(
            "SELECT citus_drain_node($1, $2, 'block_writes')",
            &[&leaving.host, &leaving.port],
        )
        .await
        .map_err(said);
    if let Err(error) = drained {
        client
            .execute(
                "SELECT citus_set_node_property($1, $2, 'shouldhaveshards', true)",
                &[&leaving.host, &leaving.port],
            )
            .await
            .map_err(said)?;
        return Err(error);
    }
    let node: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&leaving.host, &leaving.port];
    client
        .execute("SELECT citus_remove_node($1, $2)", &node)
        .await
        .map_err(said)?;
    // The others change while it is away, and it is not told: what is written through it is lost.
    sleep(Duration::from_millis(random.random_range(0..2000))).await;
    let mut moved = 0;
    for _ in 0..4 {
        moved += usize::from(move_shard(client, "block_writes").await.is_ok());
    }
    sleep(Duration::from_millis(random.random_range(500..2000))).await;
    client
        .execute("SELECT citus_add_node($1, $2)", &node)
        .await
        .map_err(said)?;
    // With some shards again.
    for _ in 0..2 {
        let _ = move_shard(client, "block_writes").await;
    }
    Ok(format!("{}; meanwhile {moved} shards moved", leaving.port))
}

/// A shard of the tables, and where it is.
async fn some_shard(client: &Client) -> anyhow::Result<(i64, Place)> {
    let row = client
        .query_one(
            "SELECT s.shardid, n.nodeid, n.nodename, n.nodeport FROM pg_dist_shard s
             JOIN pg_dist_placement p USING (shardid) JOIN pg_dist_node n USING (groupid)
             WHERE s.logicalrelid = 'entries'::regclass ORDER BY random() LIMIT 1",
            &[],
        )
        .await?;
    Ok((
        row.get(0),
        Place {
            id: row.get(1),
            host: row.get(2),
            port: row.get(3),
        },
    ))
}

async fn other_place(client: &Client, than: &Place) -> anyhow::Result<Place> {
    let mut places = places(client).await?;
    places.retain(|place| place.id != than.id);
    // The one with the fewest is the one that came last.
    places
        .into_iter()
        .next()
        .context("there is no other worker")
}

/// The workers that may have shards, those with the fewest first.
async fn places(client: &Client) -> anyhow::Result<Vec<Place>> {
    let rows = client
        .query(
            "SELECT n.nodeid, n.nodename, n.nodeport FROM pg_dist_node n
             LEFT JOIN pg_dist_placement p USING (groupid)
             WHERE n.isactive AND n.shouldhaveshards AND n.groupid > 0
             GROUP BY 1, 2, 3 ORDER BY count(p), random()",
            &[],
        )
        .await?;
    let place = |row: tokio_postgres::Row| Place {
        id: row.get(0),
        host: row.get(1),
        port: row.get(2),
    };
    Ok(rows.into_iter().map(place).collect())
}

/// The server's words instead of "db error".
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn said(error: tokio_postgres::Error) -> anyhow::Error {
    match error.as_db_error() {
        Some(said) => anyhow::anyhow!("{} {}", said.code().code(), said.message()),
        None => anyhow::anyhow!("{error}"),
    }
}
