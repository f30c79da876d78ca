//! Who connects: from the connection string, from a provider, or from a password file.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::NodeAddress;

/// A password. It is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Box<[u8]>);

impl Password {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for Password {
    fn from(password: &str) -> Self {
        Self(password.as_bytes().into())
    }
}

impl From<String> for Password {
    fn from(password: String) -> Self {
        Self(password.into_bytes().into())
    }
}

impl From<Vec<u8>> for Password {
    fn from(password: Vec<u8>) -> Self {
        Self(password.into())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// What a connection is made with; given by what [`Config::credentials`](crate::Config::credentials)
/// asks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Credentials {
    pub(crate) user: Option<String>,
    pub(crate) password: Password,
}

impl Credentials {
    /// A password for the user of the connection string.
    pub fn new(password: impl Into<Password>) -> Self {
        Self {
            user: None,
            password: password.into(),
        }
    }

    /// Another user than the connection string's.
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }
}

/// What credentials are needed for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CredentialsRequest {
    /// The node that is connected to.
    pub node: NodeAddress,
    /// Whether the node has just refused the ones that were given: what is kept of them is out of
    /// date.
    pub refused: bool,
}

type Answer = Result<Credentials, Box<dyn Error + Send + Sync>>;

/// Tells credentials whenever a connection is made.
#[derive(Clone)]
pub(crate) struct Provider(
    Arc<dyn Fn(CredentialsRequest) -> BoxFuture<'static, Answer> + Send + Sync>,
);

impl Provider {
    pub(super) fn new<F, A, E>(ask: F) -> Self
    where
        F: Fn(CredentialsRequest) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Credentials, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        Self(Arc::new(move |request| {
            let answer = ask(request);
            Box::pin(async move { answer.await.map_err(Into::into) })
        }))
    }

    pub(crate) async fn ask(&self, node: &NodeAddress, refused: bool) -> Answer {
        let node = node.clone();
        (self.0)(CredentialsRequest { node, refused }).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        let shown = format!("{:?}", Credentials::new("hush").user("me"));
        assert!(shown.contains("me") && !shown.contains("hush"), "{shown}");
    }
}
