//! A connection on loan.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::NodeAddress;
use crate::connection::{Connection, Connector};
use crate::error::RequestError;
use crate::snapshot::Membership;

/// A connection on loan from its pool. Dropping it decides what becomes of the connection, and it
/// goes back idle and clean, or not at all:
///
/// - nothing is open: it goes back;
/// - a transaction is open, or the session may have been changed: it is cleaned in the background,
///   and goes back when the server has acknowledged that;
/// - it is spoilt, or cannot be cleaned: it is closed.
#[derive(Debug)]
pub(crate) struct Lease {
    /// Empty only while it is dropped.
    slot: Option<Slot>,
    connector: Arc<Connector>,
    /// How long cleaning may take.
    clean_timeout: Duration,
    /// Whether the session may be left with other settings.
    session_changed: bool,
    /// Whether something may still be sent to the node.
    membership: Option<Arc<Membership>>,
}

/// What the pool handed out.
#[derive(Debug)]
pub(super) enum Slot {
    #[cfg(feature = "bb8")]
    Bb8(bb8::PooledConnection<'static, super::bb8::Manager>),
    #[cfg(feature = "deadpool")]
    Deadpool(deadpool::managed::Object<super::deadpool::Manager>),
}

impl Slot {
    fn connection(&self) -> &Connection {
        match self {
            #[cfg(feature = "bb8")]
            Self::Bb8(connection) => connection,
            #[cfg(feature = "deadpool")]
            Self::Deadpool(connection) => connection,
        }
    }

    /// The connection never goes back.
    fn close(self) {
        self.connection().abandon();
        match self {
            // It sees that the connection has broken.
            #[cfg(feature = "bb8")]
            Self::Bb8(_) => {}
            #[cfg(feature = "deadpool")]
            Self::Deadpool(object) => drop(deadpool::managed::Object::take(object)),
        }
    }
}

impl Lease {
    pub(super) fn new(slot: Slot, connector: &Arc<Connector>, clean_timeout: Duration) -> Self {
        let connector = Arc::clone(connector);
        Self {
            slot: Some(slot),
            connector,
            clean_timeout,
            session_changed: false,
            membership: None,
        }
    }

    /// It is of a node that can leave the cluster.
    pub(crate) fn of_member(mut self, membership: &Arc<Membership>) -> Self {
        self.membership = Some(Arc::clone(membership));
        self
    }

    /// The connection; an error after it was spoilt, or after the node has left the cluster.
    pub(crate) fn connection(&self) -> Result<&Connection, RequestError> {
        if self
            .membership
            .as_ref()
            .is_some_and(|member| member.has_left())
        {
            return Err(RequestError::NodeLeft {
                node: self.connector.node().clone(),
            });
        }
        match &self.slot {
            Some(slot) if slot.connection().is_usable() => Ok(slot.connection()),
            _ => Err(RequestError::Closed {
                node: self.connector.node().clone(),
            }),
        }
    }

    /// The node.
    pub(crate) fn node(&self) -> &NodeAddress {
        self.connector.node()
    }

    /// Statements are run in it that nobody has checked.
    pub(crate) fn session_may_change(mut self) -> Self {
        self.session_changed = true;
        self
    }

    /// The connection will not be used again.
    pub(crate) fn spoil(&self) {
        if let Some(slot) = &self.slot {
            slot.connection().spoil();
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(slot) = self.slot.take() else { return };
        if !slot.connection().is_usable() {
            return slot.close();
        }
        if !slot.connection().in_transaction() && !self.session_changed {
            return;
        }
        let Ok(runtime) = Handle::try_current() else {
            return slot.close();
        };
        let (connector, limit) = (Arc::clone(&self.connector), self.clean_timeout);
        let changed = self.session_changed;
        // From here on it is this guard that closes it, also when the runtime ends.
        let cleaning = Cleaning(Some(slot));
        runtime.spawn(async move {
            if cleaning
                .clean(changed, connector.setup(), limit)
                .await
                .is_ok()
            {
                cleaning.put_back();
            }
        });
    }
}

/// A connection that is being cleaned: closed unless that ends well.
struct Cleaning(Option<Slot>);

impl Cleaning {
    async fn clean(
        &self,
        session_changed: bool,
        setup: &str,
        limit: Duration,
    ) -> Result<(), RequestError> {
        let Some(slot) = &self.0 else { return Ok(()) };
        let connection = slot.connection();
        if connection.in_transaction() {
            connection.end("ROLLBACK", limit).await?;
        }
        if session_changed {
            connection.reset(setup, limit).await?;
        }
        Ok(())
    }

    fn put_back(mut self) {
        self.0 = None;
    }
}

impl Drop for Cleaning {
    fn drop(&mut self) {
        if let Some(slot) = self.0.take() {
            slot.close();
        }
    }
}
