//! Many statements at once.

use citus_client::{RequestError, SqlState};

use crate::support::{bounded, config, connect, database, pools};

#[tokio::test]
async fn answers_of_many_tenants_come_in_the_order_asked() {
    let database = database().await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool)).await;
        let ids: Vec<i64> = (0..300).collect();
        let names: Vec<String> = ids.iter().map(|id| format!("of {id}")).collect();
        let mut batch = cluster.batch();
        for (id, name) in ids.iter().zip(&names) {
            let insert = "INSERT INTO projects (id, name) VALUES (1, $1) ON CONFLICT DO NOTHING";
            batch.add(*id, insert, &[name]);
        }
        assert_eq!(batch.len(), 300);
        for answer in bounded(batch.run()).await {
            assert!(answer.unwrap().affected <= 1);
        }
        let mut batch = cluster.batch();
        for id in &ids {
            batch.add(*id, "SELECT name FROM projects", &[]);
        }
        let answers = bounded(batch.run()).await;
        let read: Vec<String> = answers
            .into_iter()
            .map(|answer| answer.unwrap().rows[0].get(0))
            .collect();
        assert_eq!(read, names);
    }
}

#[tokio::test]
async fn a_statement_of_a_batch_that_fails_fails_alone() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    let mut batch = cluster.batch();
    let insert = "INSERT INTO projects (id) VALUES ($1)";
    let duplicate = 1_i64;
    batch.add(1, insert, &[&duplicate]);
    batch.add(1, insert, &[&duplicate]);
    batch.add(1, "SELECT id FROM projects WHERE id = ANY (nothing)", &[]);
    batch.add(1, "SELECT pg_sleep(1)", &[]);
    batch.add(1, insert, &[]);
    batch.add("one", insert, &[&duplicate]);
    // The parent comes before the child, though only one of the two is prepared.
    batch.add(
        1,
        "INSERT INTO tasks (id, project_id) VALUES (1, $1)",
        &[&duplicate],
    );
    batch.add(1, "SELECT count(*) FROM tasks", &[]);
    let answers = bounded(batch.run()).await;
    let error = |index: usize| answers[index].as_ref().unwrap_err();
    assert_eq!(answers[0].as_ref().unwrap().affected, 1);
    assert_eq!(error(1).sql_state(), Some(&SqlState::UNIQUE_VIOLATION));
    assert!(matches!(
        error(2),
        RequestError::Refused(_) | RequestError::Server { .. }
    ));
    assert!(matches!(error(3), RequestError::Refused(_)));
    assert!(matches!(
        error(4),
        RequestError::ParameterCount {
            expected: 1,
            given: 0
        }
    ));
    assert!(matches!(error(5), RequestError::Tenant(_)));
    assert_eq!(answers[6].as_ref().unwrap().affected, 1);
    assert_eq!(answers[7].as_ref().unwrap().rows[0].get::<_, i64>(0), 1);
}

#[tokio::test]
async fn an_empty_batch_has_no_answers() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    assert!(cluster.batch().is_empty());
    assert!(cluster.batch().run().await.is_empty());
}

#[tokio::test]
async fn an_update_without_rows_is_one_answer() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    let mut batch = cluster.batch();
    batch.add(7, "UPDATE projects SET name = 'x' WHERE id = 1", &[]);
    batch.add(7, "DELETE FROM projects WHERE id = 1", &[]);
    for answer in bounded(batch.run()).await {
        assert_eq!(answer.unwrap().affected, 0);
    }
}
