//! A driver for multi-tenant applications on Citus.

pub mod hash;
mod tenant_id;

pub use tenant_guard::TenantType;
pub use tenant_id::{TenantId, TenantIdError};
