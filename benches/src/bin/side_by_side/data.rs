//! The rows that are read and written.

use citus_testkit::TestDatabase;
use tenant_guard::{MigrationError, Tenancy};

pub(crate) const TENANTS: i64 = 500;
pub(crate) const ITEMS: i64 = 100;
/// How many items a list has.
pub(crate) const LIST: i64 = 20;

const SCHEMA: &str = "\
CREATE TABLE items (
    tenant_id bigint NOT NULL,
    id bigint NOT NULL,
    name text NOT NULL,
    counter integer NOT NULL DEFAULT 0,
    payload text NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
SELECT create_distributed_table('items', 'tenant_id');
CREATE TABLE events (
    tenant_id bigint NOT NULL,
    id bigint NOT NULL,
    payload text NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
SELECT create_distributed_table('events', 'tenant_id');";

pub(crate) fn tenancy() -> Result<Tenancy, MigrationError> {
    Tenancy::from_sql(SCHEMA)
}

/// The schema and the rows. Servers that know nothing of each other each get all of them.
pub(crate) async fn fill(database: &TestDatabase) -> anyhow::Result<()> {
    database.migrate(SCHEMA).await?;
    let rows = format!(
        "INSERT INTO items
         SELECT tenant, id, 'Item ' || id, 0, repeat('x', 120)
         FROM generate_series(1, {TENANTS}) AS tenant, generate_series(1, {ITEMS}) AS id;
         ANALYZE items;"
    );
    database.migrate(&rows).await?;
    Ok(())
}
