//! Whether the shards on a node have changed since a moment, told exactly.
//!
//! A write that waited for a blocking move or split can report 0 rows on the node that then has the
//! shard, although there are some (Citus 13.2). The counters of PostgreSQL's statistics cannot tell:
//! they change seconds after the commit (see [`changes`](super::changes)). The rows of the catalogs
//! can, as they carry the transaction that wrote them: a [`Horizon`] that was read before the
//! statement was sent lies below every transaction that can have changed them meanwhile.
//!
//! The locks that the statement waited for are given up after the transaction that held them can
//! be seen, so that looking after the answer is in time.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::timeout;

use crate::connection::Connection;
use crate::error::RequestError;

/// A moment of one node: all transactions with a lower number had ended. Numbers are full ones, as
/// `pg_snapshot_xmin` has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Horizon(NonZeroU64);

/// What a look at the catalogs found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// Whether something may have changed since the moment that was given.
    pub(crate) changed: bool,
    /// The moment of this look, for the next one.
    pub(crate) horizon: Option<Horizon>,
}

impl Horizon {
    /// The number that the rows of the catalogs carry: without its epoch. Never one of the three
    /// that are no transaction's; an earlier one is as safe.
    fn xid(self) -> u32 {
        #[allow(clippy::cast_possible_truncation, reason = "the epoch is left out")]
        match self.0.get() as u32 {
            special @ 0..3 => special.wrapping_sub(3),
            xid => xid,
        }
    }
}

/// The horizon of a node as far as it is known, shared by all requests.
#[derive(Debug, Default)]
pub(crate) struct KnownHorizon(AtomicU64);

impl KnownHorizon {
    pub(crate) fn load(&self) -> Option<Horizon> {
        NonZeroU64::new(self.0.load(Ordering::Acquire)).map(Horizon)
    }

    /// What a look found. An older one that comes late is as safe.
    pub(crate) fn set(&self, horizon: Horizon) {
        self.0.store(horizon.0.get(), Ordering::Release);
    }

    /// Nothing is known any more: every row may be newer.
    pub(crate) fn forget(&self) {
        self.0.store(0, Ordering::Release);
    }
}

/// Looks whether a shard was changed, moved, split or dropped on the connection's node since a
/// moment of that node; without a shard, whether any was, which takes longer with many of them.
/// Without a moment everything counts as changed.
///
/// The connection has to be idle. In a transaction with a snapshot of its own (`REPEATABLE READ`,
/// `SERIALIZABLE`) newer rows of the catalogs are not seen: there it has to be another connection to
/// the same node.
///
/// # Errors
/// As of any statement; what failed says nothing about the shard.
pub(crate) async fn look(
    connection: &Connection,
    shard: Option<i64>,
    since: Option<Horizon>,
    limit: Duration,
) -> Result<Look, RequestError> {
    let question = question(shard, since);
    let in_flight = connection.start();
    let answer = timeout(limit, connection.ask(&question)).await;
    let answer = connection.settle(in_flight, answer, limit)?;
    Ok(read(answer.as_deref().unwrap_or_default(), since))
}

fn question(shard: Option<i64>, since: Option<Horizon>) -> String {
    // The name of this function goes as far back as Citus 10.2 does, and is still there.
    let mut question = String::from(
        "SELECT pg_catalog.concat_ws(' ', \
         pg_catalog.txid_snapshot_xmin(pg_catalog.txid_current_snapshot()), ",
    );
    let Some(since) = since.map(Horizon::xid) else {
        question.push_str("'changed')");
        return question;
    };
    let newer = format!("pg_catalog.age(xmin) <= pg_catalog.age('{since}'::pg_catalog.xid)");
    let unchanged = match shard {
        Some(id) => format!(
            "EXISTS (SELECT FROM pg_catalog.pg_dist_shard WHERE shardid = {id}) \
             AND EXISTS (SELECT FROM pg_catalog.pg_dist_placement WHERE shardid = {id}) \
             AND NOT EXISTS (SELECT FROM pg_catalog.pg_dist_shard WHERE shardid = {id} AND {newer}) \
             AND NOT EXISTS (SELECT FROM pg_catalog.pg_dist_placement \
                 WHERE shardid = {id} AND {newer})"
        ),
        // A shard that vanishes does so with a table, or for others that come.
        None => format!(
            "NOT EXISTS (SELECT FROM pg_catalog.pg_dist_shard WHERE {newer}) \
             AND NOT EXISTS (SELECT FROM pg_catalog.pg_dist_placement WHERE {newer})"
        ),
    };
    question.push_str("CASE WHEN ");
    question.push_str(&unchanged);
    question.push_str(" THEN 'unchanged' ELSE 'changed' END)");
    question
}

fn read(answer: &str, since: Option<Horizon>) -> Look {
    let (number, verdict) = answer.split_once(' ').unwrap_or_default();
    let horizon = number.parse().ok().and_then(NonZeroU64::new).map(Horizon);
    // Numbers only grow, unless another server has taken the node's place and lacks its last ones.
    let same_server = horizon >= since;
    Look {
        // Whatever else it says is no proof.
        changed: verdict != "unchanged" || !same_server,
        horizon,
    }
}

#[cfg(test)]
mod tests {
    use citus_testkit::TestCluster;

    use super::*;
    use crate::Config;
    use crate::connection::{Canceller, Connector};

    fn horizon(number: u64) -> Horizon {
        Horizon(NonZeroU64::new(number).unwrap())
    }

    #[test]
    fn without_a_moment_everything_has_changed() {
        assert!(question(Some(7), None).ends_with("'changed')"));
        let expected = Look {
            changed: true,
            horizon: Some(horizon(763)),
        };
        assert_eq!(read("763 changed", None), expected);
    }

    #[test]
    fn only_what_is_said_of_the_same_server_is_a_proof() {
        let since = Some(horizon(700));
        assert!(!read("763 unchanged", since).changed);
        assert!(read("699 unchanged", since).changed);
        for nonsense in ["", "763", "x unchanged", "763 unchanged!", " "] {
            assert!(read(nonsense, since).changed, "{nonsense:?}");
        }
    }

    /// The statistics of PostgreSQL show none of these moves for ten seconds.
    #[tokio::test]
    async fn changes_in_quick_succession_are_told_at_once() {
        let cluster = TestCluster::shared().await.unwrap();
        if !cluster.is_citus() {
            return;
        }
        let database = cluster.create_database().await.unwrap();
        let schema =
            "CREATE TABLE t (tenant_id bigint); SELECT create_distributed_table('t', 'tenant_id');";
        database.migrate(schema).await.unwrap();
        let client = database.connect().await.unwrap();
        let shard = "SELECT get_shard_id_for_distribution_column('t', 1)";
        let shard: i64 = client.query_one(shard, &[]).await.unwrap().get(0);
        let limit = Duration::from_secs(30);
        for round in 0..3 {
            let mut before = Vec::new();
            for url in database.node_urls() {
                let connection = connect(&url).await;
                let since = settled(&connection, shard).await;
                before.push((connection, since));
            }
            let change = if round < 2 {
                "SELECT citus_move_shard_placement(
                    shardid, f.nodename, f.nodeport, t.nodename, t.nodeport, 'block_writes')
                 FROM pg_dist_placement p JOIN pg_dist_node f USING (groupid), pg_dist_node t
                 WHERE shardid = $1::bigint AND t.groupid NOT IN (0, f.groupid) LIMIT 1"
            } else {
                "SELECT isolate_tenant_to_new_shard('t', 1, shard_transfer_mode => 'block_writes')
                 WHERE $1::bigint > 0"
            };
            client.execute(change, &[&shard]).await.unwrap();
            for (connection, since) in &before {
                for shard in [Some(shard), None] {
                    let look = look(connection, shard, Some(*since), limit).await.unwrap();
                    assert!(look.changed, "round {round}, {connection:?}, {shard:?}");
                }
            }
        }
    }

    /// A moment at which nothing is left to be told: others' transactions can hold it back.
    async fn settled(connection: &Connection, shard: i64) -> Horizon {
        let mut since = None;
        for _ in 0..600 {
            let limit = Duration::from_secs(30);
            let look = look(connection, Some(shard), since, limit).await.unwrap();
            since = look.horizon;
            if !look.changed {
                return since.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it never settles");
    }

    async fn connect(url: &str) -> Connection {
        let config = Config::new(url).unwrap();
        let tls = crate::tls::make_tls(&config.server).unwrap();
        let host = config.server.hosts()[0].clone();
        let canceller = Canceller::new(tls.clone());
        let connector = Connector::new(&config, &host, None, &tls, &canceller);
        connector.connect().await.unwrap()
    }

    #[test]
    fn numbers_of_no_transaction_are_not_asked_for() {
        assert_eq!(horizon(763).xid(), 763);
        assert_eq!(horizon((5 << 32) + 763).xid(), 763);
        assert_eq!(horizon((1 << 32) + 2).xid(), u32::MAX);
    }
}
