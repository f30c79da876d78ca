//! Compile-time side of tenant-guard: the schema's migrations are read while the application is
//! built, and become a part of it.

use proc_macro::TokenStream;
use syn::{LitStr, parse_macro_input};

mod tenancy;

/// The [`Tenancy`](tenant_guard::Tenancy) of a file or folder of SQL migrations, read while the
/// application is built.
///
/// The path is relative to the folder of the crate's `Cargo.toml`; layouts are those of
/// [`migration_files`](tenant_guard::migration_files). Migrations that are not understood are a
/// compile error, and a change of any of the files builds the crate again. (Cargo cannot be told of
/// a folder: after adding a file alone, touch the source that calls the macro, or print
/// `cargo:rerun-if-changed=migrations` in a build script.) At run time no file is read: the texts are
/// embedded.
///
/// ```
/// use tenant_guard_macros::tenancy;
///
/// let tenancy = tenancy!("tests/migrations");
/// assert!(tenancy.resolve(None, "tasks").is_some());
/// ```
///
/// What the guard would not understand does not build:
///
/// ```compile_fail
/// let tenancy = tenant_guard_macros::tenancy!("tests/not_understood.sql");
/// ```
#[proc_macro]
pub fn tenancy(input: TokenStream) -> TokenStream {
    let path = parse_macro_input!(input as LitStr);
    tenancy::expand(&path)
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}
