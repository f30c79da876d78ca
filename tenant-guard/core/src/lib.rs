//! The library of [tenant-guard](https://docs.rs/tenant-guard), which re-exports all of it together with
//! the macros that are made with it. Applications depend on `tenant-guard`.

mod access;
mod builtin;
#[cfg(feature = "pg-grammar")]
mod cache;
#[cfg(feature = "pg-grammar")]
mod certify;
mod decide;
pub mod doctor;
mod draft;
mod effect;
mod facts;
mod guard;
#[cfg(feature = "pg-grammar")]
mod guarded;
mod lexer;
mod params;
#[cfg(feature = "pg-grammar")]
mod places;
mod policy;
mod read;
mod refusal;
pub mod rls;
mod splice;
mod static_sql;
mod tenancy;

pub use access::{Access, TableSlot};
pub use draft::Draft;
pub use effect::Effect;
pub use guard::Guard;
#[cfg(feature = "pg-grammar")]
pub use guarded::GuardedSql;
pub use params::highest_param;
pub use policy::{Extension, Policy, PolicyError};
pub use refusal::{Code, Refusal};
pub use static_sql::StaticSql;
pub use tenancy::{
    Column, Distribution, Fingerprint, Ident, MigrationError, MigrationFile, MigrationProblem,
    SplitError, Table, TableKind, TableName, Tenancy, TenancyBuilder, TenancyError, TenantSchema,
    TenantSchemaError, TenantType, UniqueKey, View, migration_files, split_statements,
};
