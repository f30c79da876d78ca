//! Statements that are a part of the program.

use citus_client::StaticSql;

use crate::support::{config, connect, database};

static ADD: StaticSql<2> = StaticSql::new("INSERT INTO projects (id, name) VALUES ($1, $2)");
static NAMES: StaticSql<0> = StaticSql::new("SELECT name FROM projects ORDER BY id");

#[tokio::test]
async fn a_static_statement_is_each_clusters_own() {
    let databases = [database().await, database().await];
    for (database, name) in databases.iter().zip(["first", "second"]) {
        let cluster = connect(config(database)).await;
        for id in [1, 2] {
            let tenant = cluster.tenant(id);
            let name = format!("{name} of {id}");
            // A task of its own: what is awaited can be sent between threads.
            let rows = tokio::spawn(async move {
                tenant.execute(&ADD, &[&1_i64, &name]).await.unwrap();
                let transaction = tenant.begin().await.unwrap();
                let rows = transaction.query(&NAMES, &[]).await.unwrap();
                transaction.commit().await.unwrap();
                (rows, name)
            });
            let (rows, name) = rows.await.unwrap();
            assert_eq!(rows.len(), 1);
            assert_eq!(rows[0].get::<_, String>(0), name);
        }
    }
}

#[tokio::test]
async fn a_static_statement_with_the_wrong_number_of_parameters_is_not_sent() {
    static LIES: StaticSql<1> = StaticSql::new("SELECT name FROM projects");
    let database = database().await;
    let cluster = connect(config(&database)).await;
    let error = cluster.tenant(1).query(&LIES, &[&1_i64]).await.unwrap_err();
    assert!(
        matches!(
            error,
            citus_client::RequestError::ParameterCount {
                expected: 0,
                given: 1
            }
        ),
        "{error}"
    );
}
