//! The law for tenants with a schema each, on a real server: a guarded statement, made a tenant's,
//! does what the statement as written does with that schema first in the search path, and leaves
//! the schemas of all others as they are.

use citus_testkit::tokio_postgres::{Client, Error, SimpleQueryMessage};
use citus_testkit::{TestCluster, TestDatabase};

use crate::schema::guard_of_schemas;

/// Names that have to be quoted, and one that is another's with other case.
const TENANTS: [&str; 3] = ["acme", "Acme", "it's \"odd\"; --"];

const TABLES: &str = "
    CREATE TABLE projects (id bigint PRIMARY KEY, name text);
    CREATE TABLE tasks (
        id bigint PRIMARY KEY, project_id bigint, title text, done boolean, points integer);
    CREATE TABLE \"Odd name\" (id bigint);
    CREATE VIEW open_tasks AS SELECT id, title FROM tasks WHERE NOT done;";

const STATEMENTS: &[&str] = &[
    "SELECT * FROM tasks",
    "SELECT t.title, c.name FROM tasks t LEFT JOIN countries c ON c.code = t.title",
    "SELECT p.name, z.* FROM projects p, LATERAL (SELECT * FROM tasks t WHERE t.project_id = p.id) z",
    "SELECT id, title, count(*) FROM tasks GROUP BY id",
    "SELECT count(*) OVER (), title FROM tasks UNION ALL SELECT id, name FROM projects",
    "WITH tasks AS (SELECT id FROM tasks WHERE id > 1) SELECT id FROM tasks",
    "SELECT title FROM open_tasks",
    "SELECT * FROM \"Odd name\"",
    "SELECT id FROM tasks FOR UPDATE",
    "INSERT INTO tasks VALUES (100, 2, 'pg_tenant_schema.tasks')",
    "INSERT INTO tasks (id, title) SELECT id, name FROM projects ON CONFLICT (id) DO UPDATE SET title = excluded.title RETURNING *",
    "INSERT INTO projects (id, name) VALUES (1, 'x') ON CONFLICT DO NOTHING",
    "UPDATE tasks SET title = p.name FROM projects p WHERE p.id = project_id RETURNING tasks.*",
    "UPDATE tasks SET points = points + 1",
    "DELETE FROM tasks USING countries c WHERE c.code = tasks.title",
    "DELETE FROM projects",
    "MERGE INTO tasks t USING projects p ON p.id = t.id WHEN MATCHED THEN UPDATE SET title = p.name \
     WHEN NOT MATCHED THEN INSERT (id, title) VALUES (p.id, p.name)",
    "WITH gone AS (DELETE FROM tasks RETURNING id) SELECT count(*) FROM gone, projects",
];

#[tokio::test]
async fn a_tenant_s_statement_stays_in_its_schema() {
    let cluster = TestCluster::shared().await.unwrap();
    println!("schemas run on {}", cluster.backend());
    let database = cluster.create_database().await.unwrap();
    let guard = guard_of_schemas();
    let client = world(&database).await;

    let mut wrong = Vec::new();
    for sql in STATEMENTS {
        let guarded = guard
            .check(sql)
            .unwrap_or_else(|refusal| panic!("{sql}: {refusal}"));
        for tenant in TENANTS {
            let schema = guard.tenancy().tenant_schema(tenant).unwrap();
            let text = guarded.text_for_schema(&schema).unwrap();
            let before = all_tables(&client).await;

            run(&client, "BEGIN; SET LOCAL search_path = public").await;
            let is = rows(&client, &text).await;
            let left = match is {
                Ok(_) => all_tables(&client).await,
                Err(_) => Vec::new(),
            };
            run(&client, "ROLLBACK").await;

            let path = schema.name().quoted();
            run(
                &client,
                &format!("BEGIN; SET LOCAL search_path = {path}, public"),
            )
            .await;
            let should_be = rows(&client, sql).await;
            let left_as_written = match should_be {
                Ok(_) => all_tables(&client).await,
                Err(_) => Vec::new(),
            };
            run(&client, "ROLLBACK").await;

            match (is, should_be) {
                (Ok(is), Ok(should_be)) if is == should_be && left == left_as_written => {}
                (is, should_be) => wrong.push(format!(
                    "{tenant}: {text}\n  is {is:?}, {left:?}\n  as written {should_be:?}, {left_as_written:?}"
                )),
            }
            let others = |tables: &[(String, Rows)]| -> Vec<_> {
                let own = format!("{path}.");
                tables
                    .iter()
                    .filter(|(name, _)| !name.starts_with(&own))
                    .cloned()
                    .collect()
            };
            if others(&before) != others(&left) {
                wrong.push(format!(
                    "{tenant}: {text}: another tenant's rows were changed"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_text_that_was_not_made_a_tenant_s_fails() {
    let cluster = TestCluster::shared().await.unwrap();
    let database = cluster.create_database().await.unwrap();
    let client = world(&database).await;
    let guard = guard_of_schemas();
    for sql in ["SELECT id FROM tasks", "DELETE FROM tasks"] {
        let error = rows(&client, guard.check(sql).unwrap().text()).await;
        let code = error.unwrap_err().code().unwrap().code().to_owned();
        assert!(matches!(code.as_str(), "3F000" | "42P01"), "{code}");
    }
    let error = client.batch_execute("CREATE SCHEMA pg_tenant_schema").await;
    assert_eq!(error.unwrap_err().code().unwrap().code(), "42939");
}

/// Schemas with the same ids and other values; on Citus, each is distributed as a whole.
async fn world(database: &TestDatabase) -> Client {
    let client = database.connect().await.unwrap();
    run(
        &client,
        "CREATE TABLE countries (code text PRIMARY KEY, name text)",
    )
    .await;
    if database.is_citus() {
        run(&client, "SELECT create_reference_table('countries')").await;
        run(&client, "SET citus.enable_schema_based_sharding TO on").await;
    }
    run(
        &client,
        "INSERT INTO countries VALUES ('de', 'Germany'), ('t1', 'One')",
    )
    .await;
    for (number, tenant) in TENANTS.iter().enumerate() {
        let schema = tenant_guard::Ident::from(*tenant).quoted().into_owned();
        run(&client, &format!("CREATE SCHEMA {schema}")).await;
        run(&client, &format!("SET search_path = {schema}, public")).await;
        for statement in TABLES.split_inclusive(';') {
            run(&client, statement).await;
        }
        for id in 1..=4 + number {
            let done = ["true", "false"][(id + number) % 2];
            let task = format!(
                "INSERT INTO tasks VALUES ({id}, {}, 't{}', {done}, {number})",
                id % 3,
                id + number
            );
            run(&client, &task).await;
            run(
                &client,
                &format!("INSERT INTO projects VALUES ({id}, 'p{number}_{id}')"),
            )
            .await;
        }
        run(
            &client,
            &format!("INSERT INTO \"Odd name\" VALUES ({number})"),
        )
        .await;
    }
    run(&client, "SET search_path = public").await;
    client
}

async fn run(client: &Client, sql: &str) {
    if let Err(error) = client.batch_execute(sql).await {
        panic!("{sql}: {error:?}");
    }
}

type Rows = Vec<Vec<Option<String>>>;

/// The rows of a statement, in an order of their own.
async fn rows(client: &Client, sql: &str) -> Result<Rows, Error> {
    let mut rows = Rows::new();
    for message in client.simple_query(sql).await? {
        if let SimpleQueryMessage::Row(row) = message {
            let values = (0..row.len()).map(|index| row.get(index).map(str::to_owned));
            rows.push(values.collect());
        }
    }
    rows.sort();
    Ok(rows)
}

/// What all tables of all tenants hold, and the shared one.
async fn all_tables(client: &Client) -> Vec<(String, Rows)> {
    let mut all = Vec::new();
    for tenant in TENANTS {
        let schema = tenant_guard::Ident::from(tenant).quoted().into_owned();
        for table in ["tasks", "projects", "\"Odd name\""] {
            let name = format!("{schema}.{table}");
            let held = rows(client, &format!("SELECT * FROM {name}"))
                .await
                .unwrap();
            all.push((name, held));
        }
    }
    let countries = rows(client, "SELECT * FROM public.countries")
        .await
        .unwrap();
    all.push(("public.countries".to_owned(), countries));
    all
}
