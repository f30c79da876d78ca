//! From a node's name to a session: names, addresses, credentials.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Socket};

use crate::NodeAddress;
use crate::config::{ConnectionString, Credentials, Provider, Resolver};
use crate::error::{NodeError, PgError};
use crate::tls::MakeTls;

/// A name with more addresses than these is tried with the first of them.
const MOST_ADDRESSES: usize = 8;

/// How the sessions of one node begin.
#[derive(Clone)]
pub(super) struct Attempt {
    pub(super) node: NodeAddress,
    pub(super) server: Arc<ConnectionString>,
    pub(super) application_name: String,
    pub(super) tls: MakeTls,
    pub(super) provider: Option<Provider>,
    pub(super) resolver: Option<Resolver>,
    /// For each address, and for finding these.
    pub(super) limit: Duration,
}

type TlsStream = <MakeTls as MakeTlsConnect<Socket>>::Stream;
pub(super) type Session = (Client, tokio_postgres::Connection<Socket, TlsStream>);

impl Attempt {
    /// A session, by the first address that gives one. Names are looked up each time, as they move
    /// when a node fails over.
    pub(super) async fn session(&self) -> Result<Session, NodeError> {
        let addresses = self.addresses().await?;
        let credentials = self.credentials(false).await?;
        let error = match self.session_as(&addresses, credentials.as_ref()).await {
            Err(error) if is_refusal(&error) && credentials.is_some() => error,
            result => return result,
        };
        // They may have been changed since they were given.
        let new = self.credentials(true).await?;
        if new == credentials && self.provider.is_none() {
            return Err(error);
        }
        self.session_as(&addresses, new.as_ref()).await
    }

    async fn session_as(
        &self,
        addresses: &[Option<IpAddr>],
        credentials: Option<&Credentials>,
    ) -> Result<Session, NodeError> {
        let mut last = self.unresolved("it has no address");
        for address in addresses {
            let mut config = self.server.for_node(&self.node);
            config.application_name(&self.application_name);
            if let Some(address) = address {
                config.hostaddr(*address);
            }
            if let Some(credentials) = credentials {
                config.password(credentials.password.as_bytes());
                if let Some(user) = &credentials.user {
                    config.user(user);
                }
            }
            last = match timeout(self.limit, config.connect(self.tls.clone())).await {
                Ok(Ok(session)) => return Ok(session),
                Ok(Err(error)) => {
                    let error = PgError::connecting(error);
                    let answered = error.sql_state().is_some_and(is_final);
                    let node = self.node.clone();
                    let error = NodeError::Refused { node, error };
                    if answered {
                        return Err(error);
                    }
                    error
                }
                Err(_) => self.timed_out(),
            };
        }
        Err(last)
    }

    /// `None` is the one of a socket in the file system.
    async fn addresses(&self) -> Result<Vec<Option<IpAddr>>, NodeError> {
        let NodeAddress { host, port } = &self.node;
        if host.starts_with('/') {
            return Ok(vec![None]);
        }
        if let Ok(address) = host.parse() {
            return Ok(vec![Some(address)]);
        }
        let look_up = async {
            match &self.resolver {
                Some(resolver) => resolver
                    .resolve(host)
                    .await
                    .map_err(|error| error.to_string()),
                None => match lookup_host((host.as_str(), *port)).await {
                    Ok(found) => Ok(found.map(|found| found.ip()).collect()),
                    Err(error) => Err(error.to_string()),
                },
            }
        };
        let found = timeout(self.limit, look_up).await;
        let found = found.map_err(|_| self.timed_out())?;
        let found = found.map_err(|error| self.unresolved(&error))?;
        Ok(found.into_iter().take(MOST_ADDRESSES).map(Some).collect())
    }

    /// The provider's, else those of the password file; the connection string's where there are
    /// neither.
    async fn credentials(&self, refused: bool) -> Result<Option<Credentials>, NodeError> {
        let Some(provider) = &self.provider else {
            return Ok(self.server.kept_in_pass_file(&self.node).await);
        };
        match timeout(self.limit, provider.ask(&self.node, refused)).await {
            Ok(Ok(credentials)) => Ok(Some(credentials)),
            Ok(Err(error)) => Err(NodeError::Credentials {
                node: self.node.clone(),
                reason: error.to_string(),
            }),
            Err(_) => Err(NodeError::Credentials {
                node: self.node.clone(),
                reason: format!("they were not told within {:?}", self.limit),
            }),
        }
    }

    fn unresolved(&self, reason: &str) -> NodeError {
        NodeError::Unresolved {
            node: self.node.clone(),
            reason: reason.to_owned(),
        }
    }

    pub(super) fn timed_out(&self) -> NodeError {
        NodeError::Timeout {
            node: self.node.clone(),
            after: self.limit,
        }
    }
}

/// Whether the server does not believe who connects.
fn is_refusal(error: &NodeError) -> bool {
    let state = error.error().and_then(PgError::sql_state);
    state.is_some_and(|state| {
        [
            SqlState::INVALID_PASSWORD,
            SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        ]
        .contains(state)
    })
}

/// Whether another address of the same name would say the same. One that is starting up or shutting
/// down may have a neighbour that is not.
fn is_final(state: &SqlState) -> bool {
    ![SqlState::CANNOT_CONNECT_NOW, SqlState::ADMIN_SHUTDOWN].contains(state)
}
