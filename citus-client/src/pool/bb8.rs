//! bb8 as what keeps the connections of a node.
//!
//! By itself bb8 lets those who come later overtake those who wait, and connects in tasks of its own
//! that tell nobody who waits why they failed. So here it only keeps what is idle and reaps it, and
//! requests stand in a line of ours before it.

use std::sync::Arc;
use std::time::Duration;

use bb8::ManageConnection;
use futures_util::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::time::timeout;

use super::dialer::Dialer;
use super::lease::Slot;
use crate::connection::Connection;
use crate::error::RequestError;

/// How often a connection is made for a request that others get, or that breaks at once.
const ATTEMPTS: usize = 8;

#[derive(Debug)]
pub(super) struct Manager {
    dialer: Arc<Dialer>,
}

/// bb8 gives none away for good, so what it keeps can be empty.
pub(super) type Kept = Option<Box<Connection>>;

/// Why bb8 gets no connection of its own accord, or has to take another one.
#[derive(Debug)]
pub(super) struct NotHere;

impl ManageConnection for Manager {
    type Connection = Kept;
    type Error = NotHere;

    async fn connect(&self) -> Result<Kept, NotHere> {
        Err(NotHere)
    }

    async fn is_valid(&self, kept: &mut Kept) -> Result<(), NotHere> {
        let connection = kept.as_ref().ok_or(NotHere)?;
        self.dialer.trusts(connection).then_some(()).ok_or(NotHere)
    }

    fn has_broken(&self, kept: &mut Kept) -> bool {
        !kept
            .as_ref()
            .is_some_and(|connection| connection.is_usable())
    }
}

/// On loan, with its place in the line, which is free again after the connection has come back.
#[derive(Debug)]
pub(super) struct Loan {
    pub(super) kept: bb8::PooledConnection<'static, Manager>,
    _turn: OwnedSemaphorePermit,
}

#[derive(Debug)]
pub(super) struct Store {
    inner: bb8::Pool<Manager>,
    turns: Arc<Semaphore>,
    dialer: Arc<Dialer>,
}

impl Store {
    pub(super) fn new(dialer: &Arc<Dialer>) -> Self {
        // bb8 panics for a time of zero.
        let idle = dialer.settings.idle_timeout.max(Duration::from_millis(1));
        let inner = bb8::Pool::builder()
            // How many there may be is counted elsewhere.
            .max_size(u32::MAX)
            .max_lifetime(None)
            .idle_timeout(idle)
            .reaper_rate((idle / 2).clamp(Duration::from_millis(1), Duration::from_secs(30)))
            .queue_strategy(bb8::QueueStrategy::Lifo)
            .retry_connection(false)
            .build_unchecked(Manager {
                dialer: Arc::clone(dialer),
            });
        Self {
            inner,
            turns: Arc::new(Semaphore::new(dialer.settings.size)),
            dialer: Arc::clone(dialer),
        }
    }

    pub(super) async fn take(&self) -> Result<Slot, RequestError> {
        let turn = match Arc::clone(&self.turns).try_acquire_owned() {
            Ok(turn) => turn,
            Err(TryAcquireError::NoPermits) => self.wait().await?,
            Err(TryAcquireError::Closed) => return Err(self.dialer.none_free()),
        };
        for _ in 0..ATTEMPTS {
            if let Some(kept) = self.kept() {
                return Ok(Slot::Bb8(Box::new(Loan { kept, _turn: turn })));
            }
            let connection = Box::pin(self.dialer.dial()).await?;
            // Somebody else may take it, who then does not make one.
            let _ = self.inner.add(Some(connection));
        }
        Err(self.dialer.none_free())
    }

    async fn wait(&self) -> Result<OwnedSemaphorePermit, RequestError> {
        let _waiting = self.dialer.waiting();
        let turn = Arc::clone(&self.turns).acquire_owned();
        match timeout(self.dialer.settings.acquire_timeout, turn).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(self.dialer.none_free()),
        }
    }

    /// An idle one. bb8 waits only when there is none.
    fn kept(&self) -> Option<bb8::PooledConnection<'static, Manager>> {
        if self.inner.state().idle_connections == 0 {
            return None;
        }
        self.inner.get_owned().now_or_never()?.ok()
    }

    /// The one that was used last, for good: bb8 has no other order.
    pub(super) fn take_idle(&self) -> Option<Box<Connection>> {
        self.kept()?.take()
    }

    pub(super) fn idle(&self) -> usize {
        self.inner.state().idle_connections as usize
    }

    pub(super) fn close(&self) {
        self.turns.close();
        while self.take_idle().is_some() {}
    }
}
