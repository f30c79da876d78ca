//! A configuration that cannot be.

/// Why a configuration cannot be used. Connection strings hold passwords, so none is quoted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The connection string is none, or has an option that is not known.
    #[error("the connection string cannot be read: {reason}")]
    ConnectionString {
        /// What is wrong, without the text itself.
        reason: &'static str,
    },
    /// The certificates cannot be used.
    #[error("the root certificates cannot be used: {reason}")]
    RootCertificates {
        /// What is wrong.
        reason: String,
    },
    /// TLS is asked for, but this build has none.
    #[error("the sslmode asks for TLS, and the feature `rustls-023` is off")]
    TlsUnavailable,
    /// A [`Topology::fixed`](crate::Topology::fixed) was given and no tenancy: plain servers do
    /// not know which tables belong to tenants.
    #[error(
        "a fixed topology needs a tenancy: plain servers do not know which tables are tenants'"
    )]
    TenancyMissing,
}
