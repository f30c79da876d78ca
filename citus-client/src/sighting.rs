//! Whether a tenant's shard stayed where it was while a statement ran.
//!
//! On Citus (13.2.2, `executor/local_executor.c`: the local plan runs with the active snapshot) a
//! statement of its fast path that waited on the owning node for a blocking split, tenant isolation or
//! move goes on with a snapshot from before the wait. The rows' new place is empty in it: an `UPDATE`
//! reports 0 rows although there are some. What is not of the fast path, because it reads other tables or
//! writes several times, is refused by Citus itself then (40001 `shard for the given value does not
//! exist`), and new rows go to where the shard is after the wait.
//!
//! So the catalogs' rows of the shard are looked at after such an answer, on the same connection. Had they
//! been seen as they are now before the statement was sent, nothing has moved while it ran. Their `xmin`
//! tells every change, also that of a move, which on workers updates the row of `pg_dist_placement` in
//! place. (The statistics counters of the catalogs, which are cheaper, are told by a backend up to 10 s
//! late: PostgreSQL 15, `pgstat_report_stat`.)

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use postgres_types::ToSql;
use quick_cache::sync::Cache;

use crate::connection::{Connection, Params};
use crate::error::RequestError;
use crate::request::{Affected, Answer, Request, Rows};

/// How the catalogs' rows of a shard and its placements were seen by its node; equal only to the same
/// rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sighting(u64);

/// How each shard was last seen, by its `pg_dist_shard.shardid`. What is forgotten costs another run of
/// a statement without rows.
pub(crate) struct Sightings(Cache<i64, Sighting>);

/// As many shards as a large cluster has in all its colocation groups; a few megabytes.
const REMEMBERED: usize = 1 << 16;

/// However often a shard is moved: a statement is not run more often than this.
const RUNS: usize = 4;

const LOOK: &str = "SELECT concat_ws(' ', s.xmin, p.placementid, p.xmin) \
     FROM pg_catalog.pg_dist_shard s JOIN pg_catalog.pg_dist_placement p USING (shardid) \
     WHERE shardid = $1 ORDER BY p.placementid";

impl Sightings {
    /// Nothing was seen yet.
    pub(crate) fn new() -> Self {
        Self(Cache::new(REMEMBERED))
    }

    /// An answer that can be believed, from the node that owns the shard: a statement that changed or locked
    /// no row is run again for as long as its shard changes meanwhile.
    pub(crate) async fn answer<A: Answer>(
        &self,
        shard: i64,
        request: Request<'_>,
        connection: &Connection,
    ) -> Result<A::Output, RequestError> {
        let mut before = self.0.get(&shard);
        for _ in 0..RUNS {
            let (answer, affected) = request.counted::<A>(connection).await?;
            if affected > 0 {
                return Ok(answer);
            }
            let now = look(shard, connection, request.limit).await?;
            self.0.insert(shard, now);
            if before.replace(now) == Some(now) {
                return Ok(answer);
            }
            tracing::debug!(node = %connection.node(), "a statement without rows is run again");
        }
        Err(RequestError::ShardMoved {
            node: connection.node().clone(),
        })
    }
}

impl std::fmt::Debug for Sightings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sightings({})", self.0.len())
    }
}

/// Looks at a shard. In a transaction that sees one snapshot it would see no change.
pub(crate) async fn look(
    shard: i64,
    connection: &Connection,
    limit: Duration,
) -> Result<Sighting, RequestError> {
    let params: [&(dyn ToSql + Sync); 1] = [&shard];
    let request = Request {
        text: LOOK,
        params: Params::new(&params, None),
        keep: true,
        limit,
    };
    let rows = request.answer::<Rows>(connection).await?;
    let mut hasher = DefaultHasher::new();
    for row in &rows {
        row.try_get::<_, &str>(0).ok().hash(&mut hasher);
    }
    Ok(Sighting(hasher.finish()))
}

/// Whether a shard is there at this moment, whatever the transaction sees: this function looks into the
/// metadata that Citus itself plans with. It is an error of the server when it is not, which fails the
/// transaction and says that it may be repeated (`could not find valid entry for shard`).
pub(crate) async fn is_still_there(
    shard: i64,
    connection: &Connection,
    limit: Duration,
) -> Result<(), RequestError> {
    let params: [&(dyn ToSql + Sync); 1] = [&shard];
    let request = Request {
        text: "SELECT pg_catalog.get_colocated_shard_array($1)",
        params: Params::new(&params, None),
        keep: true,
        limit,
    };
    request.answer::<Affected>(connection).await.map(drop)
}
