//! Reads SQL, restricts every tenant table in it to one tenant, and refuses what it cannot prove.

#[cfg(feature = "pg-grammar")]
mod cache;
#[cfg(feature = "pg-grammar")]
mod certify;
mod decide;
mod facts;
mod guard;
mod guarded;
mod policy;
mod read;
mod refusal;
mod safe_functions;
mod splice;
mod tenancy;

pub use guard::Guard;
pub use guarded::{Access, GuardedSql, TableSlot};
pub use policy::Policy;
pub use refusal::{Code, Refusal};
pub use tenancy::{
    Column, Distribution, Fingerprint, Ident, Table, TableKind, TableName, Tenancy, TenancyBuilder,
    TenancyError, TenantType, UniqueKey,
};
