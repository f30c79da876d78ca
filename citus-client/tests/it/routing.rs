//! A tenant's statements reach the node that owns its rows.

use std::collections::BTreeMap;

use citus_client::{
    Cluster, ReadPolicy, ReferenceReads, RequestError, RouteReason, TenantId, TopologyKind,
};
use citus_testkit::TestDatabase;
use futures_util::stream::{self, StreamExt};
use tokio_postgres::AsyncMessage;

use crate::support::{config, connect, database, pools};

#[tokio::test]
async fn statements_arrive_at_the_node_that_is_explained() {
    let database = database().await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool)).await;
        let mut ports = BTreeMap::<i32, u32>::new();
        for tenant in 0..40_i64 {
            let explained = cluster.route("tasks", tenant).unwrap();
            assert_eq!(explained.reason, RouteReason::Owner);
            // A function call needs no table, and goes to the tenant's own node all the same.
            let row = cluster
                .tenant(tenant)
                .query_one("SELECT server_port()", &[])
                .await
                .unwrap();
            let port = row.get::<_, i32>(0);
            assert_eq!(port, i32::from(explained.node.port));
            *ports.entry(port).or_default() += 1;
        }
        assert!(ports.len() > 1, "{ports:?}");
    }
}

#[tokio::test]
async fn a_statement_is_explained_as_it_is_sent() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    for tenant in 0..10_i64 {
        let sql = "SELECT server_port(), count(t.id) FROM tasks t, countries";
        let route = cluster.route_statement(sql, tenant).unwrap();
        assert_eq!(route.reason, RouteReason::Owner);
        assert_eq!(route.shard.is_some(), database.is_citus());
        let tables: Vec<_> = route.tables.iter().map(ToString::to_string).collect();
        assert_eq!(tables, ["public.countries", "public.tasks"]);
        let row = cluster.tenant(tenant).query_one(sql, &[]).await.unwrap();
        assert_eq!(row.get::<_, i32>(0), i32::from(route.node.port));
        let shown = route.to_string();
        let begins = format!("{} (node {}), because it owns", route.node, route.node_id);
        assert!(shown.starts_with(&begins), "{shown}");
        let by_table = cluster.route("tasks", tenant).unwrap();
        assert_eq!((by_table.node, by_table.hash), (route.node, route.hash));
    }
    let reference = cluster.route_statement("SELECT name FROM countries", 1);
    assert!(
        reference
            .unwrap()
            .to_string()
            .contains("reference tables alone")
    );
    let refused = cluster.route_statement("SELECT * FROM pg_stat_activity", 1);
    assert!(
        matches!(refused, Err(RequestError::Refused(_))),
        "{refused:?}"
    );
    let wrong = cluster.route_statement("SELECT id FROM tasks", "x");
    assert!(matches!(wrong, Err(RequestError::Tenant(_))), "{wrong:?}");
}

#[tokio::test]
async fn reference_tables_are_read_on_any_node_where_the_policy_says_so() {
    let database = database().await;
    let policy = ReadPolicy::default().reference_tables(ReferenceReads::AnyNode);
    let cluster = connect(config(&database).read_policy(policy)).await;
    let tenant = cluster.tenant(1);
    let mut ports = std::collections::BTreeSet::new();
    for _ in 0..60 {
        let sql = "SELECT server_port() FROM countries LIMIT 1";
        let row = tenant.query_one(sql, &[]).await.unwrap();
        ports.insert(row.get::<_, i32>(0));
        let own = tenant.query("SELECT id FROM tasks", &[]).await.unwrap();
        assert!(own.is_empty());
    }
    assert_eq!(ports.len(), database.nodes().count(), "{ports:?}");
    // A transaction is on one node.
    let transaction = tenant.begin().await.unwrap();
    let home = i32::from(cluster.route("tasks", 1).unwrap().node.port);
    for _ in 0..20 {
        let sql = "SELECT server_port() FROM countries LIMIT 1";
        let row = transaction.query_one(sql, &[]).await.unwrap();
        assert_eq!(row.get::<_, i32>(0), home);
    }
}

#[tokio::test]
async fn rows_are_where_the_topology_says() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    if database.is_citus() {
        return;
    }
    for tenant in 0..40_i64 {
        cluster
            .tenant(tenant)
            .execute("INSERT INTO projects (id) VALUES (1)", &[])
            .await
            .unwrap();
        let port = cluster.route("projects", tenant).unwrap().node.port;
        for node in database.nodes() {
            let client = node.connect().await.unwrap();
            let sql = "SELECT count(*) FROM projects WHERE tenant_id = $1";
            let count: i64 = client.query_one(sql, &[&tenant]).await.unwrap().get(0);
            assert_eq!(count, i64::from(node.port() == port));
        }
    }
}

/// Tables of every type, with values that are hard on hashes.
const TYPES: [(&str, &str); 11] = [
    ("smallint", "(i % 65536 - 32768)"),
    ("integer", "(i * 7919 - 2000000)"),
    ("bigint", "(i::bigint * 1234567890123 - 600000000000000)"),
    ("uuid", "md5(i::text)::uuid"),
    ("text", "repeat(chr(97 + i % 26), i % 40) || i || 'ä'"),
    ("varchar(80)", "'tenant-' || i || repeat(' ', i % 3)"),
    ("char(60)", "'tenant-' || i"),
    ("bytea", "substring(sha256(i::text::bytea) FOR i % 32)"),
    ("date", "(date '1900-01-01' + i * 37)"),
    (
        "timestamptz",
        "(timestamptz '1970-01-01Z' + i * interval '1 day 3.141592 s')",
    ),
    ("boolean", "(i % 2 = 0)"),
];

async fn types(database: &TestDatabase) -> Vec<String> {
    let mut tables = Vec::new();
    for (number, (sql_type, _)) in TYPES.iter().enumerate() {
        let table = format!("typed_{number}");
        let script = format!(
            "CREATE TABLE {table} (tenant_id {sql_type});
             SELECT create_distributed_table('{table}', 'tenant_id', colocate_with => 'none');"
        );
        database.migrate(&script).await.unwrap();
        tables.push(table);
    }
    tables
}

#[tokio::test]
async fn routing_equals_citus_own_lookup() {
    let database = database().await;
    if !database.is_citus() {
        return;
    }
    let tables = types(&database).await;
    let cluster = connect(config(&database)).await;
    let client = database.connect().await.unwrap();
    client.batch_execute("SET timezone = 'UTC'").await.unwrap();
    for ((sql_type, value), table) in TYPES.iter().zip(&tables) {
        let sql = format!(
            "SELECT v::{sql_type}::text, s.shardminvalue::int, s.shardmaxvalue::int, n.nodeport
             FROM (SELECT {value} AS v FROM generate_series(1, 2000) i) AS v,
             LATERAL (SELECT get_shard_id_for_distribution_column('{table}', v::{sql_type})) AS x (id),
             pg_dist_shard s, pg_dist_placement p, pg_dist_node n
             WHERE s.shardid = x.id AND p.shardid = s.shardid AND n.groupid = p.groupid"
        );
        let rows = client.query(&sql, &[]).await.unwrap();
        assert_eq!(rows.len(), 2000);
        for row in rows {
            let text = row.get::<_, String>(0);
            let explained = cluster.route(table, text.as_str()).unwrap();
            let range = explained.range.unwrap();
            let found = (range.min, range.max, i32::from(explained.node.port));
            assert_eq!(
                found,
                (row.get(1), row.get(2), row.get(3)),
                "{sql_type} {text}"
            );
        }
    }
}

/// Whether a statement is carried out by the node it is sent to, as that node tells.
#[tokio::test]
async fn the_owner_carries_the_statement_out_itself() {
    let database = database().await;
    if !database.is_citus() {
        return;
    }
    let cluster = connect(config(&database)).await;
    let guarded = cluster
        .guard("SELECT id FROM projects WHERE name = $1")
        .unwrap();
    for tenant in 0..20_i64 {
        let owner = cluster.route("projects", tenant).unwrap().node.port;
        for node in database.nodes() {
            let notices = notices(node, guarded.text(), tenant).await;
            let local = notices
                .iter()
                .any(|text| text.contains("executing the command locally"));
            let remote = notices
                .iter()
                .any(|text| text.starts_with("issuing SELECT"));
            assert_eq!(
                (local, remote),
                (node.port() == owner, node.port() != owner),
                "{notices:?}"
            );
        }
    }
}

async fn notices(node: &citus_testkit::DatabaseNode, sql: &str, tenant: i64) -> Vec<String> {
    let (client, mut connection) = tokio_postgres::connect(&node.url(), tokio_postgres::NoTls)
        .await
        .unwrap();
    let driver = tokio::spawn(async move {
        let messages = stream::poll_fn(move |context| connection.poll_message(context));
        let notices = messages.filter_map(|message| async {
            match message {
                Ok(AsyncMessage::Notice(notice)) => Some(notice.message().to_owned()),
                _ => None,
            }
        });
        notices.collect::<Vec<_>>().await
    });
    client
        .batch_execute(
            "SET plan_cache_mode = force_custom_plan; SET client_min_messages = notice;
             SET citus.log_remote_commands = on",
        )
        .await
        .unwrap();
    client.query(sql, &[&"x", &tenant]).await.unwrap();
    drop(client);
    driver.await.unwrap()
}

#[tokio::test]
async fn types_that_are_not_hashed_go_to_the_coordinator_and_work() {
    let database = database().await;
    if !database.is_citus() {
        return;
    }
    database
        .migrate(
            "CREATE TYPE plan AS ENUM ('free', 'paid');
             CREATE TABLE by_numeric (tenant_id numeric, id int);
             CREATE TABLE by_enum (tenant_id plan, id int);
             SELECT create_distributed_table('by_numeric', 'tenant_id', colocate_with => 'none');
             SELECT create_distributed_table('by_enum', 'tenant_id', colocate_with => 'none');",
        )
        .await
        .unwrap();
    let cluster = connect(config(&database)).await;
    for (table, tenant, other) in [
        ("by_numeric", TenantId::from("12.50"), TenantId::from(12)),
        ("by_enum", TenantId::from("paid"), TenantId::from("free")),
    ] {
        let explained = cluster.route(table, &tenant).unwrap();
        assert_eq!(explained.reason, RouteReason::Unhashed);
        let insert = format!("INSERT INTO {table} (id) VALUES (1)");
        cluster.tenant(&tenant).execute(&insert, &[]).await.unwrap();
        let select = format!("SELECT id FROM {table}");
        assert_eq!(
            cluster
                .tenant(&tenant)
                .query(&select, &[])
                .await
                .unwrap()
                .len(),
            1
        );
        assert_eq!(
            cluster
                .tenant(&other)
                .query(&select, &[])
                .await
                .unwrap()
                .len(),
            0
        );
    }
}

#[tokio::test]
async fn what_is_not_distributed_by_hash_goes_to_the_coordinator_and_works() {
    let database = database().await;
    if !database.is_citus() {
        eprintln!("left out: there is no Citus");
        return;
    }
    database
        .migrate(
            "CREATE TABLE by_range (tenant_id bigint, id int);
             CREATE TABLE by_append (tenant_id bigint, id int);
             CREATE TABLE single (id int);
             CREATE TABLE other_group (tenant_id bigint, id int);
             SELECT create_distributed_table('by_range', 'tenant_id', 'range');
             SELECT master_create_empty_shard('by_range');
             UPDATE pg_dist_shard SET shardminvalue = '0', shardmaxvalue = '1000'
                 WHERE logicalrelid = 'by_range'::regclass;
             SELECT create_distributed_table('by_append', 'tenant_id', 'append');
             SELECT create_distributed_table('single', NULL, colocate_with => 'none');
             SELECT create_distributed_table(
                 'other_group', 'tenant_id', shard_count => 3, colocate_with => 'none');",
        )
        .await
        .unwrap();
    let cluster = connect(config(&database)).await;
    for table in ["by_range", "by_append"] {
        let route = cluster.route(table, 7).unwrap();
        assert_eq!(route.reason, RouteReason::UnknownGroup, "{table}");
        assert_eq!(route.node, *cluster.topology().coordinator().address());
    }
    let tenant = cluster.tenant(7);
    for table in ["by_range", "other_group"] {
        let insert = format!("INSERT INTO {table} (id) VALUES (1)");
        tenant.execute(&insert, &[]).await.unwrap();
        let select = format!("SELECT id FROM {table}");
        assert_eq!(tenant.query(&select, &[]).await.unwrap().len(), 1);
        let other = cluster.tenant(8).query(&select, &[]).await.unwrap();
        assert!(other.is_empty());
    }
    let rows = tenant.query("SELECT id FROM by_append", &[]).await;
    assert!(rows.unwrap().is_empty());
    // Each group has its own ranges.
    for tenant in 0..20_i64 {
        let route = cluster.route("other_group", tenant).unwrap();
        assert_eq!(route.reason, RouteReason::Owner);
        assert_ne!(route.range, cluster.route("tasks", tenant).unwrap().range);
    }
    // It has no tenants: nobody but who says so reads it.
    let error = tenant
        .query("SELECT id FROM single", &[])
        .await
        .unwrap_err();
    assert!(matches!(error, RequestError::Refused(_)), "{error}");
    let unscoped = cluster.unscoped("test");
    let all = unscoped.query("SELECT id FROM single", &[]).await;
    assert!(all.unwrap().is_empty());
}

#[tokio::test]
async fn a_tenancy_from_elsewhere_is_routed_by_its_tables() {
    let database = database().await;
    if !database.is_citus() {
        return;
    }
    let cluster = connect(config(&database).tenancy(crate::support::tenancy())).await;
    for tenant in 0..20_i64 {
        assert_eq!(
            cluster.route("tasks", tenant).unwrap().reason,
            RouteReason::Owner
        );
        let row = cluster
            .tenant(tenant)
            .query("SELECT id FROM tasks", &[])
            .await
            .unwrap();
        assert!(row.is_empty());
    }
}

#[tokio::test]
async fn any_node_can_be_the_first() {
    let database = database().await;
    if !database.is_citus() {
        return;
    }
    let by_coordinator = connect(config(&database)).await;
    for url in database.node_urls() {
        let cluster = Cluster::connect(&url).await.unwrap();
        let topology = cluster.topology();
        assert!(matches!(topology.kind(), TopologyKind::Citus { version } if !version.is_empty()));
        let ports = |cluster: &Cluster| {
            let topology = cluster.topology();
            let ports = topology.nodes().iter().map(|node| node.address().port);
            (
                topology.coordinator().address().port,
                ports.collect::<Vec<_>>(),
            )
        };
        assert_eq!(ports(&cluster), ports(&by_coordinator));
        let same = cluster.tenancy().fingerprint() == by_coordinator.tenancy().fingerprint();
        assert!(same, "the schema is the coordinator's to tell");
    }
}

#[tokio::test]
async fn a_server_without_citus_is_a_cluster_of_one() {
    let database = database().await;
    if database.is_citus() {
        return;
    }
    let cluster = Cluster::connect(&database.url()).await.unwrap();
    assert_eq!(cluster.topology().kind(), &TopologyKind::Postgres);
    let error = cluster
        .tenant(1)
        .query("SELECT id FROM projects", &[])
        .await
        .unwrap_err();
    assert!(error.to_string().starts_with("TG007"), "{error}");
    cluster.refresh().await.unwrap();

    let url = &database.url();
    let config = citus_client::Config::new(url)
        .unwrap()
        .tenancy(crate::support::tenancy());
    let cluster = connect(config).await;
    let tenant = cluster.tenant(1);
    tenant
        .execute("INSERT INTO projects (id) VALUES (1)", &[])
        .await
        .unwrap();
    assert_eq!(
        tenant
            .query("SELECT id FROM projects", &[])
            .await
            .unwrap()
            .len(),
        1
    );
    let other = cluster
        .tenant(2)
        .query("SELECT id FROM projects", &[])
        .await
        .unwrap();
    assert!(other.is_empty());
}
