//! What a tenant can ask, and what it gets.

use citus_client::tenant_guard::Table;
use citus_client::{Cluster, RequestError, Row, SqlState, Tenancy};
use futures_util::TryStreamExt;

use crate::support::{bounded, config, connect, database, pools};

async fn with_projects(cluster: &Cluster, tenant: i64, count: i64) {
    for id in 0..count {
        let name = format!("{tenant}/{id}");
        let sql = "INSERT INTO projects (id, name) VALUES ($1, $2)";
        assert_eq!(
            cluster
                .tenant(tenant)
                .execute(sql, &[&id, &name])
                .await
                .unwrap(),
            1
        );
    }
}

/// An error with all its causes, as many a log shows it.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

fn names(rows: &[Row]) -> Vec<String> {
    rows.iter().map(|row| row.get("name")).collect()
}

#[tokio::test]
async fn each_tenant_sees_its_own_rows() {
    let database = database().await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool)).await;
        for tenant in [1, 2, 3] {
            cluster
                .tenant(tenant)
                .execute("DELETE FROM projects", &[])
                .await
                .unwrap();
            with_projects(&cluster, tenant, tenant).await;
        }
        let two = cluster.tenant(2);
        let sql = "SELECT name FROM projects ORDER BY id";
        assert_eq!(names(&two.query(sql, &[]).await.unwrap()), ["2/0", "2/1"]);
        let guarded = cluster.guard(sql).unwrap();
        assert_eq!(
            names(&two.query(&guarded, &[]).await.unwrap()),
            ["2/0", "2/1"]
        );
        let one = two
            .query_one("SELECT name FROM projects WHERE id = $1", &[&1_i64])
            .await;
        assert_eq!(one.unwrap().get::<_, String>(0), "2/1");
        // A row of another tenant is none.
        let other = two
            .query_opt("SELECT name FROM projects WHERE id = $1", &[&2_i64])
            .await;
        assert!(other.unwrap().is_none());
        let rows: Vec<Row> = two
            .query_raw(sql, &[])
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        assert_eq!(names(&rows), ["2/0", "2/1"]);
        let renamed = two
            .execute("UPDATE projects SET name = 'x'", &[])
            .await
            .unwrap();
        assert_eq!(renamed, 2);
        let three = cluster.tenant(3).query(sql, &[]).await.unwrap();
        assert_eq!(names(&three), ["3/0", "3/1", "3/2"]);
    }
}

#[tokio::test]
async fn a_stream_tells_what_was_changed_and_gives_its_connection_back() {
    let database = database().await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool).pool_size(1)).await;
        let tenant = cluster.tenant(5);
        tenant.execute("DELETE FROM projects", &[]).await.unwrap();
        with_projects(&cluster, 5, 3).await;
        let mut stream = tenant
            .query_raw("UPDATE projects SET name = 'y' RETURNING id", &[])
            .await
            .unwrap();
        assert_eq!(stream.rows_affected(), None);
        while stream.try_next().await.unwrap().is_some() {}
        assert_eq!(stream.rows_affected(), Some(3));
        // The stream is still there, and its connection is free already.
        bounded(tenant.query("SELECT id FROM projects", &[]))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn reference_tables_and_no_tables_are_answered() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    let tenant = cluster.tenant(7);
    let country = tenant
        .query_one("SELECT name FROM countries WHERE code = $1", &[&"de"])
        .await;
    assert_eq!(country.unwrap().get::<_, String>(0), "Germany");
    assert_eq!(
        tenant
            .query_one("SELECT 1 + 1", &[])
            .await
            .unwrap()
            .get::<_, i32>(0),
        2
    );
}

#[tokio::test]
async fn wrong_requests_say_why_and_send_nothing() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    let tenant = cluster.tenant(7);

    let refused = tenant
        .query("SELECT * FROM pg_class", &[])
        .await
        .unwrap_err();
    assert!(matches!(refused, RequestError::Refused(_)), "{refused}");
    let count = tenant
        .query("SELECT id FROM projects WHERE id = $1", &[])
        .await
        .unwrap_err();
    assert!(
        matches!(
            count,
            RequestError::ParameterCount {
                expected: 1,
                given: 0
            }
        ),
        "{count}"
    );
    let value = cluster
        .tenant("seven")
        .query("SELECT id FROM projects", &[])
        .await
        .unwrap_err();
    assert!(matches!(value, RequestError::Tenant(_)), "{value}");
    let sql = "SELECT id FROM projects WHERE id = $1";
    let parameter = tenant.query(sql, &[&"seven"]).await.unwrap_err();
    assert!(
        matches!(parameter, RequestError::Parameter { .. }),
        "{parameter}"
    );
    for error in [refused, count, value, parameter] {
        assert!(!error.was_sent() && !error.is_retryable());
    }
}

/// The driver finds tenants by a column. What is for a tenant's schema must not go anywhere instead.
#[tokio::test]
async fn a_statement_for_a_tenant_s_schema_is_not_sent() {
    let database = database().await;
    let tenancy = Tenancy::builder()
        .table(Table::in_tenant_schema("projects").columns(["id"]))
        .table(Table::reference("countries").columns(["code", "name"]))
        .build()
        .unwrap();
    let cluster = connect(config(&database).tenancy(tenancy)).await;
    let tenant = cluster.tenant(1);
    for sql in ["SELECT id FROM projects", "DELETE FROM projects"] {
        let error = tenant.query(sql, &[]).await.unwrap_err();
        assert!(matches!(error, RequestError::TenantSchema), "{error}");
        assert!(!error.was_sent() && !error.is_retryable());
    }
    assert!(
        tenant
            .query("SELECT code FROM countries", &[])
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn one_row_means_one_row() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    let tenant = cluster.tenant(8);
    with_projects(&cluster, 8, 3).await;
    let none = tenant
        .query_one("SELECT id FROM projects WHERE id = 99", &[])
        .await
        .unwrap_err();
    assert_eq!(
        none.to_string(),
        "the statement gave no rows, and one was asked for"
    );
    let several = tenant
        .query_opt("SELECT id FROM projects", &[])
        .await
        .unwrap_err();
    assert!(
        matches!(several, RequestError::RowCount { found: 2, .. }),
        "{several}"
    );
}

#[tokio::test]
async fn errors_show_names_and_never_values() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    let tenant = cluster.tenant(9);
    let sql = "INSERT INTO projects (id, name) VALUES ($1, $2)";
    tenant
        .execute(sql, &[&987_654_321_i64, &"hush"])
        .await
        .unwrap();
    let error = tenant
        .execute(sql, &[&987_654_321_i64, &"hush"])
        .await
        .unwrap_err();
    assert_eq!(error.sql_state(), Some(&SqlState::UNIQUE_VIOLATION));
    assert!(error.was_sent() && !error.is_retryable());
    assert!(
        error
            .db_error()
            .unwrap()
            .detail()
            .unwrap()
            .contains("987654321")
    );
    let shown = format!("{error} {error:?} {}", chain(&error));
    assert!(
        shown.contains("23505") && shown.contains("projects_pkey"),
        "{shown}"
    );
    assert!(
        !shown.contains("987654321") && !shown.contains("hush"),
        "{shown}"
    );

    let sql = "SELECT CAST($1 AS text)::bigint FROM projects";
    let error = tenant.query(sql, &[&"hush"]).await.unwrap_err();
    let shown = format!("{error} {error:?} {}", chain(&error));
    assert!(
        shown.contains("22P02") && !shown.contains("hush"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_statement_guarded_for_another_schema_is_refused() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    let guarded = cluster.guard("SELECT id FROM projects").unwrap();
    let other = crate::support::database().await;
    other
        .migrate("CREATE TABLE more (id bigint);")
        .await
        .unwrap();
    let mut config = config(&other);
    if !other.is_citus() {
        let table = Table::local("more");
        config = config.tenancy(
            Tenancy::builder()
                .tables(crate::support::tenancy().tables().cloned())
                .table(table)
                .build()
                .unwrap(),
        );
    }
    let error = connect(config)
        .await
        .tenant(1)
        .query(&guarded, &[])
        .await
        .unwrap_err();
    assert!(matches!(error, RequestError::StaleStatement), "{error}");
}

#[tokio::test]
async fn sessions_are_set_up_for_what_the_guard_relies_on() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    let tenant = cluster.tenant(1);
    for (name, value) in [
        ("search_path", "public"),
        ("plan_cache_mode", "force_custom_plan"),
        ("standard_conforming_strings", "on"),
        ("application_name", &crate::support::name(&database)),
    ] {
        let row = tenant
            .query_one("SELECT session_setting($1)", &[&name])
            .await
            .unwrap();
        assert_eq!(row.get::<_, String>(0).replace('"', ""), value);
    }
}
