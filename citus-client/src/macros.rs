//! The macros of `tenant-guard`, for applications that depend on this crate alone.

/// One statement, checked against the project's migrations while the application is built: a
/// `&'static` [`StaticSql`](crate::StaticSql), which [`Tenant`](crate::Tenant) takes together with an array of
/// its parameters.
///
/// `Cargo.toml` names the migrations; see `docs/compile-time.md` in the repository.
///
/// ```
/// # async fn example(acme: citus_client::Tenant) -> Result<(), citus_client::RequestError> {
/// use citus_client::sql;
///
/// let rows = acme.query(sql!("SELECT title FROM tasks WHERE done = $1"), &[&false]).await?;
/// # Ok(())
/// # }
/// ```
///
/// A table or column that does not exist does not build, and neither does a wrong number of parameters:
///
/// ```compile_fail,E0308
/// # async fn example(acme: citus_client::Tenant) -> Result<(), citus_client::RequestError> {
/// # use citus_client::sql;
/// let rows = acme.query(sql!("SELECT title FROM tasks WHERE done = $1"), &[]).await?;
/// # Ok(())
/// # }
/// ```
#[macro_export]
macro_rules! sql {
    ($($statement:tt)*) => {
        $crate::tenant_guard::sql!(@ $crate::tenant_guard; $($statement)*)
    };
}

/// Like [`sql!`](crate::sql!), with the statement in a file: `sql_file!("queries/overdue.sql")`, relative to
/// the folder of `Cargo.toml`.
#[macro_export]
macro_rules! sql_file {
    ($($path:tt)*) => {
        $crate::tenant_guard::sql_file!(@ $crate::tenant_guard; $($path)*)
    };
}

/// One statement that is checked when it is first used, and by `tenant-guard check` in CI, but not while
/// the application is built: for what [`sql!`](crate::sql!) cannot read without PostgreSQL's own grammar.
/// It is guarded as any other; there is no way around that.
#[macro_export]
macro_rules! sql_deferred {
    ($($statement:tt)*) => {
        $crate::tenant_guard::sql_deferred!(@ $crate::tenant_guard; $($statement)*)
    };
}
