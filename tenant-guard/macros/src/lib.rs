//! Compile-time side of tenant-guard: the schema's migrations are read while the application is
//! built, and its statements are checked against them.
//!
//! `Cargo.toml` says where the migrations are, for a crate or for its whole workspace:
//!
//! ```toml
//! [package.metadata.tenant-guard]     # or [workspace.metadata.tenant-guard]
//! migrations = "migrations"           # a folder or file, relative to this Cargo.toml
//! allow_functions = ["slugify(text)"] # as Policy::allow_function
//! # allow_operators, allow_types and allow_extensions, too
//! ```
//!
//! A crate's own table counts alone, where it has one. Without any, `schema` and what is allowed in the
//! linter's `tenant-guard.toml` do, in the crate's folder or above it in its workspace. A build without
//! cargo names the manifest in the environment variable `TENANT_GUARD_MANIFEST`.
//!
//! # What is checked when
//! While the application is built, a statement is read in Rust alone (no C compiler is needed for that),
//! and refused with the same codes as at run time. What is sent is decided and proven at run time, once in
//! each process and for the schema that is found there: a proof for the migrations would prove nothing of a
//! server that is behind them. `tenant-guard check src` proves all statements of a crate in CI.

use proc_macro::TokenStream;
use syn::{LitStr, parse_macro_input};

mod message;
mod project;
mod statement;
mod tenancy;

use statement::Input;

/// The [`Tenancy`](tenant_guard_core::Tenancy) of a file or folder of SQL migrations, read while the
/// application is built.
///
/// The path is relative to the folder of the crate's `Cargo.toml`; layouts are those of
/// [`migration_files`](tenant_guard_core::migration_files). Migrations that are not understood are a
/// compile error, and a change of any of the files builds the crate again. (Cargo cannot be told of
/// a folder: after adding a file alone, touch the source that calls the macro, or print
/// `cargo:rerun-if-changed=migrations` in a build script.) At run time no file is read: the texts are
/// embedded.
///
/// ```
/// use tenant_guard::tenancy;
///
/// let tenancy = tenancy!("tests/migrations");
/// assert!(tenancy.resolve(None, "tasks").is_some());
/// ```
///
/// What the guard would not understand does not build:
///
/// ```compile_fail
/// let tenancy = tenant_guard::tenancy!("tests/not_understood.sql");
/// ```
#[proc_macro]
pub fn tenancy(input: TokenStream) -> TokenStream {
    let path = parse_macro_input!(input as LitStr);
    tenancy::expand(&path)
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}

/// One statement, checked against the project's migrations while the application is built: a
/// `&'static` [`StaticSql`](tenant_guard_core::StaticSql) with the number of its parameters as a type.
///
/// ```
/// use tenant_guard::StaticSql;
/// use tenant_guard::sql;
///
/// let find: &'static StaticSql<1> = sql!("SELECT title FROM tasks WHERE id = $1");
/// assert_eq!(find.text(), "SELECT title FROM tasks WHERE id = $1");
/// ```
///
/// A table or column that does not exist, another tenant's rows, a function that is not known to be
/// safe: the build fails, with the code, the place and a hint.
///
/// ```compile_fail
/// tenant_guard::sql!("SELECT titel FROM tasks");
/// ```
///
/// A change of any of the migrations and of `Cargo.toml` builds the crate again; of a new file in their
/// folder Cargo cannot be told, as with [`tenancy!`].
#[proc_macro]
pub fn sql(input: TokenStream) -> TokenStream {
    expand(input, statement::inline)
}

/// Like [`sql!`], with the statement in a file: `sql_file!("queries/overdue.sql")`, relative to the folder
/// of `Cargo.toml`. A change of the file builds the crate again.
///
/// ```
/// let overdue = tenant_guard::sql_file!("tests/queries/open.sql");
/// assert!(overdue.text().starts_with("SELECT"));
/// ```
#[proc_macro]
pub fn sql_file(input: TokenStream) -> TokenStream {
    expand(input, statement::file)
}

/// One statement that is checked when it is first used, and by `tenant-guard check src` in CI, but not while
/// the application is built: for what [`sql!`] cannot read without PostgreSQL's own grammar.
///
/// It is guarded as any other statement; there is no way around that. Its parameters are counted, and
/// nothing else is looked at.
///
/// ```
/// use tenant_guard::StaticSql;
/// use tenant_guard::sql_deferred;
///
/// let places: &'static StaticSql<1> = sql_deferred!(
///     "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
///      SEARCH DEPTH FIRST BY i SET place
///      SELECT i FROM n ORDER BY place"
/// );
/// ```
#[proc_macro]
pub fn sql_deferred(input: TokenStream) -> TokenStream {
    expand(input, statement::deferred)
}

fn expand(
    input: TokenStream,
    with: fn(&Input) -> syn::Result<proc_macro2::TokenStream>,
) -> TokenStream {
    let input = parse_macro_input!(input as Input);
    with(&input)
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}
