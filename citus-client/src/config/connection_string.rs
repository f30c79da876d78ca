//! Reading libpq's connection strings.
//!
//! tokio-postgres reads them, too, but not `sslmode=verify-ca`, `sslmode=verify-full`, `sslrootcert`
//! nor `passfile`; these are taken out before it sees the text.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::config::Host;

use super::{ConfigError, Credentials, SslMode, pass_file};
use crate::NodeAddress;

// Dead peers are noticed after these times when the connection string says nothing else.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(10);
const KEEPALIVES_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVES_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVES_RETRIES: u32 = 3;
/// What tokio-postgres says when the connection string says nothing.
const NOT_SAID: Duration = Duration::from_secs(2 * 60 * 60);

/// What a connection string says.
#[derive(Clone)]
pub(crate) struct ConnectionString {
    /// Everything but the hosts.
    base: tokio_postgres::Config,
    /// Never empty.
    hosts: Vec<NodeAddress>,
    pub(crate) ssl_mode: SslMode,
    pub(crate) ssl_root_cert: Option<PathBuf>,
    pass_file: Option<PathBuf>,
}

impl ConnectionString {
    /// The hosts it names, in order.
    pub(crate) fn hosts(&self) -> &[NodeAddress] {
        &self.hosts
    }

    /// The same user, database and settings for a certain node.
    pub(crate) fn for_node(&self, address: &NodeAddress) -> tokio_postgres::Config {
        let mut config = self.base.clone();
        config
            .host(&address.host)
            .port(address.port)
            .ssl_mode(self.ssl_mode.to_postgres());
        config
    }

    pub(crate) fn connect_timeout(&self) -> Option<Duration> {
        self.base.get_connect_timeout().copied()
    }

    /// What a password file has for a node, where the string itself has no password.
    pub(crate) async fn kept_in_pass_file(&self, node: &NodeAddress) -> Option<Credentials> {
        if self.base.get_password().is_some() {
            return None;
        }
        let file = pass_file::path(self.pass_file.clone())?;
        let user = self.base.get_user().unwrap_or_default().to_owned();
        let database = self.base.get_dbname().unwrap_or(&user).to_owned();
        let node = node.clone();
        let read = move || pass_file::password(&file, &node, &database, &user);
        let password = tokio::task::spawn_blocking(read).await.ok()??;
        Some(Credentials::new(password))
    }

    pub(crate) fn application_name(&self) -> Option<&str> {
        self.base.get_application_name()
    }
}

impl FromStr for ConnectionString {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let own = if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Own::from_url(text)?
        } else {
            Own::from_pairs(text)?
        };
        let parsed: tokio_postgres::Config = own.rest.parse().map_err(|_| {
            let reason = "it has an unknown option or a value that is none of its option's";
            ConfigError::ConnectionString { reason }
        })?;
        Ok(Self {
            hosts: hosts(&parsed)?,
            base: without_hosts(&parsed),
            ssl_mode: own.ssl_mode.unwrap_or_default(),
            ssl_root_cert: own.ssl_root_cert,
            pass_file: own.pass_file,
        })
    }
}

impl fmt::Debug for ConnectionString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionString")
            .field("hosts", &self.hosts)
            .field("user", &self.base.get_user())
            .field("dbname", &self.base.get_dbname())
            .field("ssl_mode", &self.ssl_mode)
            .finish_non_exhaustive()
    }
}

fn hosts(parsed: &tokio_postgres::Config) -> Result<Vec<NodeAddress>, ConfigError> {
    if !parsed.get_hostaddrs().is_empty() {
        let reason = "hostaddr is not supported; give the address as host";
        return Err(ConfigError::ConnectionString { reason });
    }
    let hosts = parsed.get_hosts();
    let ports = parsed.get_ports();
    if hosts.is_empty() {
        return Err(ConfigError::ConnectionString {
            reason: "it names no host",
        });
    }
    if ports.len() > 1 && ports.len() != hosts.len() {
        let reason = "it has neither one port nor one for each host";
        return Err(ConfigError::ConnectionString { reason });
    }
    hosts
        .iter()
        .enumerate()
        .map(|(index, host)| {
            let port = ports.get(index).or(ports.first()).copied().unwrap_or(5432);
            let host = match host {
                Host::Tcp(name) => Some(name.clone()),
                #[cfg(unix)]
                Host::Unix(path) => path.to_str().map(str::to_owned),
            };
            let reason = "a host is no UTF-8";
            let host = host.ok_or(ConfigError::ConnectionString { reason })?;
            Ok(NodeAddress::new(host, port))
        })
        .collect()
}

/// tokio-postgres only adds hosts, so everything else is copied.
fn without_hosts(parsed: &tokio_postgres::Config) -> tokio_postgres::Config {
    let mut base = tokio_postgres::Config::new();
    if let Some(user) = parsed.get_user() {
        base.user(user);
    }
    if let Some(password) = parsed.get_password() {
        base.password(password);
    }
    if let Some(dbname) = parsed.get_dbname() {
        base.dbname(dbname);
    }
    if let Some(options) = parsed.get_options() {
        base.options(options);
    }
    if let Some(name) = parsed.get_application_name() {
        base.application_name(name);
    }
    if let Some(timeout) = parsed.get_connect_timeout() {
        base.connect_timeout(*timeout);
    }
    let interval = parsed.get_keepalives_interval();
    let retries = parsed.get_keepalives_retries();
    let idle = match parsed.get_keepalives_idle() {
        NOT_SAID => KEEPALIVES_IDLE,
        said => said,
    };
    base.ssl_negotiation(parsed.get_ssl_negotiation())
        .tcp_user_timeout(
            parsed
                .get_tcp_user_timeout()
                .copied()
                .unwrap_or(TCP_USER_TIMEOUT),
        )
        .keepalives(parsed.get_keepalives())
        .keepalives_idle(idle)
        .keepalives_interval(interval.unwrap_or(KEEPALIVES_INTERVAL))
        .keepalives_retries(retries.unwrap_or(KEEPALIVES_RETRIES))
        .target_session_attrs(parsed.get_target_session_attrs())
        .channel_binding(parsed.get_channel_binding());
    base
}

/// The options that are read here, and the text without them.
#[derive(Default)]
struct Own {
    ssl_mode: Option<SslMode>,
    ssl_root_cert: Option<PathBuf>,
    pass_file: Option<PathBuf>,
    rest: String,
}

impl Own {
    fn from_url(url: &str) -> Result<Self, ConfigError> {
        let mut own = Self::default();
        let Some((before, query)) = url.split_once('?') else {
            url.clone_into(&mut own.rest);
            return Ok(own);
        };
        before.clone_into(&mut own.rest);
        let mut separator = '?';
        for pair in query.split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !own.take(key, &percent_decoded(value)?)? {
                own.rest.push(separator);
                own.rest.push_str(pair);
                separator = '&';
            }
        }
        Ok(own)
    }

    fn from_pairs(text: &str) -> Result<Self, ConfigError> {
        let mut own = Self::default();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let reason = "a key without a value";
            let (key, after) = rest
                .split_once('=')
                .ok_or(ConfigError::ConnectionString { reason })?;
            let after = after.trim_start();
            let (value, length) = quoted_value(after)?;
            if !own.take(key.trim_end(), &value)? {
                own.rest.push(' ');
                own.rest
                    .push_str(&rest[..rest.len() - after.len() + length]);
            }
            rest = after[length..].trim_start();
        }
        Ok(own)
    }

    /// Whether the option is one of those that are read here.
    fn take(&mut self, key: &str, value: &str) -> Result<bool, ConfigError> {
        match key {
            "sslmode" => {
                let reason = "sslmode is none that PostgreSQL knows";
                let mode = SslMode::read(value).ok_or(ConfigError::ConnectionString { reason })?;
                self.ssl_mode = Some(mode);
            }
            "sslrootcert" => self.ssl_root_cert = Some(value.into()),
            "passfile" => self.pass_file = Some(value.into()),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// A value in single quotes or up to a blank, with backslashes, and how many bytes it took.
fn quoted_value(text: &str) -> Result<(String, usize), ConfigError> {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut characters = text.char_indices().skip(usize::from(quoted));
    while let Some((at, character)) = characters.next() {
        match character {
            '\'' if quoted => return Ok((value, at + 1)),
            _ if !quoted && character.is_whitespace() => return Ok((value, at)),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => value.push(character),
        }
    }
    if quoted {
        return Err(ConfigError::ConnectionString {
            reason: "a quote is not closed",
        });
    }
    Ok((value, text.len()))
}

fn percent_decoded(text: &str) -> Result<String, ConfigError> {
    let malformed = ConfigError::ConnectionString {
        reason: "a percent sign without its digits",
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        match (digit(), digit()) {
            (Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
            }
            _ => return Err(malformed),
        }
    }
    String::from_utf8(bytes).map_err(|_| malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> ConnectionString {
        text.parse().unwrap()
    }

    #[test]
    fn a_url_with_libpqs_ssl_options() {
        let read = read(
            "postgresql://me:s%20ecret@db1:5433,db2:5434/app?sslmode=verify-full\
             &sslrootcert=%2Fetc%2Froot.crt&application_name=shop",
        );
        assert_eq!(
            read.hosts,
            [NodeAddress::new("db1", 5433), NodeAddress::new("db2", 5434)]
        );
        assert_eq!(read.ssl_mode, SslMode::VerifyFull);
        assert_eq!(read.ssl_root_cert, Some("/etc/root.crt".into()));
        assert_eq!(read.base.get_password(), Some(&b"s ecret"[..]));
        assert_eq!(read.application_name(), Some("shop"));
    }

    #[test]
    fn pairs_with_libpqs_ssl_options() {
        let read = read(
            "host = db1 port=5433 password='a \\'b' sslmode=verify-ca sslrootcert='/my root' \
             user=me dbname=app",
        );
        assert_eq!(read.hosts, [NodeAddress::new("db1", 5433)]);
        assert_eq!(read.ssl_mode, SslMode::VerifyCa);
        assert_eq!(read.ssl_root_cert, Some("/my root".into()));
        assert_eq!(read.base.get_password(), Some(&b"a 'b"[..]));
        assert_eq!(read.base.get_user(), Some("me"));
    }

    #[test]
    fn prefer_is_the_default() {
        assert_eq!(read("postgresql://me@db1/app").ssl_mode, SslMode::Prefer);
    }

    #[test]
    fn a_peer_that_is_gone_is_noticed_whatever_is_said() {
        let base = read("postgresql://me@db1/app").base;
        assert_eq!(base.get_tcp_user_timeout(), Some(&TCP_USER_TIMEOUT));
        assert!(base.get_keepalives());
        assert_eq!(base.get_keepalives_idle(), KEEPALIVES_IDLE);
        assert_eq!(base.get_keepalives_interval(), Some(KEEPALIVES_INTERVAL));
        assert_eq!(base.get_keepalives_retries(), Some(KEEPALIVES_RETRIES));
        let base = read(
            "host=db1 keepalives_idle=7 keepalives_interval=2 keepalives_retries=4 tcp_user_timeout=3",
        );
        let base = base.base;
        assert_eq!(base.get_tcp_user_timeout(), Some(&Duration::from_secs(3)));
        assert_eq!(base.get_keepalives_idle(), Duration::from_secs(7));
        let interval = base.get_keepalives_interval();
        assert_eq!(interval, Some(Duration::from_secs(2)));
        assert_eq!(base.get_keepalives_retries(), Some(4));
    }

    #[test]
    fn what_cannot_be_read_is_refused_without_being_quoted() {
        for wrong in [
            "postgresql://me:secret@db1/app?sslmode=sometimes",
            "postgresql://me:secret@db1/app?secret=1",
            "host=db1 password='secret",
            "secret",
            "user=secret",
            "postgresql://me@db1/app?sslrootcert=%zz",
        ] {
            let error = wrong.parse::<ConnectionString>().unwrap_err();
            assert!(
                !format!("{error} {error:?}").contains("secret"),
                "{error:?}"
            );
        }
    }

    #[test]
    fn the_password_is_not_shown() {
        assert!(!format!("{:?}", read("postgresql://me:hush@db1/app")).contains("hush"));
    }
}
