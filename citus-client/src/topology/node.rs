//! A server of the cluster.

use std::fmt;
use std::str::FromStr;

use super::TopologyError;

/// A server of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    id: i32,
    group: i32,
    address: NodeAddress,
    is_coordinator: bool,
    is_routable: bool,
    is_active: bool,
    role: NodeRole,
    rack: Box<str>,
    cluster: Box<str>,
}

/// What a server is to its group, `pg_dist_node.noderole`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NodeRole {
    /// It takes reads and writes.
    Primary,
    /// A standby of its group's primary: it can take reads.
    Secondary,
    /// It takes nothing.
    Unavailable,
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeAddress {
    /// A host name, an IP address, or the directory of a Unix-domain socket (it begins with `/`).
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Node {
    pub(crate) fn new(
        id: i32,
        group: i32,
        address: NodeAddress,
        is_coordinator: bool,
        is_routable: bool,
    ) -> Self {
        Self {
            id,
            group,
            address,
            is_coordinator,
            is_routable,
            is_active: true,
            role: NodeRole::Primary,
            rack: "default".into(),
            cluster: "default".into(),
        }
    }

    /// With what else `pg_dist_node` says of it.
    pub(crate) fn described(
        self,
        role: NodeRole,
        rack: &str,
        cluster: &str,
        is_active: bool,
    ) -> Self {
        Self {
            role,
            rack: rack.into(),
            cluster: cluster.into(),
            is_active,
            ..self
        }
    }

    /// `pg_dist_node.nodeid`; a node that was removed and added again has a new one. Without Citus
    /// its place in the list.
    pub fn id(&self) -> i32 {
        self.id
    }

    /// `pg_dist_node.groupid`
    pub fn group(&self) -> i32 {
        self.group
    }

    /// Where it listens.
    pub fn address(&self) -> &NodeAddress {
        &self.address
    }

    /// Whether it is the coordinator, or stands in for it.
    pub fn is_coordinator(&self) -> bool {
        self.is_coordinator
    }

    /// Whether tenants' statements may be sent to it: on Citus an active primary whose metadata are
    /// synced. To any other node nothing is sent but by way of the coordinator.
    pub fn is_routable(&self) -> bool {
        self.is_routable
    }

    /// Whether it takes part at all, `pg_dist_node.isactive`: not while it is disabled.
    pub fn is_active(&self) -> bool {
        self.is_active
    }

    /// What it is to its group.
    pub fn role(&self) -> NodeRole {
        self.role
    }

    /// `pg_dist_node.noderack`, `default` unless somebody said otherwise.
    pub fn rack(&self) -> &str {
        &self.rack
    }

    /// `pg_dist_node.nodecluster`, `default` unless somebody said otherwise: which of several sets of
    /// secondary nodes it belongs to.
    pub fn cluster(&self) -> &str {
        &self.cluster
    }
}

impl NodeRole {
    /// As the type `noderole` writes it.
    pub(crate) fn read(role: &str) -> Self {
        match role {
            "primary" => Self::Primary,
            "secondary" => Self::Secondary,
            _ => Self::Unavailable,
        }
    }
}

impl NodeAddress {
    /// Puts host and port together.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
        }
    }
}

impl fmt::Display for NodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// `host`, `host:port`, `[v6]:port`, or a URL of which only these are read. The port is 5432 where
/// none is given.
impl FromStr for NodeAddress {
    type Err = TopologyError;

    fn from_str(text: &str) -> Result<Self, TopologyError> {
        let authority = match text.split_once("://") {
            Some(("postgres" | "postgresql", rest)) => {
                let authority = rest.split(['/', '?']).next().unwrap_or_default();
                authority.rsplit('@').next().unwrap_or_default()
            }
            Some(_) => return Err(TopologyError::Address),
            None => text,
        };
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, after) = rest.split_once(']').ok_or(TopologyError::Address)?;
                (
                    host,
                    if after.is_empty() {
                        None
                    } else {
                        after.strip_prefix(':')
                    },
                )
            }
            None => match authority.rsplit_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let port = match port {
            Some(port) => port.parse().map_err(|_| TopologyError::Address)?,
            None => 5432,
        };
        let bare_v6 = !authority.starts_with('[') && host.contains(':');
        if host.is_empty() || bare_v6 || host.contains(['@', '?', ' ', ',']) {
            return Err(TopologyError::Address);
        }
        Ok(Self::new(host, port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        let read = |text: &str| {
            text.parse::<NodeAddress>()
                .map(|address| address.to_string())
        };
        assert_eq!(read("db1:5433").as_deref(), Ok("db1:5433"));
        assert_eq!(read("db1").as_deref(), Ok("db1:5432"));
        assert_eq!(read("[::1]:5433").as_deref(), Ok("[::1]:5433"));
        let url = "postgresql://me:p@ss@10.0.0.1:6000/app?sslmode=require";
        assert_eq!(read(url).as_deref(), Ok("10.0.0.1:6000"));
        for wrong in ["", ":5432", "a:b", "::1", "http://a:80", "a,b", "[::1"] {
            assert_eq!(read(wrong), Err(TopologyError::Address), "{wrong}");
        }
    }
}
