//! Views are learnt from the cluster, with the queries that PostgreSQL keeps for them.

use citus_client::tenant_guard::TableKind;
use citus_client::{Cluster, Config};
use citus_testkit::tokio_postgres::Column;

use crate::support::{config, connect, database};

const VIEWS: &str = "
    CREATE VIEW everything AS SELECT * FROM projects;
    CREATE VIEW counted (number, total) AS SELECT id, count(*) OVER () FROM projects;
    CREATE SCHEMA reports;
    CREATE VIEW reports.\"Totals\" AS
        SELECT p.name, n.total FROM projects p JOIN counted n ON n.number = p.id AND p.name <> ';';
    CREATE VIEW fenced WITH (security_barrier) AS SELECT id FROM projects;
    CREATE MATERIALIZED VIEW stored AS SELECT code FROM countries;
    ALTER TABLE projects ADD COLUMN later int;";

#[tokio::test]
async fn views_are_learnt_with_their_queries() {
    let database = database().await;
    database.migrate(VIEWS).await.unwrap();
    let cluster = Cluster::connect_with(Config::new(&database.url()).unwrap())
        .await
        .unwrap();
    let tenancy = cluster.tenancy();

    let view = |schema, name| tenancy.resolve_view(schema, name).unwrap().definition();
    let everything = view(None, "everything");
    assert!(everything.contains("projects.name"), "{everything}");
    assert!(!everything.contains("later"), "{everything}");
    let totals = view(Some("reports"), "Totals");
    assert!(totals.contains("JOIN counted n"), "{totals}");
    assert!(tenancy.resolve_view(None, "Totals").is_none());
    for (name, what) in [
        (
            "fenced",
            "a view with security_barrier, which its query alone would not have",
        ),
        ("stored", "a materialized view"),
    ] {
        let kind = tenancy.resolve(None, name).unwrap().kind();
        assert_eq!(
            *kind,
            TableKind::Opaque {
                what: what.to_owned()
            }
        );
    }
}

#[tokio::test]
async fn a_view_shows_each_tenant_its_own_rows() {
    let database = database().await;
    if !database.is_citus() {
        return;
    }
    database.migrate(VIEWS).await.unwrap();
    let cluster = connect(config(&database)).await;
    for tenant in [1_i64, 2] {
        let insert = "INSERT INTO projects (id, name, later) SELECT g, 'p', 0 FROM generate_series(1, $1::bigint) g";
        cluster
            .tenant(tenant)
            .execute(insert, &[&(tenant * 3)])
            .await
            .unwrap();
    }
    for tenant in [1_i64, 2] {
        let tenant_of = cluster.tenant(tenant);
        let totals = tenant_of
            .query("SELECT name, total FROM reports.\"Totals\"", &[])
            .await
            .unwrap();
        assert_eq!(i64::try_from(totals.len()).unwrap(), tenant * 3);
        assert!(totals.iter().all(|row| row.get::<_, i64>(1) == tenant * 3));
        let everything = tenant_of
            .query("SELECT * FROM everything", &[])
            .await
            .unwrap();
        let columns: Vec<&str> = everything[0].columns().iter().map(Column::name).collect();
        assert_eq!(columns, ["tenant_id", "id", "name"]);
        assert!(everything.iter().all(|row| row.get::<_, i64>(0) == tenant));
    }
}
