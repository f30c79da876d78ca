//! A connection on loan.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::capacity::Claim;
use super::dialer::Dialer;
use crate::NodeAddress;
use crate::connection::Connection;
use crate::error::RequestError;
use crate::snapshot::Membership;

/// A connection on loan from its pool. Dropping it decides what becomes of the connection, and it
/// goes back idle and clean, or not at all:
///
/// - nothing is open: it goes back;
/// - a transaction is open, or the session may have been changed: it is cleaned in the background,
///   and goes back when the server has acknowledged that;
/// - it is spoilt, or cannot be cleaned: it is closed.
///
/// What goes back is handed on where somebody waits for it, or for its place (see
/// [`Capacity`](super::Capacity)).
#[derive(Debug)]
pub(crate) struct Lease {
    /// Empty only while it is dropped.
    slot: Option<Slot>,
    dialer: Arc<Dialer>,
    /// Whether the session may be left with other settings.
    session_changed: bool,
    /// Whether something may still be sent to the node.
    membership: Option<Arc<Membership>>,
}

/// What the pool handed out.
#[derive(Debug)]
pub(super) enum Slot {
    #[cfg(feature = "bb8")]
    Bb8(Box<super::bb8::Loan>),
    #[cfg(feature = "deadpool")]
    Deadpool(deadpool::managed::Object<super::deadpool::Manager>),
}

#[cfg_attr(
    not(feature = "bb8"),
    allow(clippy::unnecessary_wraps, reason = "a loan of bb8 may be empty")
)]
impl Slot {
    fn connection(&self) -> Option<&Connection> {
        match self {
            #[cfg(feature = "bb8")]
            Self::Bb8(loan) => loan.kept.as_deref(),
            #[cfg(feature = "deadpool")]
            Self::Deadpool(connection) => Some(connection),
        }
    }

    /// Out of its pool, for good.
    fn take(self) -> Option<Box<Connection>> {
        match self {
            #[cfg(feature = "bb8")]
            Self::Bb8(mut loan) => loan.kept.take(),
            #[cfg(feature = "deadpool")]
            Self::Deadpool(object) => Some(deadpool::managed::Object::take(object)),
        }
    }

    /// The connection never goes back.
    fn close(self, dialer: &Arc<Dialer>) {
        if let Some(connection) = self.take() {
            connection.abandon();
        }
        dialer.look_after();
    }

    /// The connection is idle and clean.
    fn put_back(self, dialer: &Dialer) {
        let Some(connection) = self.connection() else {
            return;
        };
        let waiter = match dialer.claim(connection.age()) {
            Claim::Keep => return,
            Claim::GiveUp => return drop(self.take()),
            Claim::HandTo(waiter) => waiter,
        };
        if let Some(connection) = self.take()
            && let Some(connection) = waiter.give(connection)
        {
            dialer.offer(connection);
        }
    }
}

impl Lease {
    pub(super) fn new(slot: Slot, dialer: &Arc<Dialer>) -> Self {
        Self {
            slot: Some(slot),
            dialer: Arc::clone(dialer),
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
        let membership = self.membership.as_ref();
        if membership.is_some_and(|member| member.has_left()) {
            return Err(RequestError::NodeLeft {
                node: self.node().clone(),
            });
        }
        let connection = self.slot.as_ref().and_then(Slot::connection);
        let usable = connection.filter(|connection| connection.is_usable());
        usable.ok_or_else(|| RequestError::Closed {
            node: self.node().clone(),
        })
    }

    /// The node.
    pub(crate) fn node(&self) -> &NodeAddress {
        self.dialer.node()
    }

    /// Statements are run in it that nobody has checked.
    pub(crate) fn session_may_change(mut self) -> Self {
        self.session_changed = true;
        self
    }

    /// The connection will not be used again.
    pub(crate) fn spoil(&self) {
        if let Some(connection) = self.slot.as_ref().and_then(Slot::connection) {
            connection.spoil();
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(slot) = self.slot.take() else { return };
        let Some(connection) = slot.connection() else {
            return;
        };
        if !connection.is_usable() {
            return slot.close(&self.dialer);
        }
        if !connection.in_transaction() && !self.session_changed {
            return slot.put_back(&self.dialer);
        }
        let Ok(runtime) = Handle::try_current() else {
            return slot.close(&self.dialer);
        };
        let changed = self.session_changed;
        // From here on it is this guard that closes it, also when the runtime ends.
        let mut cleaning = Cleaning {
            slot: Some(slot),
            dialer: Arc::clone(&self.dialer),
        };
        runtime.spawn(async move {
            if cleaning.clean(changed).await.is_ok()
                && let Some(slot) = cleaning.slot.take()
            {
                slot.put_back(&cleaning.dialer);
            }
        });
    }
}

/// A connection that is being cleaned: closed unless that ends well.
struct Cleaning {
    slot: Option<Slot>,
    dialer: Arc<Dialer>,
}

impl Cleaning {
    async fn clean(&self, session_changed: bool) -> Result<(), RequestError> {
        let connection = self.slot.as_ref().and_then(Slot::connection);
        let Some(connection) = connection else {
            return Ok(());
        };
        let connector = &self.dialer.connector;
        let limit = connector.connect_timeout();
        if connection.in_transaction() {
            connection.end("ROLLBACK", limit).await?;
        }
        if session_changed {
            connection.reset(connector.setup(), limit).await?;
        }
        Ok(())
    }
}

impl Drop for Cleaning {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            slot.close(&self.dialer);
        }
    }
}
