//! Tenants with a schema each: on Citus distributed schemas, elsewhere schemas of one server.

use std::time::Duration;

use citus_client::tenant_guard::Table;
use citus_client::{Cluster, Config, RequestError, RouteReason, Tenancy};
use citus_testkit::{TestCluster, TestDatabase};

use crate::support::{bounded, connect, eventually, pools};

const TENANTS: [&str; 4] = ["acme", "Globex", "init\"ech", "umbrella"];

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn schema(name: &str) -> String {
    let schema = quoted(name);
    format!(
        "CREATE SCHEMA {schema};
         CREATE TABLE {schema}.tasks (id bigint PRIMARY KEY, title text);"
    )
}

async fn create(database: &TestDatabase, tenants: &[&str]) {
    let client = database.connect().await.unwrap();
    if database.is_citus() {
        let distributed = "SET citus.enable_schema_based_sharding = on";
        client.batch_execute(distributed).await.unwrap();
    }
    for tenant in tenants {
        client.batch_execute(&schema(tenant)).await.unwrap();
    }
}

async fn database() -> TestDatabase {
    let cluster = TestCluster::shared().await.unwrap();
    let database = cluster.create_database().await.unwrap();
    create(&database, &TENANTS).await;
    let shared = "CREATE TABLE countries (code text PRIMARY KEY);
                  SELECT create_reference_table('countries');
                  CREATE SCHEMA internal; CREATE TABLE internal.tasks (id bigint, title text);
                  CREATE FUNCTION server_port() RETURNS int LANGUAGE sql VOLATILE
                      AS 'SELECT inet_server_port()';";
    database.migrate(shared).await.unwrap();
    database
}

/// On Citus the tenancy is the cluster's; a server alone has to be told.
fn config(database: &TestDatabase) -> Config {
    let policy = citus_client::Policy::default().allow_function("server_port()");
    let config = Config::new(&database.url())
        .unwrap()
        .policy(policy.unwrap());
    if database.is_citus() {
        return config;
    }
    let tenancy = Tenancy::builder()
        .table(Table::in_tenant_schema("tasks").columns(["id", "title"]))
        .table(Table::reference("countries").columns(["code"]));
    config.tenancy(tenancy.build().unwrap())
}

async fn titles(cluster: &Cluster, tenant: &str) -> Vec<String> {
    let sql = "SELECT title FROM tasks ORDER BY id";
    let rows = cluster.schema_tenant(tenant).query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn each_has_the_rows_of_its_schema() {
    let database = database().await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool)).await;
        for tenant in TENANTS {
            let own = cluster.schema_tenant(tenant);
            own.execute("DELETE FROM tasks", &[]).await.unwrap();
            let insert = "INSERT INTO tasks (id, title) VALUES ($1, $2)";
            own.execute(insert, &[&1_i64, &tenant]).await.unwrap();
            let mut transaction = own.begin().await.unwrap();
            transaction
                .execute(insert, &[&2_i64, &"two"])
                .await
                .unwrap();
            let savepoint = transaction.savepoint().await.unwrap();
            savepoint.execute("DELETE FROM tasks", &[]).await.unwrap();
            savepoint.rollback().await.unwrap();
            transaction.commit().await.unwrap();
        }
        for tenant in TENANTS {
            assert_eq!(titles(&cluster, tenant).await, [tenant, "two"]);
        }
    }
}

#[tokio::test]
async fn statements_go_to_the_node_of_the_schema() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    let client = database.connect().await.unwrap();
    for tenant in TENANTS {
        let own = cluster.schema_tenant(tenant);
        let sql = "SELECT server_port() FROM tasks UNION ALL SELECT server_port()";
        let port: i32 = own.query_one(sql, &[]).await.unwrap().get(0);
        if !database.is_citus() {
            continue;
        }
        let sql =
            "SELECT DISTINCT nodeport FROM pg_dist_shard s JOIN pg_dist_placement p USING (shardid)
                   JOIN pg_dist_node n USING (groupid)
                   WHERE s.logicalrelid = (quote_ident($1) || '.tasks')::regclass";
        let owner: i32 = client.query_one(sql, &[&tenant]).await.unwrap().get(0);
        assert_eq!(port, owner, "{tenant}");
        let topology = cluster.topology();
        let route = topology.route_schema(tenant).unwrap();
        assert_eq!(route.reason(), RouteReason::Owner);
        assert_eq!(i32::from(route.node().address().port), owner);
    }
}

#[tokio::test]
async fn what_is_no_tenants_schema_is_refused_and_nothing_is_sent() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    let sql = "SELECT title FROM tasks";
    let error = async |schema: &str| {
        let error = cluster.schema_tenant(schema).query(sql, &[]).await;
        let error = error.unwrap_err();
        assert!(!error.was_sent());
        error
    };
    for shared in ["public", "pg_catalog", "information_schema", "", "a\0"] {
        let error = error(shared).await;
        assert!(
            matches!(error, RequestError::TenantSchemaName(_)),
            "{error}"
        );
    }
    if database.is_citus() {
        // They exist, or do not, and are no tenants: of `internal` the tenancy says so, too.
        let found = error("internal").await;
        assert!(
            matches!(found, RequestError::TenantSchemaName(_)),
            "{found}"
        );
        for unknown in ["nobody", "ACME"] {
            let error = error(unknown).await;
            assert!(matches!(error, RequestError::UnknownSchema), "{error}");
        }
    }
    // The other way of telling tenants.
    let error = cluster.tenant(1).query(sql, &[]).await.unwrap_err();
    assert!(matches!(error, RequestError::TenantSchema), "{error}");
    let other = cluster.schema_tenant("acme");
    for foreign in [
        "SELECT title FROM \"Globex\".tasks",
        "SELECT title FROM acme.tasks",
        "SELECT title FROM internal.tasks",
    ] {
        let error = other.query(foreign, &[]).await.unwrap_err();
        assert!(
            matches!(error, RequestError::Refused(_)),
            "{foreign}: {error}"
        );
    }
}

#[tokio::test]
async fn a_new_tenant_is_known_soon() {
    let database = database().await;
    if !database.is_citus() {
        eprintln!("left out: without Citus any schema is taken");
        return;
    }
    let cluster = connect(config(&database).refresh_every(Duration::from_secs(3600))).await;
    create(&database, &["hooli"]).await;
    eventually("the schema is known", || async {
        let topology = cluster.topology();
        topology.schemas().any(|schema| schema.as_str() == "hooli")
    })
    .await;
    // Its table, too: the statement goes to the node of its shard.
    eventually("its shard is known", || async {
        let topology = cluster.topology();
        let route = topology.route_schema("hooli").unwrap();
        route.reason() == RouteReason::Owner
    })
    .await;
    let rows = bounded(
        cluster
            .schema_tenant("hooli")
            .query("SELECT id FROM tasks", &[]),
    )
    .await;
    assert!(rows.unwrap().is_empty());
    let drop = database.connect().await.unwrap();
    drop.batch_execute("DROP SCHEMA hooli CASCADE")
        .await
        .unwrap();
    eventually("it is gone", || async {
        cluster.topology().route_schema("hooli").is_none()
    })
    .await;
}

#[tokio::test]
async fn a_schema_that_moves_is_followed() {
    let database = database().await;
    if !database.is_citus() {
        eprintln!("left out: there is no Citus");
        return;
    }
    let cluster = connect(config(&database).refresh_every(Duration::from_secs(3600))).await;
    let acme = cluster.schema_tenant("acme");
    acme.execute("INSERT INTO tasks (id) VALUES (1)", &[])
        .await
        .unwrap();
    let client = database.connect().await.unwrap();
    let topology = cluster.topology();
    let before = topology
        .route_schema("acme")
        .unwrap()
        .node()
        .address()
        .clone();
    let mut nodes = topology.nodes().iter();
    let target = nodes.find(|node| !node.is_coordinator() && *node.address() != before);
    let target = target.unwrap().address();
    let sql = format!(
        "SELECT citus_schema_move('acme', '{}', {}, shard_transfer_mode => 'block_writes')",
        target.host, target.port
    );
    client.batch_execute(&sql).await.unwrap();
    let count = acme.query("SELECT id FROM tasks", &[]).await.unwrap().len();
    assert_eq!(count, 1, "the old route costs a hop");
    eventually("the new place is known", || async {
        let topology = cluster.topology();
        topology.route_schema("acme").unwrap().node().address() == target
    })
    .await;
    assert_eq!(
        acme.query("SELECT id FROM tasks", &[]).await.unwrap().len(),
        1
    );
}
