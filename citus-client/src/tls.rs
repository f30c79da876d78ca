//! Encryption of connections, by rustls.

#[cfg(feature = "rustls-023")]
mod verifier;

use crate::config::{ConfigError, ConnectionString};

/// What makes a connection's TLS session; never used where the server's `sslmode` forbids it.
#[cfg(feature = "rustls-023")]
pub(crate) type MakeTls = tokio_postgres_rustls::MakeRustlsConnect;
#[cfg(not(feature = "rustls-023"))]
pub(crate) type MakeTls = tokio_postgres::NoTls;

/// What the connection string asks for.
#[cfg(feature = "rustls-023")]
pub(crate) fn make_tls(server: &ConnectionString) -> Result<MakeTls, ConfigError> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let verifier = verifier::for_mode(server.ssl_mode, server.ssl_root_cert.as_deref(), &provider)?;
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ConfigError::RootCertificates {
            reason: error.to_string(),
        })?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(MakeTls::new(config))
}

/// Without TLS only modes that can do without are fine.
#[cfg(not(feature = "rustls-023"))]
pub(crate) fn make_tls(server: &ConnectionString) -> Result<MakeTls, ConfigError> {
    use crate::config::SslMode;
    match server.ssl_mode {
        SslMode::Disable | SslMode::Prefer => Ok(tokio_postgres::NoTls),
        _ => Err(ConfigError::TlsUnavailable),
    }
}
