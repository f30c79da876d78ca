//! A value that is none of the tenant column's type.

use tenant_guard::TenantType;

/// Why a [`TenantId`](crate::TenantId) cannot be the value of a tenant column. Nothing was sent.
/// The value itself is not told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TenantIdError {
    /// A value of this kind is no value of the column's type, whatever it is.
    #[error("the tenant is given as {given}, but the tenant column is of type {expected}")]
    Kind {
        /// What was given, for example `text`.
        given: &'static str,
        /// The column's type.
        expected: TenantType,
    },
    /// The number or time lies outside of what the column's type holds.
    #[error("the tenant's value is out of range for a tenant column of type {expected}")]
    OutOfRange {
        /// The column's type.
        expected: TenantType,
    },
    /// The text is not one that the column's type can be read from without doubt.
    #[error("the tenant's text cannot be read as a value of type {expected}")]
    Unreadable {
        /// The column's type.
        expected: TenantType,
    },
    /// A text holds the character U+0000, which PostgreSQL cannot store.
    #[error("the tenant's text holds a NUL character, which PostgreSQL cannot store")]
    Nul,
}
