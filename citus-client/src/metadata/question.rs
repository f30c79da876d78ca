//! What is asked of Citus' catalogs: one statement, and so one snapshot of all of them, for each
//! group of versions.
//!
//! What differs from Citus 10.2 to 14 (read in its upgrade scripts, and tried on catalogs of each):
//! `pg_dist_schema` is there since 12.0, `pg_dist_node.nodeisclone` since 13.2. Up to 11.1 there are
//! placements that are none any more (`shardstate` 3 and 4), so that only those with 1 are read.
//!
//! Tables of one colocation group have the same ranges and the same placements, so that one table of
//! each is enough; the ranges are contiguous, so that their lower bounds are. The `OFFSET 0` keeps
//! the planner, which has no statistics of these catalogs on workers, from a plan that takes seconds
//! with many shards.

use super::changes::fingerprint;
use super::version::CitusVersion;

/// For schemas that are tenants: where each is, and the tables that they have. An empty schema has
/// no shard yet.
macro_rules! schemas {
    () => {
        "
    'schemas', (
        SELECT pg_catalog.json_agg(pg_catalog.json_build_array(
            n.nspname, x.owners, x.shardid))
        FROM pg_catalog.pg_dist_schema s
        JOIN pg_catalog.pg_namespace n ON n.oid = s.schemaid
        LEFT JOIN LATERAL (
            SELECT sh.shardid, (
                SELECT pg_catalog.string_agg(groupid::text, ',' ORDER BY placementid)
                FROM pg_catalog.pg_dist_placement pl
                WHERE pl.shardid = sh.shardid AND pl.shardstate = 1
            ) AS owners
            FROM (
                SELECT logicalrelid FROM pg_catalog.pg_dist_partition p
                WHERE p.colocationid = s.colocationid
                LIMIT 1
            ) p
            CROSS JOIN LATERAL (
                SELECT shardid FROM pg_catalog.pg_dist_shard sh
                WHERE sh.logicalrelid = p.logicalrelid
                OFFSET 0
            ) sh
        ) x ON true
    ),
    'schema_tables', (
        SELECT pg_catalog.json_agg(pg_catalog.json_build_array(relname, columns))
        FROM (
            SELECT relname, pg_catalog.json_agg(attname ORDER BY place) AS columns
            FROM (
                SELECT c.relname, a.attname, pg_catalog.min(a.attnum) AS place
                FROM pg_catalog.pg_dist_schema s
                JOIN pg_catalog.pg_class c ON c.relnamespace = s.schemaid AND c.relkind IN ('r', 'p')
                JOIN pg_catalog.pg_attribute a
                    ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                GROUP BY 1, 2
            ) x
            GROUP BY 1
        ) x
    ),"
    };
}

macro_rules! question {
    (nodes where $nodes:literal, $schemas:expr) => {
        concat!(
            "\
SELECT pg_catalog.json_build_object(
    'fingerprint', ",
            fingerprint!(),
            ",
    'me', (SELECT groupid FROM pg_catalog.pg_dist_local_group),
    'nodes', (
        SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
            'id', nodeid, 'group', groupid, 'host', nodename, 'port', nodeport, 'rack', noderack,
            'role', noderole::text, 'cluster', nodecluster, 'is_active', isactive,
            'has_metadata', hasmetadata AND metadatasynced)
            ORDER BY nodeid)
        FROM pg_catalog.pg_dist_node
        WHERE ",
            $nodes,
            "
    ),",
            $schemas,
            "
    'tables', (
        SELECT pg_catalog.json_agg(pg_catalog.json_build_array(
            n.nspname, c.relname, p.partmethod, p.repmodel, p.colocationid, a.attname,
            pg_catalog.format_type(a.atttypid, NULL),
            t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace))
        FROM pg_catalog.pg_dist_partition p
        JOIN pg_catalog.pg_class c ON c.oid = p.logicalrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = p.logicalrelid
            AND a.attnum = (pg_catalog.regexp_match(p.partkey, ':varattno (\\d+)'))[1]::int2
        LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
        WHERE p.partmethod <> 'n' OR p.repmodel = 't'
    ),
    'groups', (
        SELECT pg_catalog.json_agg(pg_catalog.json_build_array(
            colocationid, bounds, owners, covered, shards))
        FROM (
            SELECT r.colocationid,
                pg_catalog.string_agg(s.shardminvalue, ',' ORDER BY s.shardminvalue::int) AS bounds,
                pg_catalog.string_agg(coalesce(pl.owners, ''), ' ' ORDER BY s.shardminvalue::int)
                    AS owners,
                pg_catalog.sum(s.shardmaxvalue::bigint - s.shardminvalue::bigint + 1)::bigint
                    AS covered,
                pg_catalog.string_agg(s.shardid::text, ',' ORDER BY s.shardminvalue::int) AS shards
            FROM (
                SELECT DISTINCT ON (colocationid) colocationid, logicalrelid
                FROM pg_catalog.pg_dist_partition
                WHERE partmethod = 'h' AND colocationid > 0
                ORDER BY colocationid, logicalrelid
            ) r
            JOIN pg_catalog.pg_dist_shard s ON s.logicalrelid = r.logicalrelid
            CROSS JOIN LATERAL (
                SELECT pg_catalog.string_agg(groupid::text, ',' ORDER BY placementid) AS owners
                FROM pg_catalog.pg_dist_placement pl
                WHERE pl.shardid = s.shardid AND pl.shardstate = 1
                OFFSET 0
            ) pl
            GROUP BY 1
        ) x
    )
)"
        )
    };
}

const SINCE_10_2: &str = question!(nodes where "true", "");
const SINCE_12_0: &str = question!(nodes where "true", schemas!());
const SINCE_13_2: &str = question!(nodes where "NOT nodeisclone", schemas!());

/// For catalogs of this version.
pub(super) fn question(version: CitusVersion) -> &'static str {
    if version >= CitusVersion::CLONES {
        SINCE_13_2
    } else if version >= CitusVersion::SCHEMAS {
        SINCE_12_0
    } else {
        SINCE_10_2
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use citus_testkit::TestCluster;
    use citus_testkit::tokio_postgres::{Client, NoTls, connect};

    use super::*;
    use crate::connection::Connection;
    use crate::metadata::{Metadata, changes};
    use crate::sighting::look;
    use crate::{Config, ConnectError};

    const LIMIT: Duration = Duration::from_secs(30);

    /// The newest catalogs of each version that the installed Citus has scripts for: 8.0 to its own.
    async fn versions(client: &Client) -> BTreeMap<CitusVersion, String> {
        let sql = "SELECT version FROM pg_available_extension_versions
                   WHERE name = 'citus' ORDER BY version";
        let rows = client.query(sql, &[]).await.unwrap();
        let versions = rows.iter().map(|row| row.get::<_, String>(0));
        versions
            .filter_map(|version| Some((version.parse().ok()?, version)))
            .collect()
    }

    /// A database with catalogs of another version than the library's.
    async fn database_of(version: &str, name: &str, url: &str, admin: &Client) -> Client {
        let script = format!("CREATE DATABASE {name}");
        admin.batch_execute(&script).await.unwrap();
        let script = format!("ALTER DATABASE {name} SET citus.enable_version_checks = off");
        admin.batch_execute(&script).await.unwrap();
        let (client, connection) = connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        let script = format!("CREATE EXTENSION citus VERSION '{version}'");
        client.batch_execute(&script).await.unwrap();
        client
    }

    async fn driver(url: &str) -> Connection {
        let config = Config::new(url).unwrap();
        let tls = crate::tls::make_tls(&config.server).unwrap();
        let host = config.server.hosts()[0].clone();
        let canceller = crate::connection::Canceller::new(tls.clone());
        let connector = crate::connection::Connector::new(&config, &host, None, &tls, &canceller);
        connector.connect().await.unwrap()
    }

    #[tokio::test]
    async fn the_catalogs_of_every_version_answer() {
        let cluster = TestCluster::shared().await.unwrap();
        if !cluster.is_citus() {
            eprintln!("left out: there is no Citus ({})", cluster.backend());
            return;
        }
        let database = cluster.create_database().await.unwrap();
        let admin = database.connect().await.unwrap();
        let versions = versions(&admin).await;
        assert!(versions.len() > 5, "{versions:?}");
        for (known, version) in versions.range(CitusVersion::new(9, 5)..) {
            let name = format!(
                "{}_of_{}",
                database.name(),
                version.replace(['.', '-'], "_")
            );
            let url = database.url().replace(database.name(), &name);
            let client = database_of(version, &name, &url, &admin).await;
            let connection = driver(&url).await;
            let read = Metadata::read(&connection, LIMIT).await;
            if *known < CitusVersion::OLDEST {
                let error = read.unwrap_err();
                assert!(
                    matches!(error, ConnectError::CitusVersion { .. }),
                    "{error}"
                );
                assert!(error.to_string().contains(version), "{error}");
            } else {
                let read = read.unwrap_or_else(|error| panic!("{version}: {error}"));
                assert!(read.cluster.unwrap().is_of_coordinator(), "{version}");
                let fingerprint = connection.ask(changes::QUESTION).await.unwrap();
                assert!(!fingerprint.unwrap().is_empty(), "{version}");
                look(1, &connection, LIMIT).await.unwrap();
            }
            drop((client, connection));
            let drop = format!("DROP DATABASE {name} WITH (FORCE)");
            admin.batch_execute(&drop).await.unwrap();
        }
    }
}
