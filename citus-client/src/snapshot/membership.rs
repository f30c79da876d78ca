//! Whether a node still belongs to the cluster, for those who wait for it or hold a connection to it.

use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;

/// What became of a node in later snapshots. It only ever leaves: one that comes back is another.
#[derive(Debug, Default)]
pub(crate) struct Membership {
    state: AtomicU8,
    /// Wakes those who wait for a connection.
    ends: Notify,
}

/// Why a node's pool is not the one to use any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Departure {
    /// The node is still there, with other sessions: what was begun on it can be ended.
    Replaced = 1,
    /// The node was removed or disabled, or listens elsewhere. It goes on answering with the
    /// metadata it had, and what is written through it can be lost.
    Left = 2,
}

impl Membership {
    /// Nobody gets a connection from here on.
    pub(super) fn end(&self, departure: Departure) {
        self.state.store(departure as u8, Ordering::Release);
        self.ends.notify_waiters();
    }

    /// Whether new requests go elsewhere.
    pub(super) fn has_ended(&self) -> bool {
        self.state.load(Ordering::Acquire) != 0
    }

    /// Whether nothing may be sent to it any more.
    pub(crate) fn has_left(&self) -> bool {
        self.state.load(Ordering::Acquire) == Departure::Left as u8
    }

    /// Waits for the end; also for one between this call and the first poll.
    pub(super) fn ended(&self) -> impl Future<Output = ()> {
        self.ends.notified()
    }
}
