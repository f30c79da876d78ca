//! The hash by which Citus spreads rows over shards, computed here exactly as the server does.
//!
//! A shard owns a range of the signed 32-bit hash of the distribution column. The hash is
//! PostgreSQL's own hash function of the column's type (support function 1 of its hash operator
//! class), which is Bob Jenkins' lookup3 on little-endian servers; `worker_hash(value)` shows it.
//! Checked against vectors of Citus 13.2 on PostgreSQL 15.
//!
//! Types whose hash depends on more than the value's bytes (`numeric`, floats, composites, domains)
//! have no function here: their tenants are sent to the coordinator, which knows.

mod bytes;
mod date_time;
mod integer;
mod lookup3;

pub use bytes::{hash_bpchar, hash_bytea, hash_text, hash_uuid};
pub use date_time::{hash_date, hash_timestamptz};
pub use integer::{hash_bool, hash_int2, hash_int4, hash_int8};

#[cfg(test)]
mod tests {
    use tenant_guard::TenantType;

    use crate::TenantId;

    /// Each value as text, as a user of the command line gives it.
    #[test]
    fn the_vectors_of_a_real_cluster_agree() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/hash_vectors.csv");
        let mut compared = std::collections::BTreeMap::<String, u32>::new();
        for record in csv::Reader::from_path(file).unwrap().records() {
            let record = record.unwrap();
            let tenant_type = TenantType::from_sql(&record[0]);
            if matches!(tenant_type, TenantType::Other(_)) {
                continue;
            }
            let tenant = TenantId::from(&record[1]);
            let hash = tenant.hash_as(&tenant_type).unwrap();
            assert_eq!(hash, Some(record[2].parse().unwrap()), "{record:?}");
            *compared.entry(record[0].to_owned()).or_default() += 1;
        }
        let expected = [
            ("bool", 2),
            ("bpchar", 779),
            ("bytea", 710),
            ("date", 463),
            ("int2", 462),
            ("int4", 465),
            ("int8", 520),
            ("text", 452),
            ("timestamptz", 460),
            ("uuid", 455),
            ("varchar", 452),
        ];
        let compared: Vec<_> = compared
            .iter()
            .map(|(name, n)| (name.as_str(), *n))
            .collect();
        assert_eq!(compared, expected);
    }
}
