//! Data of several tenants, together and apart.

use citus_testkit::TestDatabase;
use citus_testkit::tokio_postgres::Client;

/// Tenants with colliding ids and values; 4 has no rows, 5 has one of each.
pub(crate) const TENANTS: [i64; 5] = [1, 2, 3, 4, 5];

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
            let schema = format!("only_{tenant}");
            let mut script = format!("CREATE SCHEMA {schema};{}", ddl(&schema, Some(tenant)));
            for table in TABLES {
                script += &format!(
                    "INSERT INTO {schema}.{table} SELECT * FROM public.{table} WHERE tenant_id = {tenant};"
                );
            }
            script += &format!("INSERT INTO {schema}.countries SELECT * FROM public.countries;");
            for statement in script
                .split_inclusive(';')
                .filter(|text| text.trim().len() > 1)
            {
                alone.batch_execute(statement).await.unwrap();
            }
        }
        Self {
            database,
            whole,
            alone,
        }
    }
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
    let mut script =
        "INSERT INTO countries VALUES ('de', 'Germany'), ('tr', 'Turkey'), ('3', NULL);".to_owned();
    for (tenant, rows) in [(1, 7), (2, 9), (3, 5), (5, 1)] {
        for id in 1..=rows {
            let owner = if id % 4 == 0 {
                "NULL".to_owned()
            } else {
                ((id * 3) % 6).to_string()
            };
            script += &format!(
                "INSERT INTO projects VALUES ({tenant}, {id}, 'leak_{tenant}_{id}', {owner});"
            );
            script += &format!(
                "INSERT INTO users VALUES ({tenant}, {id}, 'leak_{tenant}_{}@x');",
                id % 5
            );
            let title = if tenant == 2 {
                format!("'leak_{tenant}_{id}'")
            } else {
                format!("'{}'", id % 4)
            };
            let done = ["true", "false", "NULL"][id % 3];
            let points = if id % 5 == 0 {
                "NULL".to_owned()
            } else {
                (id % 4).to_string()
            };
            let project = if id % 6 == 0 {
                "NULL".to_owned()
            } else {
                (id % 4 + 1).to_string()
            };
            script += &format!(
                "INSERT INTO tasks VALUES ({tenant}, {id}, {project}, {title}, {done}, {points}, '{{\"k\": {id}}}');"
            );
        }
    }
    script
}
