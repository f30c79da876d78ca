//! New connections to one node, whoever needs them.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout_at};

use super::capacity::{Admission, Capacity, Claim, Permit, PoolId, Wants};
use super::health::{Backoff, Health};
use super::ramp::{Ramp, Turn};
use crate::NodeAddress;
use crate::config::{Config, PoolSettings};
use crate::connection::{Connection, Connector};
use crate::error::{NodeError, RequestError};

/// A connection that breaks is a reason to look after the node, but no more often than this.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Boxed, as pools keep them, so that they are moved as they are.
type Ready = Vec<Box<Connection>>;

/// Makes the connections of one pool: as many as there may be ([`Capacity`]), as many at a time as is
/// good for the node ([`Ramp`]), and none on a request's time while the node is known to be down
/// ([`Health`]).
pub(super) struct Dialer {
    pub(super) connector: Connector,
    pub(super) capacity: Arc<Capacity>,
    pub(super) id: PoolId,
    pub(super) settings: PoolSettings,
    health: Health,
    ramp: Ramp,
    /// Connections that were made ahead, and wait for somebody who needs one.
    ready: Mutex<Ready>,
    waiting: AtomicUsize,
    failures: AtomicU64,
    /// Connections of an earlier one are not used again.
    generation: AtomicU64,
    /// A task is trying to connect, off the way of requests.
    probing: AtomicBool,
    last_look: Mutex<Option<Instant>>,
    closed: AtomicBool,
    wait_for_node: Duration,
    longest_pause: Duration,
}

/// One more that waits, while this is there.
#[derive(Debug)]
pub(super) struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Dialer {
    pub(super) fn new(
        config: &Config,
        settings: PoolSettings,
        connector: Connector,
        capacity: &Arc<Capacity>,
        id: PoolId,
    ) -> Self {
        Self {
            health: Health::new(connector.node().clone()),
            ramp: Ramp::new(config.concurrent_connects),
            ready: Mutex::default(),
            waiting: AtomicUsize::new(0),
            failures: AtomicU64::new(0),
            generation: AtomicU64::new(0),
            probing: AtomicBool::new(false),
            last_look: Mutex::default(),
            closed: AtomicBool::new(false),
            wait_for_node: config.wait_for_node.min(settings.acquire_timeout),
            longest_pause: config.reconnect_pause,
            capacity: Arc::clone(capacity),
            settings,
            connector,
            id,
        }
    }

    pub(super) fn node(&self) -> &NodeAddress {
        self.connector.node()
    }

    /// A connection for somebody who waits for it.
    pub(super) async fn dial(self: &Arc<Self>) -> Result<Box<Connection>, RequestError> {
        if let Some(connection) = self.take_ready() {
            return Ok(connection);
        }
        let _waiting = self.waiting();
        let deadline = Instant::now() + self.settings.acquire_timeout;
        let error = match self.dial_by(deadline).await {
            Err(RequestError::Node(error)) => error,
            other => return other,
        };
        // A node that is full, or takes no new password yet, goes on with the sessions it has.
        if self.health.answers() && self.capacity.used(self.id) > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            let admitted = self.capacity.admit(self.id, Wants::Ready, left).await;
            if let Some(Admission::Ready(connection)) = admitted {
                return Ok(connection);
            }
        }
        Err(error.into())
    }

    async fn dial_by(self: &Arc<Self>, deadline: Instant) -> Result<Box<Connection>, RequestError> {
        self.health.check_within(self.wait_for_node).await?;
        let left = deadline.saturating_duration_since(Instant::now());
        let permit = match self.capacity.admit(self.id, Wants::Any, left).await {
            Some(Admission::Ready(connection)) => return Ok(connection),
            Some(Admission::New(permit)) => permit,
            None => return Err(self.none_free()),
        };
        let turn = timeout_at(deadline, self.ramp.turn()).await;
        let turn = turn.map_err(|_| self.none_free())?;
        Ok(self.connect(permit, turn).await?)
    }

    /// Makes a connection when it is its turn, and notes how that went.
    async fn connect(
        self: &Arc<Self>,
        permit: Permit,
        turn: Turn<'_>,
    ) -> Result<Box<Connection>, NodeError> {
        // It may have turned out while this one waited.
        self.health.check()?;
        match self.connect_now(permit).await {
            Ok(connection) => {
                turn.succeeded();
                self.succeeded();
                Ok(connection)
            }
            Err(error) => {
                turn.failed();
                if self.failed(&error) {
                    self.probe(Backoff::new(self.longest_pause).pause());
                }
                Err(error)
            }
        }
    }

    async fn connect_now(&self, permit: Permit) -> Result<Box<Connection>, NodeError> {
        let generation = self.generation.load(Ordering::Relaxed);
        let connection = self.connector.connect_with(Some(permit)).await?;
        Ok(Box::new(connection.of_generation(generation)))
    }

    /// Whether a connection of this node may be taken out once more.
    pub(super) fn trusts(&self, connection: &Connection) -> bool {
        connection.generation() == self.generation.load(Ordering::Relaxed) && connection.is_fresh()
    }

    /// Whether a connection may be made ahead, for nobody in particular.
    pub(super) async fn warm(self: &Arc<Self>) -> bool {
        if self.is_closed() || self.health.down_since().is_some() {
            return false;
        }
        let Some(permit) = self.capacity.try_admit(self.id) else {
            return false;
        };
        let turn = self.ramp.turn().await;
        match self.connect(permit, turn).await {
            Ok(connection) => {
                self.offer(connection);
                true
            }
            Err(_) => false,
        }
    }

    /// A connection broke, or did not answer: whether the node is there is found out off the way of
    /// requests, and the connection replaced by the way.
    pub(super) fn look_after(self: &Arc<Self>) {
        {
            let mut last = self
                .last_look
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if last.is_some_and(|last| last.elapsed() < LOOK_AGAIN) {
                return;
            }
            *last = Some(Instant::now());
        }
        if self.health.down_since().is_some() {
            self.distrust_all();
        } else {
            self.probe(Duration::ZERO);
        }
    }

    /// No connection that was made up to now is taken out again.
    fn distrust_all(&self) {
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    /// Starts the task that connects until it succeeds, after a pause, unless there is one.
    fn probe(self: &Arc<Self>, pause: Duration) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        if self.probing.swap(true, Ordering::AcqRel) {
            return;
        }
        runtime.spawn(probe(Arc::downgrade(self), pause));
    }

    fn succeeded(&self) {
        if self.health.succeeded() {
            tracing::info!(node = %self.node(), "the node can be reached again");
        }
    }

    fn failed(&self, error: &NodeError) -> bool {
        self.failures.fetch_add(1, Ordering::Relaxed);
        let news = self.health.failed(error);
        if news {
            tracing::warn!(%error, "no connection to a node can be made; it is tried again");
        }
        news
    }

    /// Gives a connection to whoever waits for one to this node, else keeps it for the next.
    pub(super) fn offer(&self, mut connection: Box<Connection>) {
        loop {
            match self.claim(Duration::ZERO) {
                Claim::HandTo(waiter) => match waiter.give(connection) {
                    None => return,
                    Some(back) => connection = back,
                },
                Claim::GiveUp => return,
                Claim::Keep => break,
            }
        }
        if !self.is_closed() {
            self.ready().push(connection);
        }
    }

    /// What becomes of a connection of this node, so long after it was made.
    pub(super) fn claim(&self, age: Duration) -> Claim {
        if self.is_closed() {
            return Claim::GiveUp;
        }
        let has_waiters = self.waiting.load(Ordering::Relaxed) > 0;
        self.capacity.claim(self.id, age, has_waiters)
    }

    /// Counts as waiting until it is dropped.
    pub(super) fn waiting(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(&self.waiting)
    }

    pub(super) fn waiting_count(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    pub(super) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    pub(super) fn health(&self) -> &Health {
        &self.health
    }

    fn ready(&self) -> std::sync::MutexGuard<'_, Ready> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that was made ahead.
    pub(super) fn take_ready(&self) -> Option<Box<Connection>> {
        let mut ready = self.ready();
        while let Some(connection) = ready.pop() {
            if self.trusts(&connection) {
                return Some(connection);
            }
        }
        None
    }

    pub(super) fn ready_count(&self) -> usize {
        self.ready().len()
    }

    /// Gives up connections that were made ahead and cannot be used any more.
    pub(super) fn reap_ready(&self) {
        self.ready().retain(|connection| self.trusts(connection));
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        self.ready().clear();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed) || self.capacity.is_closed()
    }

    /// Why there is no connection to be had although the node may be there.
    pub(super) fn none_free(&self) -> RequestError {
        let node = self.node().clone();
        if self.capacity.is_closed() {
            RequestError::ClusterClosed
        } else if self.is_closed() {
            RequestError::NodeLeft { node }
        } else {
            let after = self.settings.acquire_timeout;
            RequestError::PoolTimeout { node, after }
        }
    }
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dialer({})", self.node())
    }
}

/// Connects until that succeeds; there is one of these tasks for a node at most.
async fn probe(dialer: Weak<Dialer>, mut pause: Duration) {
    let mut backoff = None;
    loop {
        sleep(pause).await;
        let Some(dialer) = dialer.upgrade() else {
            return;
        };
        let backoff = backoff.get_or_insert_with(|| Backoff::new(dialer.longest_pause));
        pause = backoff.pause();
        let limit = dialer.settings.acquire_timeout;
        match dialer.capacity.admit(dialer.id, Wants::Any, limit).await {
            _ if dialer.is_closed() => return,
            Some(Admission::New(permit)) => match dialer.connect_now(permit).await {
                Ok(connection) => {
                    dialer.succeeded();
                    dialer.offer(connection);
                    dialer.probing.store(false, Ordering::Release);
                    // Somebody may have failed since.
                    if dialer.health.down_since().is_some() {
                        dialer.probe(pause);
                    }
                    return;
                }
                Err(error) => {
                    if dialer.failed(&error) {
                        // A connection broke, and no other can be made: the rest is no better.
                        dialer.distrust_all();
                    }
                }
            },
            // Says nothing of new ones.
            Some(Admission::Ready(connection)) => dialer.offer(connection),
            None => {}
        }
    }
}
