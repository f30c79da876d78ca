//! One schema with data of all tenants, and the same schema once for each tenant alone.
//!
//! Each is a database of its own, so that a statement means the same in all of them, names with a
//! schema included.

use citus_testkit::tokio_postgres::Error;
use citus_testkit::{TestCluster, TestDatabase};
use futures_util::future::join_all;
use tenant_guard::{Guard, Policy};

use super::data::{self, STRANGER, TENANTS};
use super::schema::{Schema, quoted};
use super::session::Session;

/// The databases, of which every world makes use again.
pub(crate) struct Databases {
    whole: (TestDatabase, Session),
    alone: Vec<(TestDatabase, Session)>,
    pub(crate) backend: String,
}

impl Databases {
    pub(crate) async fn create() -> Self {
        let cluster = TestCluster::shared().await.expect("servers");
        let open = async || {
            let database = cluster.create_database().await.expect("a database");
            let session = Session::open(&database).await;
            (database, session)
        };
        let (whole, alone) = tokio::join!(open(), join_all((0..TENANTS).map(|_| open())));
        Self {
            whole,
            alone,
            backend: cluster.backend().to_string(),
        }
    }

    pub(crate) fn is_citus(&self) -> bool {
        self.whole.0.is_citus()
    }
}

/// A schema with its rows, in place of the one before.
pub(crate) struct World<'d> {
    pub(crate) schema: Schema,
    pub(crate) guard: Guard,
    /// Knows all columns: what runs on a server names no other.
    strict: Guard,
    pub(crate) whole: &'d Session,
    databases: &'d Databases,
    /// For each tenant, all rows of all others.
    others: Vec<Vec<String>>,
}

impl<'d> World<'d> {
    pub(crate) async fn create(databases: &'d Databases, schema: Schema) -> Self {
        let whole = &databases.whole.1;
        make_fresh(whole, &schema).await;
        whole.script(&schema.ddl(None)).await;
        if databases.is_citus() {
            let mut statements = vec!["SET citus.shard_count = 4".to_owned()];
            statements.extend(schema.distribution());
            whole.script(&statements).await;
        }
        whole.script(&data::reference_rows(&schema)).await;
        for tenant in 0..TENANTS {
            whole.script(&data::rows(&schema, tenant)).await;
            let literal = data::tenant_literal(schema.tenant_kind, tenant);
            let alone = &databases.alone[tenant].1;
            make_fresh(alone, &schema).await;
            alone.script(&schema.ddl(Some(&literal))).await;
            alone.script(&data::reference_rows(&schema)).await;
            alone.script(&data::rows(&schema, tenant)).await;
            alone.script(&["ANALYZE".to_owned()]).await;
        }
        // With statistics the planner chooses as it does in production.
        whole.script(&strangers(&schema)).await;
        whole.script(&["ANALYZE".to_owned()]).await;

        let guard = Guard::new(schema.tenancy(), Policy::default());
        let strict = Guard::new(schema.tenancy(), Policy::default().refuse_unknown_columns());
        let mut world = Self {
            strict,
            schema,
            guard,
            whole,
            databases,
            others: Vec::new(),
        };
        for tenant in 0..TENANTS {
            let (_, others) = world.rows_of(tenant).await.expect("rows");
            world.others.push(others);
        }
        world
    }

    pub(crate) fn is_citus(&self) -> bool {
        self.databases.is_citus()
    }

    /// Whether a server has ended a session, as it does when it crashes.
    pub(crate) fn is_lost(&self) -> bool {
        let alone = (0..TENANTS).map(|tenant| self.alone(tenant));
        alone
            .chain([self.whole])
            .any(|session| session.client.is_closed())
    }

    /// What a guard that refuses unknown columns has against a statement.
    pub(crate) fn unknown_column(&self, sql: &str) -> Option<String> {
        let refusal = self.strict.check(sql).err()?;
        Some(refusal.render(sql))
    }

    pub(crate) fn alone(&self, tenant: usize) -> &'d Session {
        &self.databases.alone[tenant].1
    }

    /// After a write, how the tenant's rows are not those that it would have alone, if they are not.
    /// It is an error, whatever the statement, if any other row is not as before.
    pub(crate) async fn difference(&self, tenant: usize) -> Result<Option<String>, String> {
        let own = self.own_rows(tenant).await?;
        let alone = self
            .rows_alone(tenant)
            .await
            .map_err(|error| unreadable(&error))?;
        Ok((own != alone).then(|| format!("the rows are then {own:?}, alone {alone:?}")))
    }

    /// The tenant's rows, as they are now. It is an error if any other row is not as before.
    pub(crate) async fn own_rows(&self, tenant: usize) -> Result<Vec<String>, String> {
        let (own, others) = self
            .rows_of(tenant)
            .await
            .map_err(|error| unreadable(&error))?;
        if others == self.others[tenant] {
            Ok(own)
        } else {
            Err("another tenant's rows were changed".to_owned())
        }
    }

    /// The tenant's rows, and all others, as they are now.
    async fn rows_of(&self, tenant: usize) -> Result<(Vec<String>, Vec<String>), Error> {
        let literal = data::tenant_literal(self.schema.tenant_kind, tenant);
        let column = quoted(&self.schema.tenant_column);
        let (mut own, mut others) = (Vec::new(), Vec::new());
        self.whole.take_time().await;
        for table in self.schema.tenant_tables() {
            let name = self.schema.qualified(table);
            let sql = format!("SELECT (t.{column} = {literal})::text, t::text FROM {name} AS t");
            for row in self.whole.texts(&sql).await? {
                let rows = if row[0] == "true" {
                    &mut own
                } else {
                    &mut others
                };
                rows.push(format!("{name}{}", row[1]));
            }
        }
        own.sort();
        others.sort();
        Ok((own, others))
    }

    /// The rows in the tenant's own database, as they are now.
    pub(crate) async fn rows_alone(&self, tenant: usize) -> Result<Vec<String>, Error> {
        let mut rows = Vec::new();
        let alone = self.alone(tenant);
        alone.take_time().await;
        for table in self.schema.tenant_tables() {
            let name = self.schema.qualified(table);
            let sql = format!("SELECT t::text FROM {name} AS t");
            let found = alone.texts(&sql).await?;
            rows.extend(found.iter().map(|row| format!("{name}{}", row[0])));
        }
        rows.sort();
        Ok(rows)
    }
}

fn unreadable(error: &Error) -> String {
    format!("the rows cannot be read: {error:?}")
}

/// Empties the database and sets the path of the session.
async fn make_fresh(session: &Session, schema: &Schema) {
    // The schema `public` stays: Citus has views in it.
    let tables = "SELECT format('DROP TABLE IF EXISTS public.%I CASCADE', relname) FROM pg_class c
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND NOT EXISTS (
            SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')";
    let tables = session.texts(tables).await.expect("the tables");
    let mut statements = tables.concat();
    for old in ["app", "\"My App\"", "archive"] {
        statements.push(format!("DROP SCHEMA IF EXISTS {old} CASCADE"));
    }
    let name = quoted(&schema.name);
    statements.push(format!("CREATE SCHEMA IF NOT EXISTS {name}"));
    statements.push(format!("SET search_path = {name}"));
    session.script(&statements).await;
}

/// A table called like a tenant's, in a schema that the guard knows nothing of.
fn strangers(schema: &Schema) -> Vec<String> {
    let name = quoted(&schema.tables[0].name);
    vec![
        "CREATE SCHEMA archive".to_owned(),
        format!("CREATE TABLE archive.{name} (id bigint, title text)"),
        format!("INSERT INTO archive.{name} VALUES (1, 'leak_{STRANGER}_1')"),
    ]
}
