//! Where a node is, and as whom to connect to it.

use std::fmt::{self, Write as _};

use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// A node as clients and as the other nodes reach it.
#[derive(Clone)]
pub(crate) struct Address {
    /// Host and port for clients.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Host and port that stand in `pg_dist_node`; with containers these can differ.
    pub(crate) peer_host: String,
    pub(crate) peer_port: u16,
    pub(crate) user: String,
    pub(crate) password: Option<String>,
    /// The database that the cluster itself was formed in.
    pub(crate) database: String,
    /// What stands after `?` in the URL, as it was given.
    pub(crate) options: Option<String>,
}

impl Address {
    /// A server of ours: superuser `postgres`, no password, reachable from this machine only.
    pub(crate) fn local(port: u16) -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port,
            peer_host: "127.0.0.1".to_owned(),
            peer_port: port,
            user: "postgres".to_owned(),
            password: None,
            database: "postgres".to_owned(),
            options: None,
        }
    }

    /// Reads a URL of the user. `None` when it names no single TCP host.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let config: Config = url.parse().ok()?;
        let [Host::Tcp(host)] = config.get_hosts() else {
            return None;
        };
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let user = config.get_user().unwrap_or("postgres").to_owned();
        Some(Self {
            host: host.clone(),
            port,
            peer_host: host.clone(),
            peer_port: port,
            password: config
                .get_password()
                .map(|p| String::from_utf8_lossy(p).into_owned()),
            database: config.get_dbname().unwrap_or(&user).to_owned(),
            user,
            options: url.split_once('?').map(|(_, options)| options.to_owned()),
        })
    }

    /// The URL of a database on this node.
    pub(crate) fn url(&self, database: &str) -> String {
        let mut url = format!("postgresql://{}", percent_encoded(&self.user));
        if let Some(password) = &self.password {
            let _ = write!(url, ":{}", percent_encoded(password));
        }
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        let _ = write!(url, "@{host}:{}/{}", self.port, percent_encoded(database));
        if let Some(options) = &self.options {
            let _ = write!(url, "?{options}");
        }
        url
    }

    /// The same as [`Address::url`], for tokio-postgres.
    pub(crate) fn config(&self, database: &str) -> Result<Config, tokio_postgres::Error> {
        self.url(database).parse()
    }
}

/// `host:port`: the name of a node in messages.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// By hand, so that a password never gets into a log.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_survives_reading_and_writing() {
        for url in [
            "postgresql://postgres@127.0.0.1:15432/postgres",
            "postgresql://us%40er:p%2Fw%3A@db.example.org:6000/a%20b?sslmode=disable",
            "postgresql://u@[::1]:5432/d",
        ] {
            let address = Address::parse(url).unwrap();
            assert_eq!(address.url(&address.database), url);
            assert!(address.config("other").is_ok());
        }
    }

    #[test]
    fn what_names_no_single_tcp_host_is_not_taken() {
        for url in ["postgresql://u@/d", "postgresql://u@a,b/d", "http://x", ""] {
            assert!(Address::parse(url).is_none(), "{url}");
        }
    }

    #[test]
    fn a_password_is_not_printed() {
        let address = Address::parse("postgresql://u:hidden@h/d").unwrap();
        assert!(!format!("{address:?} {address}").contains("hidden"));
    }
}
