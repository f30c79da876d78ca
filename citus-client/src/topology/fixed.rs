//! Several servers that know nothing of each other, with Citus' own hash ranges.

use std::collections::{BTreeMap, HashMap};

use super::{Colocation, Node, NodeAddress, Topology, TopologyError, TopologyKind, TopologyParts};

/// `MAX_SHARD_COUNT` (Citus `src/include/distributed/coordinator_protocol.h`).
const MAX_SHARD_COUNT: u32 = 64_000;

impl Topology {
    /// Tenants spread over plain PostgreSQL servers by their hash, as `create_distributed_table`
    /// would spread them over as many Citus workers: the 2³² hashes divided into `shard_count`
    /// ranges of one size, dealt out to the nodes in turn.
    ///
    /// Each server has all tables. None of them passes anything on, so that a transaction stays
    /// with one server. The first stands in for the coordinator: it takes tenants whose value
    /// cannot be hashed here, and what is unscoped.
    ///
    /// A node is `host:port`, or a URL of which host and port are read. User, password and
    /// database are those of the [`Config`](crate::Config).
    ///
    /// # Errors
    /// See [`TopologyError`].
    pub fn fixed<A: AsRef<str>>(
        nodes: impl IntoIterator<Item = A>,
        shard_count: u32,
    ) -> Result<Self, TopologyError> {
        if !(1..=MAX_SHARD_COUNT).contains(&shard_count) {
            return Err(TopologyError::ShardCount(shard_count));
        }
        let addresses: Vec<NodeAddress> = nodes
            .into_iter()
            .map(|node| node.as_ref().parse())
            .collect::<Result<_, _>>()?;
        if addresses.is_empty() {
            return Err(TopologyError::NoNodes);
        }
        Ok(Self::plain(TopologyKind::Fixed, addresses, shard_count))
    }

    /// One server without Citus.
    pub(crate) fn single(address: NodeAddress) -> Self {
        Self::plain(TopologyKind::Postgres, vec![address], 1)
    }

    fn plain(kind: TopologyKind, addresses: Vec<NodeAddress>, shard_count: u32) -> Self {
        let count = addresses.len();
        let ranges = lower_bounds(shard_count)
            .enumerate()
            .map(|(shard, bound)| (bound, Some(shard % count), None))
            .collect();
        let nodes = (0..).zip(addresses);
        Self::new(TopologyParts {
            kind,
            nodes: nodes
                .map(|(id, address)| Node::new(id, id, address, id == 0, true))
                .collect(),
            coordinator: 0,
            colocations: Colocation::new(0, ranges).into_iter().collect(),
            tables: BTreeMap::new(),
            schemas: HashMap::default(),
            utf8: true,
        })
    }

    /// Says whether the servers hold texts as UTF-8.
    pub(crate) fn with_utf8(mut self, utf8: bool) -> Self {
        self.utf8 = utf8;
        self
    }
}

/// `CreateHashDistributedTableShards`: an increment of 2³² / n, of which the rest goes to the last.
fn lower_bounds(shard_count: u32) -> impl Iterator<Item = i32> {
    let increment = (1_u64 << 32) / u64::from(shard_count);
    (0..u64::from(shard_count)).map(move |shard| {
        #[allow(
            clippy::cast_possible_truncation,
            reason = "less than 2^32, as shard < n"
        )]
        let offset = (shard * increment) as u32;
        i32::MIN.wrapping_add_unsigned(offset)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_create_distributed_table() {
        // SELECT shardminvalue FROM pg_dist_shard on Citus 13.2 with shard_count 4 and 3.
        let bounds = |count| lower_bounds(count).collect::<Vec<_>>();
        assert_eq!(
            bounds(4),
            [-2_147_483_648, -1_073_741_824, 0, 1_073_741_824]
        );
        assert_eq!(bounds(3), [-2_147_483_648, -715_827_883, 715_827_882]);
        assert_eq!(bounds(1), [i32::MIN]);
    }

    #[test]
    fn every_count_covers_every_hash() {
        for count in [1, 2, 3, 7, 32, 1000, MAX_SHARD_COUNT] {
            let topology = Topology::fixed(["a:1", "b:1", "c:1"], count).unwrap();
            assert_eq!(topology.colocations()[0].shard_count(), count as usize);
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert_eq!(
            Topology::fixed(["a:1"], 0).unwrap_err(),
            TopologyError::ShardCount(0)
        );
        assert_eq!(
            Topology::fixed([""; 0], 8).unwrap_err(),
            TopologyError::NoNodes
        );
        assert_eq!(
            Topology::fixed(["a:b:c"], 8).unwrap_err(),
            TopologyError::Address
        );
    }
}
