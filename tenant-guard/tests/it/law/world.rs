//! Data of several tenants, together and apart.

use citus_testkit::TestDatabase;
use citus_testkit::tokio_postgres::Client;

/// Tenants with colliding ids and values; 4 has no rows, 5 has one of each.
pub(crate) const TENANTS: [i64; 5] = [1, 2, 3, 4, 5];

/// The tenant with zeros to divide by.
pub(crate) const POISONED: i64 = 3;

/// The tenants whose titles are numbers.
pub(crate) const TENANTS_WITH_NUMBERS: [i64; 3] = [1, 3, 5];

/// The tenant tables, without schema.
pub(crate) const TABLES: [&str; 3] = ["tasks", "projects", "users"];

const TABLE_DDL: &str = "
    CREATE TABLE {schema}.projects (
        tenant_id bigint, id bigint, name text, owner_id bigint, PRIMARY KEY (tenant_id, id));
    CREATE TABLE {schema}.users (
        tenant_id bigint, id bigint, email text, PRIMARY KEY (tenant_id, id));
    CREATE TABLE {schema}.tasks (
        tenant_id bigint DEFAULT {tenant}, id bigint, project_id bigint, title text, done boolean,
        points integer, data jsonb, PRIMARY KEY (tenant_id, id));
    ALTER TABLE {schema}.projects ALTER tenant_id SET DEFAULT {tenant};
    ALTER TABLE {schema}.users ALTER tenant_id SET DEFAULT {tenant};
    CREATE TABLE {schema}.countries (code text PRIMARY KEY, name text);";

const DISTRIBUTE: &str = "
    SELECT create_distributed_table('projects', 'tenant_id');
    SELECT create_distributed_table('users', 'tenant_id');
    SELECT create_distributed_table('tasks', 'tenant_id');
    SELECT create_reference_table('countries');";

/// A database with `public` for all tenants and a schema for each alone.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) database: TestDatabase,
    /// Runs guarded statements on all data.
    pub(crate) whole: Client,
    /// Runs statements as written on one tenant's data.
    pub(crate) alone: Client,
}

impl World {
    pub(crate) async fn create(database: TestDatabase) -> Self {
        database.migrate(&ddl("public", None)).await.unwrap();
        database.migrate(DISTRIBUTE).await.unwrap();
        let whole = database.connect().await.unwrap();
        let alone = database.connect().await.unwrap();
        // A generated join can be long; such a case is left.
        for client in [&whole, &alone] {
            client
                .batch_execute("SET statement_timeout = '500ms'")
                .await
                .unwrap();
        }
        whole.batch_execute(&rows()).await.unwrap();
        for tenant in TENANTS {
            for statement in alone_script(tenant).split_inclusive(';') {
                alone.batch_execute(statement).await.unwrap();
            }
        }
        // With statistics the planner chooses as it does in production.
        for client in [&whole, &alone] {
            client.batch_execute("ANALYZE").await.unwrap();
        }
        Self {
            database,
            whole,
            alone,
        }
    }
}

/// One statement at a time: Citus refuses several in one text.
fn alone_script(tenant: i64) -> String {
    let schema = format!("only_{tenant}");
    let copies = TABLES.map(|table| {
        format!(
            "INSERT INTO {schema}.{table} SELECT * FROM public.{table} WHERE tenant_id = {tenant};"
        )
    });
    format!(
        "CREATE SCHEMA {schema};{}{}INSERT INTO {schema}.countries SELECT * FROM public.countries",
        ddl(&schema, Some(tenant)),
        copies.concat()
    )
}

fn ddl(schema: &str, tenant: Option<i64>) -> String {
    let tenant = tenant.map_or("NULL".to_owned(), |tenant| tenant.to_string());
    TABLE_DDL
        .replace("{schema}", schema)
        .replace("{tenant}", &tenant)
}

/// Ids and values collide between tenants on purpose; names hold a marker of their tenant, so that
/// a leak shows even where results are not compared. Titles are numbers for some tenants and not
/// for others, so that a cast of another tenant's title fails and quotes it.
fn rows() -> String {
    let countries =
        "INSERT INTO countries VALUES ('de', 'Germany'), ('tr', 'Turkey'), ('3', NULL);";
    let tenants = [(1, 7), (2, 9), (3, 5), (5, 1)];
    let rows = tenants
        .into_iter()
        .flat_map(|(tenant, rows)| (1..=rows).map(move |id| row(tenant, id)));
    countries.to_owned() + &rows.collect::<String>()
}

fn row(tenant: usize, id: usize) -> String {
    let null_each = |period, value: usize| match id % period {
        0 => "NULL".to_owned(),
        _ => value.to_string(),
    };
    let (owner, points, project) = (
        null_each(4, (id * 3) % 6),
        null_each(5, if tenant == 3 { id % 4 } else { id % 4 + 1 }),
        null_each(6, id % 4 + 1),
    );
    let title = if tenant == 2 {
        format!("leak_{tenant}_{id}")
    } else {
        (id % 4).to_string()
    };
    let done = ["true", "false", "NULL"][id % 3];
    let email = id % 5;
    format!(
        "INSERT INTO projects VALUES ({tenant}, {id}, 'leak_{tenant}_{id}', {owner});
         INSERT INTO users VALUES ({tenant}, {id}, 'leak_{tenant}_{email}@x');
         INSERT INTO tasks VALUES
            ({tenant}, {id}, {project}, '{title}', {done}, {points}, '{{\"k\": {id}}}');"
    )
}
