//! Row-level security as `tenant_guard::rls` writes it, on real servers: Citus where it is installed.

use citus_testkit::tokio_postgres::error::SqlState;
use citus_testkit::tokio_postgres::{Client, Config, Error, NoTls};
use citus_testkit::{TestCluster, TestDatabase};
use tenant_guard::{Tenancy, rls, split_statements};

const SCHEMA: &str = r#"
    CREATE SCHEMA "My App";
    CREATE TABLE tasks (tenant_id bigint NOT NULL, id bigserial, title text, PRIMARY KEY (tenant_id, id));
    CREATE TABLE "My App"."Notes" ("Tenant" text NOT NULL, at date NOT NULL, body text)
        PARTITION BY RANGE (at);
    CREATE TABLE "My App"."Notes 24" PARTITION OF "My App"."Notes"
        FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE TABLE countries (code text PRIMARY KEY);
    CREATE TABLE audit (tenant bigint, what text);
    SELECT create_distributed_table('tasks', 'tenant_id');
    SELECT create_distributed_table('"My App"."Notes"', 'Tenant');
    SELECT create_reference_table('countries');
    INSERT INTO tasks SELECT tenant, 1000 + id, 'of ' || tenant FROM generate_series(1, 6) tenant, generate_series(1, 3) id;
    INSERT INTO "My App"."Notes" VALUES ('', '2024-05-05', 'nobody''s'), ('1', '2024-05-05', 'x'), ('2', '2024-05-05', 'y');
    INSERT INTO countries VALUES ('de');
"#;

/// A database with the schema and the policies, and the role that they hold for.
struct Secured {
    database: TestDatabase,
    role: String,
}

impl Secured {
    async fn new() -> Self {
        let cluster = TestCluster::shared().await.unwrap();
        let database = cluster.create_database().await.unwrap();
        database.migrate(SCHEMA).await.unwrap();
        let role = format!("Tenant's {}", database.name());
        let tenancy = Tenancy::from_sql(SCHEMA).unwrap();
        let options = rls::Options::default().role(role.as_str());
        let script = rls::script(&tenancy, &options);
        let secured = Self { database, role };
        // Twice: it can be run again.
        secured.run(&script).await;
        secured.run(&script).await;
        secured
    }

    /// A session of the role on a node.
    async fn session(&self, node: usize) -> Client {
        self.session_of(&self.role, node).await
    }

    async fn session_of(&self, role: &str, node: usize) -> Client {
        let node = self.database.node(node).unwrap();
        let (client, connection) = Config::new()
            .host(node.host())
            .port(node.port())
            .user(role)
            .dbname(self.database.name())
            .connect(NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        client
            .batch_execute("SET citus.propagate_set_commands = 'local'")
            .await
            .unwrap();
        client
    }

    fn nodes(&self) -> usize {
        self.database.nodes().count()
    }

    /// Runs a script wherever a migration runs.
    async fn run(&self, script: &str) {
        let count = if self.database.is_citus() {
            1
        } else {
            usize::MAX
        };
        for node in self.database.nodes().take(count) {
            let client = node.connect().await.unwrap();
            run(&client, script).await.unwrap();
        }
    }

    /// The role is of the whole cluster, and outlives the database unless it is dropped.
    async fn drop(self) {
        let role = &self.role;
        self.run(&format!("DROP OWNED BY \"{role}\"; DROP ROLE \"{role}\""))
            .await;
    }
}

/// As psql does: one statement at a time. Citus 13.2 hands a whole text on where it should hand on one
/// statement of it, and its workers refuse that.
async fn run(client: &Client, script: &str) -> Result<(), Error> {
    for bytes in split_statements(script).unwrap() {
        client.batch_execute(&script[bytes]).await?;
    }
    Ok(())
}

async fn count(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

async fn code(client: &Client, sql: &str) -> SqlState {
    let error = client.batch_execute(sql).await.unwrap_err();
    error
        .code()
        .unwrap_or_else(|| panic!("{sql}: {error:?}"))
        .clone()
}

#[tokio::test]
async fn a_tenant_meets_its_own_rows_alone_on_every_node() {
    let secured = Secured::new().await;
    for node in 0..secured.nodes() {
        let client = secured.session(node).await;
        for tenant in 1..=6_i64 {
            // On Citus each tenant's rows are on another node than most sessions are.
            client
                .batch_execute(&format!("BEGIN; SET LOCAL app.tenant_id = '{tenant}'"))
                .await
                .unwrap();
            assert_eq!(count(&client, "SELECT count(*) FROM tasks").await, 3);
            let others = format!("SELECT count(*) FROM tasks WHERE tenant_id <> {tenant}");
            assert_eq!(count(&client, &others).await, 0);
            let other = tenant % 6 + 1;
            for write in [
                format!("UPDATE tasks SET title = 'stolen' WHERE tenant_id = {other}"),
                format!("DELETE FROM tasks WHERE tenant_id = {other}"),
            ] {
                assert_eq!(
                    client.execute(write.as_str(), &[]).await.unwrap(),
                    0,
                    "{write}"
                );
            }
            assert_eq!(
                client
                    .execute("UPDATE tasks SET title = 'mine'", &[])
                    .await
                    .unwrap(),
                3
            );
            let own = format!("INSERT INTO tasks (tenant_id, title) VALUES ({tenant}, 'new')");
            client.batch_execute(&own).await.unwrap();
            assert_eq!(count(&client, "SELECT count(*) FROM countries").await, 1);
            let foreign = format!("INSERT INTO tasks (tenant_id, id) VALUES ({other}, 99)");
            assert_eq!(
                code(&client, &foreign).await,
                SqlState::INSUFFICIENT_PRIVILEGE
            );
            client.batch_execute("ROLLBACK").await.unwrap();
        }
    }
    let all = secured.database.connect().await.unwrap();
    let stolen = "SELECT count(*) FROM tasks WHERE title <> 'of ' || tenant_id";
    assert_eq!(count(&all, stolen).await, 0);
    secured.drop().await;
}

#[tokio::test]
async fn without_a_tenant_there_are_no_rows() {
    let secured = Secured::new().await;
    for node in 0..secured.nodes() {
        let client = secured.session(node).await;
        let undefined = code(&client, "SELECT * FROM tasks").await;
        assert_eq!(undefined, SqlState::UNDEFINED_OBJECT);
        let undefined = code(&client, "SELECT * FROM \"My App\".\"Notes\"").await;
        assert_eq!(undefined, SqlState::UNDEFINED_OBJECT);
        client
            .batch_execute("BEGIN; SET LOCAL app.tenant_id = '1'; COMMIT")
            .await
            .unwrap();
        // From here on the setting is there and empty, at least on this node.
        let empty = code(&client, "SELECT * FROM tasks").await;
        assert!(
            [
                SqlState::INVALID_TEXT_REPRESENTATION,
                SqlState::UNDEFINED_OBJECT
            ]
            .contains(&empty),
            "{empty:?}"
        );
        client
            .batch_execute("BEGIN; SET LOCAL app.tenant_id = ''")
            .await
            .unwrap();
        let notes = "SELECT count(*) FROM \"My App\".\"Notes\"";
        assert_eq!(count(&client, notes).await, 0);
        client.batch_execute("ROLLBACK").await.unwrap();
    }
    secured.drop().await;
}

#[tokio::test]
async fn partitions_and_other_tables_are_no_way_around() {
    let secured = Secured::new().await;
    let client = secured.session(0).await;
    client
        .batch_execute("BEGIN; SET LOCAL app.tenant_id = '2'")
        .await
        .unwrap();
    assert_eq!(count(&client, "SELECT count(*) FROM tasks").await, 3);
    let partition = "SELECT count(*) FROM \"My App\".\"Notes 24\"";
    assert_eq!(count(&client, partition).await, 1);
    client.batch_execute("COMMIT").await.unwrap();
    for forbidden in [
        "SELECT * FROM audit",
        "INSERT INTO countries VALUES ('fr')",
        "ALTER TABLE tasks DISABLE ROW LEVEL SECURITY",
        "TRUNCATE tasks",
    ] {
        let refused = code(&client, forbidden).await;
        assert_eq!(refused, SqlState::INSUFFICIENT_PRIVILEGE, "{forbidden}");
    }
    secured.drop().await;
}

#[tokio::test]
async fn a_role_that_nothing_holds_is_refused() {
    let cluster = TestCluster::shared().await.unwrap();
    let database = cluster.create_database().await.unwrap();
    database.migrate(SCHEMA).await.unwrap();
    let client = database.connect().await.unwrap();
    let tenancy = Tenancy::from_sql(SCHEMA).unwrap();
    let superuser: String = client
        .query_one("SELECT current_user::text", &[])
        .await
        .unwrap()
        .get(0);
    let options = rls::Options::default().role(superuser.as_str());
    let refused = run(&client, &rls::script(&tenancy, &options))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Some(&SqlState::RAISE_EXCEPTION));
}

#[tokio::test]
async fn the_owner_of_the_tables_is_held_too() {
    let secured = Secured::new().await;
    let owner = format!("owner_{}", secured.database.name());
    secured
        .run(&format!(
            "CREATE ROLE {owner} LOGIN; ALTER TABLE tasks OWNER TO {owner}"
        ))
        .await;
    for node in 0..secured.nodes() {
        let client = secured.session_of(&owner, node).await;
        assert_eq!(
            code(&client, "SELECT * FROM tasks").await,
            SqlState::UNDEFINED_OBJECT
        );
        run(&client, "BEGIN; SET LOCAL app.tenant_id = '2'")
            .await
            .unwrap();
        assert_eq!(count(&client, "SELECT count(*) FROM tasks").await, 3);
    }
    secured
        .run(&format!("DROP OWNED BY {owner}; DROP ROLE {owner}"))
        .await;
    secured.drop().await;
}

/// Policies of one table are alternatives, and Citus 13.2 makes alternatives of restrictive ones, too.
#[tokio::test]
async fn a_policy_that_widens_is_refused() {
    let cluster = TestCluster::shared().await.unwrap();
    let database = cluster.create_database().await.unwrap();
    database.migrate(SCHEMA).await.unwrap();
    let client = database.connect().await.unwrap();
    let options = rls::Options::default().role(format!("widened {}", database.name()));
    let script = rls::script(&Tenancy::from_sql(SCHEMA).unwrap(), &options);
    for (kind, is_refused) in [("PERMISSIVE", true), ("RESTRICTIVE", database.is_citus())] {
        client
            .batch_execute(&format!(
                "CREATE POLICY everything ON tasks AS {kind} USING (true)"
            ))
            .await
            .unwrap();
        let result = run(&client, &script).await;
        run(&client, "ROLLBACK; DROP POLICY everything ON tasks")
            .await
            .unwrap();
        match result {
            Err(error) => {
                assert!(is_refused, "{error:?}");
                assert_eq!(error.code(), Some(&SqlState::RAISE_EXCEPTION));
            }
            Ok(()) => assert!(!is_refused, "{kind}"),
        }
    }
    let role = format!("\"{}\"", options.role_name());
    let drop = format!("DROP OWNED BY {role}; DROP ROLE {role}");
    if !database.is_citus() {
        client.batch_execute(&drop).await.unwrap();
    }
}
