//! Noticing that the nodes or shards have changed, without reading them.
//!
//! The counters of PostgreSQL's statistics change with every row of the catalogs, but late: a
//! session reports what it did at most once a second, and what it does shortly after that only ten
//! seconds later (seen on Citus 13.2 with PostgreSQL 15: three moves of one session showed in no
//! counter for that long). So they are only the last of what is looked at. On the coordinator a new
//! shard and a moved placement have a new and higher id, which an index finds; both are seen as soon
//! as they are committed, unless of two changes at the same time the one with the lower ids ends
//! last. The nodes are few and looked at in full.

/// A text that differs after a change of the nodes, the shards or their places, when the same node
/// is asked. For Citus 10.2 and newer.
macro_rules! fingerprint {
    () => {
        "\
pg_catalog.concat_ws(' ',
    (SELECT pg_catalog.max(placementid) FROM pg_catalog.pg_dist_placement),
    (SELECT pg_catalog.max(shardid) FROM pg_catalog.pg_dist_shard),
    (SELECT pg_catalog.max(colocationid) FROM pg_catalog.pg_dist_colocation),
    (SELECT pg_catalog.md5(pg_catalog.string_agg(n::text, ',' ORDER BY nodeid))
        FROM pg_catalog.pg_dist_node n),
    (SELECT pg_catalog.sum(pg_catalog.pg_stat_get_tuples_inserted(c)
            + pg_catalog.pg_stat_get_tuples_updated(c) + pg_catalog.pg_stat_get_tuples_deleted(c))
        FROM pg_catalog.unnest(ARRAY[
            'pg_catalog.pg_dist_placement', 'pg_catalog.pg_dist_shard', 'pg_catalog.pg_dist_node',
            'pg_catalog.pg_dist_partition', 'pg_catalog.pg_dist_colocation',
            'pg_catalog.pg_dist_schema']) name
        CROSS JOIN LATERAL pg_catalog.to_regclass(name) c))"
    };
}

pub(super) use fingerprint;

/// Asks for the fingerprint alone.
pub(crate) const QUESTION: &str = concat!("SELECT ", fingerprint!());
