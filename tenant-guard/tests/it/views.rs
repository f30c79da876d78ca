//! The law for views, on a real server: a statement that names views, guarded, on the whole
//! database does what it does as written on a database with the tenant's rows alone, where the
//! server itself knows the views.

use citus_testkit::tokio_postgres::error::SqlState;
use citus_testkit::tokio_postgres::{Client, Error, SimpleQueryMessage};
use citus_testkit::{TestCluster, TestDatabase};
use tenant_guard::{Guard, GuardedSql, Policy, Tenancy};

const TENANTS: [i64; 3] = [1, 2, 3];

const TABLES: &str = "
    CREATE TABLE tasks (
        tenant_id bigint, id bigint, project_id bigint, title text, done boolean, points integer,
        PRIMARY KEY (tenant_id, id));
    CREATE TABLE projects (tenant_id bigint, id bigint, name text, PRIMARY KEY (tenant_id, id));
    CREATE TABLE countries (code text PRIMARY KEY, name text);";

const DISTRIBUTE: &str = "
    SELECT create_distributed_table('tasks', 'tenant_id');
    SELECT create_distributed_table('projects', 'tenant_id');
    SELECT create_reference_table('countries');";

const VIEWS: &str = "
    CREATE VIEW open_tasks AS SELECT id, title, points FROM tasks WHERE NOT done;
    CREATE VIEW counted AS SELECT id, count(*) OVER () AS n, rank() OVER (ORDER BY points) AS r FROM tasks;
    CREATE VIEW totals (done, n, points) AS SELECT done, count(*), sum(points) FROM tasks GROUP BY done;
    CREATE VIEW everything AS SELECT * FROM projects;
    CREATE VIEW joined AS
        SELECT t.id, t.title, p.name FROM tasks t LEFT JOIN projects p ON p.id = t.project_id;
    CREATE VIEW numbered AS SELECT id, title::integer AS number FROM tasks WHERE title ~ '^[0-9]+$';
    CREATE VIEW world AS
        SELECT c.code, (SELECT count(*) FROM open_tasks o WHERE o.title = c.code) AS tasks FROM countries c;
    CREATE VIEW deep (task, name) AS
        SELECT o.id, j.name FROM open_tasks o JOIN joined j ON j.id = o.id
        UNION SELECT n, 'all' FROM totals;
    CREATE VIEW best AS SELECT DISTINCT ON (project_id) project_id, title FROM tasks ORDER BY project_id, points, id;
    CREATE VIEW top AS SELECT id FROM tasks ORDER BY points DESC NULLS LAST, id LIMIT 2;
    CREATE VIEW recursive AS
        WITH RECURSIVE r (id, depth) AS (
            SELECT id, 0 FROM projects WHERE id = 1
            UNION ALL SELECT p.id, r.depth + 1 FROM projects p JOIN r ON p.id = r.id + 1)
        SELECT id, depth FROM r;
    CREATE VIEW shadowing AS WITH projects AS (SELECT id FROM tasks) SELECT id FROM projects;";

const STATEMENTS: &[&str] = &[
    "SELECT * FROM open_tasks",
    "SELECT id FROM open_tasks WHERE points > 1 OR title = 'x'",
    "SELECT x.a, x.title FROM open_tasks AS x(a)",
    "SELECT n, r FROM counted WHERE id < 3",
    "SELECT count(*), max(n) FROM counted",
    "SELECT * FROM totals ORDER BY done NULLS FIRST",
    "SELECT t.n, t.points FROM totals t WHERE t.done",
    "SELECT * FROM everything e, totals t",
    "SELECT row_to_json(e) FROM everything e",
    "SELECT * FROM joined JOIN projects USING (name)",
    "SELECT j.name, count(*) FROM joined j GROUP BY j.name",
    "SELECT number FROM numbered WHERE number > 0",
    "SELECT * FROM world",
    "SELECT task, d.name FROM deep d",
    "SELECT (SELECT max(id) FROM open_tasks o WHERE o.title = p.name) FROM projects p",
    "WITH tasks AS (SELECT 99 AS id) SELECT o.id FROM open_tasks o, tasks",
    "WITH open_tasks AS (SELECT 99 AS id) SELECT id FROM open_tasks",
    "SELECT id FROM open_tasks EXCEPT SELECT id FROM top",
    "SELECT p.id FROM projects p LEFT JOIN open_tasks o ON o.id = p.id WHERE o.id IS NULL",
    "SELECT * FROM projects p, LATERAL (SELECT * FROM joined j WHERE j.name = p.name) z",
    "SELECT * FROM best",
    "SELECT * FROM top",
    "SELECT * FROM recursive",
    "SELECT * FROM shadowing, projects",
    "INSERT INTO projects (id, name) SELECT id + 100, title FROM open_tasks",
    "UPDATE projects SET name = o.title FROM open_tasks o WHERE o.id = projects.id RETURNING projects.*",
    "DELETE FROM tasks WHERE id IN (SELECT id FROM top) RETURNING id",
    "DELETE FROM tasks USING counted c WHERE c.id = tasks.id AND c.n > 2",
    "TABLE open_tasks",
    "SELECT p.id, n.number FROM projects p LEFT JOIN numbered n ON n.id = p.id",
    "MERGE INTO projects p USING open_tasks o ON p.id = o.id WHEN MATCHED THEN UPDATE SET name = o.title \
     WHEN NOT MATCHED THEN INSERT (id, name) VALUES (o.id, o.title)",
    "WITH gone AS (DELETE FROM tasks WHERE done RETURNING id) SELECT count(*) FROM gone, totals",
];

#[tokio::test]
async fn a_view_shows_what_it_would_show_alone() {
    let cluster = TestCluster::shared().await.unwrap();
    println!("views run on {}", cluster.backend());
    let database = cluster.create_database().await.unwrap();
    let guard = Guard::new(Tenancy::from_sql(&migrations()).unwrap(), Policy::default());
    let (whole, alone) = world(&database).await;

    let mut wrong = Vec::new();
    let mut compared = 0;
    for sql in STATEMENTS {
        let guarded = guard
            .check(sql)
            .unwrap_or_else(|refusal| panic!("{sql}: {refusal}"));
        for tenant in TENANTS {
            let others = format!("tenant_id <> {tenant}");
            let before = tables(&whole, &others).await;
            run(&whole, "BEGIN").await;
            run(&alone, "BEGIN").await;
            run(&alone, &format!("SET LOCAL search_path = only_{tenant}")).await;
            let is = rows(&whole, &with_literal(&guarded, tenant)).await;
            let should_be = rows(&alone, sql).await;
            match (is, should_be) {
                (Ok(is), Ok(should_be)) => {
                    compared += 1;
                    let own = tables(&whole, &format!("tenant_id = {tenant}")).await;
                    let equal = is == should_be
                        && own == tables(&alone, "true").await
                        && before == tables(&whole, &others).await;
                    if !equal {
                        wrong.push(format!(
                            "{tenant}: {sql}\n  is {is:?}\n  alone {should_be:?}"
                        ));
                    }
                }
                (Err(error), Ok(_)) if database.is_citus() && is_no_plan(&error) => {
                    println!("Citus has no plan: {sql}: {error}");
                }
                (is, should_be) => wrong.push(format!("{tenant}: {sql}: {is:?}, {should_be:?}")),
            }
            run(&whole, "ROLLBACK").await;
            run(&alone, "ROLLBACK").await;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let all = STATEMENTS.len() * TENANTS.len();
    assert!(
        compared * 10 >= all * 8,
        "only {compared} of {all} were compared"
    );
}

fn migrations() -> String {
    format!("{TABLES}{DISTRIBUTE}{VIEWS}")
}

/// All tenants' rows in `public`, and those of each in a schema of its own with the same views.
async fn world(database: &TestDatabase) -> (Client, Client) {
    database.migrate(TABLES).await.unwrap();
    if database.is_citus() {
        database.migrate(DISTRIBUTE).await.unwrap();
    }
    let whole = database.connect().await.unwrap();
    run(
        &whole,
        "INSERT INTO countries VALUES ('de', 'Germany'), ('2', 'Two'), ('x', NULL)",
    )
    .await;
    for tenant in TENANTS {
        for id in 1..=(8 - 2 * tenant) {
            let title = if id % 2 == 0 {
                "x".to_owned()
            } else {
                (id * tenant).to_string()
            };
            let done = ["true", "false", "NULL"][usize::try_from((id + tenant) % 3).unwrap()];
            run(
                &whole,
                &format!(
                    "INSERT INTO tasks VALUES ({tenant}, {id}, {}, '{title}', {done}, {})",
                    id % 3,
                    (id * 7 + tenant) % 5
                ),
            )
            .await;
            run(
                &whole,
                &format!(
                    "INSERT INTO projects VALUES ({tenant}, {id}, 'p{}')",
                    id % 3
                ),
            )
            .await;
        }
    }
    let alone = database.connect().await.unwrap();
    for tenant in TENANTS {
        let schema = format!("only_{tenant}");
        run(&alone, &format!("CREATE SCHEMA {schema}")).await;
        run(&alone, &format!("SET search_path = {schema}")).await;
        for statement in TABLES
            .split_inclusive(';')
            .chain(VIEWS.split_inclusive(';'))
        {
            run(&alone, statement).await;
        }
        for table in ["tasks", "projects"] {
            let rows = format!("SELECT * FROM public.{table} WHERE tenant_id = {tenant}");
            run(&alone, &format!("INSERT INTO {table} {rows}")).await;
            run(
                &alone,
                &format!("ALTER TABLE {table} ALTER tenant_id SET DEFAULT {tenant}"),
            )
            .await;
        }
        run(
            &alone,
            "INSERT INTO countries SELECT * FROM public.countries",
        )
        .await;
    }
    (whole, alone)
}

async fn run(client: &Client, sql: &str) {
    if let Err(error) = client.batch_execute(sql).await {
        panic!("{sql}: {error:?}");
    }
}

/// The rows of a statement, in an order of their own.
async fn rows(client: &Client, sql: &str) -> Result<Vec<Vec<Option<String>>>, Error> {
    let mut rows: Vec<_> = client
        .simple_query(sql)
        .await?
        .into_iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        })
        .map(|row| {
            (0..row.len())
                .map(|index| row.get(index).map(str::to_owned))
                .collect()
        })
        .collect();
    rows.sort();
    Ok(rows)
}

/// What the tenant tables hold.
async fn tables(client: &Client, condition: &str) -> Vec<Vec<Option<String>>> {
    let sql = format!(
        "SELECT 'tasks', t::text FROM tasks t WHERE {condition}
         UNION ALL SELECT 'projects', p::text FROM projects p WHERE {condition}"
    );
    rows(client, &sql).await.unwrap()
}

/// The guarded text with the tenant as a literal in each of its slots.
fn with_literal(guarded: &GuardedSql, tenant: i64) -> String {
    let mut text = guarded.text().to_owned();
    for slot in guarded.tenant_param_slots().iter().rev() {
        text.replace_range(slot.clone(), &tenant.to_string());
    }
    text
}

/// Citus says so, or cannot place the new rows of a MERGE whose source is no table (13.2,
/// `merge_planner.c`).
fn is_no_plan(error: &Error) -> bool {
    let of_merge = "MERGE INSERT is using unsupported expression type";
    error.as_db_error().is_some_and(|error| {
        *error.code() == SqlState::FEATURE_NOT_SUPPORTED || error.message().starts_with(of_merge)
    })
}
