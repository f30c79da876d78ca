//! How many connections there may be: to each node, and to all nodes of a cluster together.
//!
//! Each connection has a [`Permit`] from before it is made until its socket is closed. Who gets none
//! waits, in one queue for all nodes, and is served by whatever happens first:
//!
//! - a connection to any node ends: its permit goes to whoever waits longest;
//! - a connection to the same node comes back: it is handed over as it is;
//! - a connection to another node lies idle: it is given up;
//! - a connection to another node comes back, and has served that node for a while ([`TENURE`]): it
//!   is given up too, also when others wait for it there.
//!
//! So nobody waits for ever while connections circulate somewhere else, and yet each connection
//! that is made serves long enough to be worth it.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};
use tokio_postgres::CancelToken;

use super::Shared;
use crate::connection::{Canceller, Connection};

/// How long a connection serves its own node first, while somebody waits for one to another node.
const TENURE: Duration = Duration::from_millis(500);
/// How often those who wait look for idle connections themselves. They are told of everything else.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Counts the connections of all pools of a cluster.
pub(crate) struct Capacity {
    state: Mutex<State>,
    /// The length of the queue, to be read without the lock.
    waiting: AtomicUsize,
    closed: AtomicBool,
    next_id: AtomicU64,
    /// There is no connection any more, after [`Capacity::close`].
    empty: Notify,
}

struct State {
    /// How many more there may be, to all nodes together.
    free: usize,
    pools: HashMap<PoolId, Member>,
    queue: VecDeque<Waiter>,
    live: HashMap<u64, Live>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PoolId(u64);

/// A node's pool.
struct Member {
    used: usize,
    max: usize,
    pool: Weak<Shared>,
    /// Whether the pool is whole: before, nothing holds it yet.
    joined: bool,
}

struct Waiter {
    pool: PoolId,
    wants: Wants,
    tell: oneshot::Sender<Admission>,
}

/// What somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    /// The right to make a connection, or one that is there.
    Any,
    /// One that is there, as the node lets nobody in now.
    Ready,
}

/// What is needed to end a connection that somebody else has.
struct Live {
    driver: AbortHandle,
    cancel: CancelToken,
}

/// The right to have one connection to a node. It ends with the connection.
pub(crate) struct Permit {
    /// Empty only when it was taken back before anybody had it.
    capacity: Option<Arc<Capacity>>,
    pool: PoolId,
    id: u64,
}

/// What one gets who asked for a connection.
pub(super) enum Admission {
    /// It may be made.
    New(Permit),
    /// It is there already.
    Ready(Box<Connection>),
}

/// What becomes of a connection that comes back.
pub(super) enum Claim {
    /// Its own pool keeps it.
    Keep,
    /// This one waits for it.
    HandTo(Handover),
    /// Somebody waits for a connection to another node.
    GiveUp,
}

/// The place of somebody who waits for a connection to the same node.
pub(super) struct Handover(oneshot::Sender<Admission>);

impl Handover {
    /// Gives the connection back when nobody waits there any more.
    pub(super) fn give(self, connection: Box<Connection>) -> Option<Box<Connection>> {
        match self.0.send(Admission::Ready(connection)) {
            Err(Admission::Ready(connection)) => Some(connection),
            Ok(()) | Err(Admission::New(_)) => None,
        }
    }
}

impl Capacity {
    /// For so many connections together.
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                free: max,
                pools: HashMap::new(),
                queue: VecDeque::new(),
                live: HashMap::new(),
            }),
            waiting: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            next_id: AtomicU64::new(0),
            empty: Notify::new(),
        })
    }

    /// A pool that takes its connections from here.
    pub(super) fn join(&self, pool: Weak<Shared>, max: usize) -> PoolId {
        let id = PoolId(self.next_id());
        let member = Member {
            used: 0,
            max,
            pool,
            joined: false,
        };
        self.lock().pools.insert(id, member);
        id
    }

    /// The pool is whole.
    pub(super) fn joined(&self, id: PoolId) {
        if let Some(member) = self.lock().pools.get_mut(&id) {
            member.joined = true;
        }
    }

    /// The right to make a connection, if there is one at once.
    pub(super) fn try_admit(self: &Arc<Self>, pool: PoolId) -> Option<Permit> {
        self.lock().grant(self, pool)
    }

    /// The right to make a connection, or one that is there. `None` when that takes too long, or
    /// everything is closed.
    pub(super) async fn admit(
        self: &Arc<Self>,
        pool: PoolId,
        wants: Wants,
        limit: Duration,
    ) -> Option<Admission> {
        let mut told = {
            let mut state = self.lock();
            if self.is_closed() {
                return None;
            }
            if wants == Wants::Any
                && let Some(permit) = state.grant(self, pool)
            {
                return Some(Admission::New(permit));
            }
            let (tell, told) = oneshot::channel();
            state.queue.push_back(Waiter { pool, wants, tell });
            self.waiting.store(state.queue.len(), Ordering::Relaxed);
            told
        };
        let deadline = Instant::now() + limit;
        loop {
            if let Some(own) = self.find_idle(pool, wants) {
                return Some(Admission::Ready(own));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match timeout(LOOK_AGAIN.min(left), &mut told).await {
                Ok(admission) => return admission.ok(),
                Err(_) if left.is_zero() => return None,
                Err(_) => {}
            }
        }
    }

    /// An idle connection of the pool itself; else another pool gives one up.
    fn find_idle(&self, pool: PoolId, wants: Wants) -> Option<Box<Connection>> {
        let (own, others) = {
            let state = self.lock();
            let own = state.pools.get(&pool).and_then(|own| own.pool.upgrade());
            let others = state.pools.iter().filter(|(id, _)| **id != pool);
            let others = others.filter_map(|(_, other)| other.pool.upgrade());
            let is_full = state.free == 0 && wants == Wants::Any;
            (
                own,
                if is_full {
                    others.collect()
                } else {
                    Vec::new()
                },
            )
        };
        let own = own.and_then(|own| own.take_idle());
        if own.is_none() {
            let most = others.iter().max_by_key(|other| other.idle());
            drop(most.and_then(|most| most.take_idle()));
        }
        own
    }

    /// What becomes of a connection that comes back to a pool, so long after it was made.
    pub(super) fn claim(&self, pool: PoolId, age: Duration, has_waiters: bool) -> Claim {
        if self.waiting.load(Ordering::Relaxed) == 0 {
            return Claim::Keep;
        }
        let mut state = self.lock();
        state.queue.retain(|waiter| !waiter.tell.is_closed());
        let own = state.queue.iter().position(|waiter| waiter.pool == pool);
        let other = state
            .queue
            .iter()
            .position(|waiter| waiter.pool != pool && state.can_grant_to(waiter));
        let claim = match (own, other) {
            (Some(own), Some(other)) if other < own && age >= TENURE => Claim::GiveUp,
            (Some(own), _) => match state.queue.remove(own) {
                Some(waiter) => Claim::HandTo(Handover(waiter.tell)),
                None => Claim::Keep,
            },
            (None, Some(_)) if age >= TENURE || !has_waiters => Claim::GiveUp,
            (None, _) => Claim::Keep,
        };
        self.waiting.store(state.queue.len(), Ordering::Relaxed);
        claim
    }

    /// The pools that are still in use.
    pub(super) fn pools(&self) -> Vec<Arc<Shared>> {
        let mut state = self.lock();
        state.pools.retain(|_, member| {
            !member.joined || member.used > 0 || member.pool.strong_count() > 0
        });
        let pools = state.pools.values();
        pools.filter_map(|member| member.pool.upgrade()).collect()
    }

    /// How many connections a pool has, also those that are being made.
    pub(super) fn used(&self, pool: PoolId) -> usize {
        self.lock().pools.get(&pool).map_or(0, |member| member.used)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Lends no connection any more, waits for those that are on loan, and ends what is left after
    /// the deadline. Gives the number of these.
    pub(crate) async fn close(&self, within: Duration, canceller: &Canceller) -> usize {
        self.closed.store(true, Ordering::Relaxed);
        let waiting = {
            let mut state = self.lock();
            self.waiting.store(0, Ordering::Relaxed);
            std::mem::take(&mut state.queue)
        };
        drop(waiting);
        for pool in self.pools() {
            pool.close();
        }
        if timeout(within, self.emptied()).await.is_ok() {
            return 0;
        }
        let (drivers, tokens): (Vec<_>, Vec<_>) = {
            let state = self.lock();
            let live = state.live.values();
            live.map(|live| (live.driver.clone(), live.cancel.clone()))
                .unzip()
        };
        for driver in &drivers {
            driver.abort();
        }
        canceller.cancel_all(tokens).await;
        drivers.len()
    }

    async fn emptied(&self) {
        loop {
            let empty = self.empty.notified();
            let mut empty = std::pin::pin!(empty);
            empty.as_mut().enable();
            if self.lock().pools.values().all(|member| member.used == 0) {
                return;
            }
            empty.await;
        }
    }

    fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing done under it can panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn has_room(&self, pool: PoolId) -> bool {
        let member = self.pools.get(&pool);
        member.is_some_and(|member| member.used < member.max)
    }

    fn can_grant_to(&self, waiter: &Waiter) -> bool {
        waiter.wants == Wants::Any && self.has_room(waiter.pool)
    }

    fn grant(&mut self, capacity: &Arc<Capacity>, pool: PoolId) -> Option<Permit> {
        if self.free == 0 || !self.has_room(pool) {
            return None;
        }
        self.free -= 1;
        if let Some(member) = self.pools.get_mut(&pool) {
            member.used += 1;
        }
        Some(Permit {
            capacity: Some(Arc::clone(capacity)),
            pool,
            id: capacity.next_id(),
        })
    }

    fn take_back(&mut self, pool: PoolId) {
        self.free += 1;
        if let Some(member) = self.pools.get_mut(&pool) {
            member.used -= 1;
        }
    }

    /// Gives what is free to those who wait longest for it.
    fn serve(&mut self, capacity: &Arc<Capacity>) {
        let mut at = 0;
        while self.free > 0 && at < self.queue.len() {
            let waiter = &self.queue[at];
            if !waiter.tell.is_closed() && !self.can_grant_to(waiter) {
                at += 1;
                continue;
            }
            let Some(waiter) = self.queue.remove(at) else {
                break;
            };
            if waiter.tell.is_closed() {
                continue;
            }
            let Some(permit) = self.grant(capacity, waiter.pool) else {
                break;
            };
            if let Err(Admission::New(mut permit)) = waiter.tell.send(Admission::New(permit)) {
                // The lock is held here: dropping it must not take it again.
                permit.capacity = None;
                self.take_back(permit.pool);
            }
        }
        capacity.waiting.store(self.queue.len(), Ordering::Relaxed);
    }
}

impl Permit {
    /// The connection is made; from now on it can be ended by [`Capacity::close`].
    pub(crate) fn belongs_to(&self, driver: AbortHandle, cancel: CancelToken) {
        if let Some(capacity) = &self.capacity {
            capacity
                .lock()
                .live
                .insert(self.id, Live { driver, cancel });
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(capacity) = self.capacity.take() else {
            return;
        };
        let live = {
            let mut state = capacity.lock();
            state.take_back(self.pool);
            state.serve(&capacity);
            state.live.remove(&self.id)
        };
        drop(live);
        if capacity.is_closed() {
            capacity.empty.notify_waiters();
        }
    }
}

impl std::fmt::Debug for Capacity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Capacity({} free)", self.lock().free)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    fn two_pools(max: usize, each: usize) -> (Arc<Capacity>, PoolId, PoolId) {
        let capacity = Capacity::new(max);
        let (a, b) = (
            capacity.join(Weak::new(), each),
            capacity.join(Weak::new(), each),
        );
        (capacity, a, b)
    }

    #[test]
    fn a_pool_and_all_of_them_have_their_bounds() {
        let (capacity, a, b) = two_pools(3, 2);
        let first = capacity.try_admit(a).unwrap();
        let _second = capacity.try_admit(a).unwrap();
        assert!(capacity.try_admit(a).is_none());
        let _third = capacity.try_admit(b).unwrap();
        assert!(capacity.try_admit(b).is_none());
        drop(first);
        assert!(capacity.try_admit(b).is_some());
    }

    #[tokio::test]
    async fn who_waits_longest_is_served_first_and_who_left_not_at_all() {
        let (capacity, a, b) = two_pools(1, 1);
        let only = capacity.try_admit(a).unwrap();
        let mut left = Box::pin(capacity.admit(b, Wants::Any, LONG));
        assert!(left.as_mut().now_or_never().is_none());
        let mut first = Box::pin(capacity.admit(a, Wants::Any, LONG));
        assert!(first.as_mut().now_or_never().is_none());
        let mut second = Box::pin(capacity.admit(b, Wants::Any, LONG));
        assert!(second.as_mut().now_or_never().is_none());
        drop(left);
        drop(only);
        let Some(Some(Admission::New(permit))) = first.as_mut().now_or_never() else {
            panic!("the first one has to wait");
        };
        assert!(second.as_mut().now_or_never().is_none());
        drop(permit);
        assert!(matches!(
            second.as_mut().now_or_never(),
            Some(Some(Admission::New(_)))
        ));
    }

    #[tokio::test]
    async fn a_permit_that_nobody_took_up_is_not_lost() {
        let (capacity, a, b) = two_pools(1, 1);
        let only = capacity.try_admit(a).unwrap();
        let mut waiting = Box::pin(capacity.admit(b, Wants::Any, LONG));
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(only);
        // It was told, and is dropped before it looks.
        drop(waiting);
        assert!(capacity.try_admit(a).is_some());
    }

    #[tokio::test]
    async fn what_comes_back_goes_to_its_own_node_for_a_while_and_then_to_whoever_waits_longest() {
        let (capacity, a, b) = two_pools(1, 1);
        let _only = capacity.try_admit(a).unwrap();
        let young = Duration::ZERO;
        assert!(matches!(capacity.claim(a, TENURE, false), Claim::Keep));
        let mut other = Box::pin(capacity.admit(b, Wants::Any, LONG));
        assert!(other.as_mut().now_or_never().is_none());
        // Others wait for it in its own pool.
        assert!(matches!(capacity.claim(a, young, true), Claim::Keep));
        assert!(matches!(capacity.claim(a, TENURE, true), Claim::GiveUp));
        assert!(matches!(capacity.claim(a, young, false), Claim::GiveUp));
        let mut own = Box::pin(capacity.admit(a, Wants::Any, LONG));
        assert!(own.as_mut().now_or_never().is_none());
        assert!(matches!(capacity.claim(a, TENURE, false), Claim::GiveUp));
        assert!(matches!(capacity.claim(a, young, false), Claim::HandTo(_)));
    }

    #[tokio::test]
    async fn who_wants_a_ready_one_gets_no_permit() {
        let (capacity, a, b) = two_pools(2, 2);
        let used = capacity.try_admit(a).unwrap();
        let mut ready = Box::pin(capacity.admit(a, Wants::Ready, LONG));
        assert!(ready.as_mut().now_or_never().is_none());
        drop(used);
        assert!(ready.as_mut().now_or_never().is_none());
        assert!(matches!(capacity.claim(b, TENURE, false), Claim::Keep));
        assert!(matches!(capacity.claim(a, TENURE, false), Claim::HandTo(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_ends() {
        let (capacity, a, b) = two_pools(1, 1);
        let _only = capacity.try_admit(a).unwrap();
        assert!(
            capacity
                .admit(b, Wants::Any, Duration::from_secs(5))
                .await
                .is_none()
        );
        assert_eq!(capacity.waiting.load(Ordering::Relaxed), 1);
        assert!(matches!(capacity.claim(a, TENURE, false), Claim::Keep));
        assert_eq!(capacity.waiting.load(Ordering::Relaxed), 0);
    }
}
