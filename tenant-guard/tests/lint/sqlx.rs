//! sqlx and diesel: functions, macros and executors.

use diesel::sql_query;
use sqlx::{query as ask, query_as, Executor, PgPool, QueryBuilder};

async fn functions(pool: &PgPool, sql: &str) {
    sqlx::query("SELECT id FROM nope").fetch_all(pool).await; //~ TG006
    sqlx::query_as::<_, Task>("SELECT id FROM nope").fetch_all(pool).await; //~ TG006
    sqlx::query_scalar::<_, i64>("SELECT id FROM nope").fetch_one(pool).await; //~ TG006
    sqlx::query_with("SELECT id FROM nope", arguments).execute(pool).await; //~ TG006
    sqlx::raw_sql("SELECT 1; TRUNCATE tasks").execute(pool).await; //~ TG003
    sqlx::query(sqlx::AssertSqlSafe("SELECT id FROM nope")); //~ TG006
    ask("SELECT id FROM nope").execute(pool).await; //~ TG006
    query_as::<_, Task>("SELECT id FROM nope").fetch_all(pool).await; //~ TG006
    sql_query("SELECT id FROM nope").load(connection); //~ TG006
    diesel::sql_query("SELECT id FROM nope").load(connection); //~ TG006
    diesel::dsl::sql::<Bool>("id IN (SELECT id FROM nope)"); //~ unchecked
    pool.execute("SELECT id FROM nope").await; //~ TG006
    pool.fetch_all("SELECT id FROM nope").await; //~ TG006
    sqlx::query(sql).execute(pool).await; //~ unchecked
    QueryBuilder::new("SELECT id FROM nope WHERE id IN "); //~ unchecked
    sqlx::QueryBuilder::<Postgres>::new("SELECT id FROM tasks "); //~ unchecked

    sqlx::query("SELECT id FROM tasks WHERE id = $1").bind(7).fetch_all(pool).await;
}

async fn macros(pool: &PgPool) {
    sqlx::query!("SELECT id FROM nope").fetch_all(pool).await; //~ TG006
    query!("SELECT id FROM nope WHERE id = $1", id).fetch_one(pool).await; //~ TG006
    sqlx::query_unchecked!("SELECT id FROM nope").fetch_all(pool).await; //~ TG006
    sqlx::query_as!(Task, "SELECT id FROM nope").fetch_all(pool).await; //~ TG006
    sqlx::query_as_unchecked!(Task, "SELECT id FROM nope").fetch_all(pool).await; //~ TG006
    sqlx::query_scalar!("SELECT id FROM nope").fetch_one(pool).await; //~ TG006
    // sqlx takes a sum of literals.
    sqlx::query!(
        "SELECT id "
            + "FROM nope" //~ TG006
    );
    sqlx::query_file!("tests/lint/queries/nope.sql").fetch_all(pool).await;
    sqlx::query_file_as!(Task, "tests/lint/queries/fine.sql").fetch_all(pool).await;
    sqlx::query_file!("queries/missing.sql"); //~ unreadable
    tenant_guard::sql!("SELECT id FROM nope"); //~ TG006
    sql!(some other grammar);
}

/// A function of this name that is not sqlx'.
fn query(text: &str) {
    other::query("SELECT id FROM nope");
    query("users");
}
