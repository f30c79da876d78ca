//! Whether, when and how often something is done again.

use std::time::Duration;

use rand::RngExt;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep};

use crate::cluster::Inner;
use crate::error::RequestError;
use crate::observer::{Observers, Retried};

/// How requests that failed for a while are repeated: a statement outside of transactions, and a
/// whole transaction given to [`Tenant::transaction`](crate::Tenant::transaction).
///
/// A write is repeated only where it is certain that the first one did nothing: it was not sent, or
/// the server refused it and rolled it back. A read is also repeated when its connection was lost. What
/// ran into its time limit is not repeated.
///
/// While a request waits to be repeated it holds no connection. How many may wait is bounded, so that
/// a node that is away does not fill the memory of its clients: what is too much fails with what
/// happened to it.
///
/// ```
/// use std::time::Duration;
/// use citus_client::{Config, RetryPolicy};
///
/// let patient = RetryPolicy::default().within(Duration::from_secs(30)).attempts(20);
/// let config = Config::new("postgresql://app@coordinator/app")?.retry(patient);
/// # let _ = config;
/// # Ok::<(), citus_client::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct RetryPolicy {
    pub(crate) attempts: u32,
    pub(crate) within: Duration,
    pub(crate) first_pause: Duration,
    pub(crate) longest_pause: Duration,
    pub(crate) waiting: usize,
}

impl Default for RetryPolicy {
    /// 10 attempts within 10 s, with pauses from 10 ms to 1 s, and at most 1,000 requests waiting.
    fn default() -> Self {
        Self {
            attempts: 10,
            within: Duration::from_secs(10),
            first_pause: Duration::from_millis(10),
            longest_pause: Duration::from_secs(1),
            waiting: 1000,
        }
    }
}

impl RetryPolicy {
    /// Nothing is repeated: errors are the caller's to handle, see
    /// [`RequestError::is_retryable`].
    pub fn never() -> Self {
        Self::default().attempts(1)
    }

    /// How often something is done at most, with the first time (at least 1).
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// How long after the first attempt failed the last one may begin.
    pub fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    /// The first pause and the longest. Each is twice the one before, and up to half of it shorter by
    /// chance, so that those who failed together do not come back together.
    pub fn pauses(mut self, first: Duration, longest: Duration) -> Self {
        self.first_pause = first;
        self.longest_pause = longest.max(first);
        self
    }

    /// How many requests of a cluster may wait to be repeated at the same time.
    pub fn waiting(mut self, requests: usize) -> Self {
        self.waiting = requests.min(Semaphore::MAX_PERMITS);
        self
    }
}

/// The attempts at one thing.
pub(crate) struct Attempts<'a> {
    policy: RetryPolicy,
    room: &'a Semaphore,
    deadline: Instant,
    made: u32,
}

impl<'a> Attempts<'a> {
    /// Before the second attempt.
    pub(crate) fn new(policy: RetryPolicy, room: &'a Semaphore) -> Self {
        Self {
            policy,
            room,
            deadline: Instant::now() + policy.within,
            made: 0,
        }
    }

    /// Waits before the next attempt; `false` where there is none to be.
    pub(crate) async fn next(&mut self) -> bool {
        self.made += 1;
        let pause = self.pause(rand::rng().random_range(0.5..=1.0));
        if self.made >= self.policy.attempts || Instant::now() + pause > self.deadline {
            return false;
        }
        let Ok(_waiting): Result<SemaphorePermit<'_>, _> = self.room.try_acquire() else {
            return false;
        };
        sleep(pause).await;
        true
    }

    fn pause(&self, share: f64) -> Duration {
        let doublings = self.made.saturating_sub(1).min(20);
        let whole = self.policy.first_pause.saturating_mul(1 << doublings);
        whole.min(self.policy.longest_pause).mul_f64(share)
    }
}

/// The attempts at one statement outside of transactions.
pub(crate) struct Retries<'a> {
    attempts: Attempts<'a>,
    observers: &'a Observers,
    repeatable: Repeatable,
}

impl<'a> Retries<'a> {
    /// After the first attempt failed.
    pub(crate) fn new(inner: &'a Inner, repeatable: Repeatable) -> Self {
        Self {
            attempts: Attempts::new(inner.config().retry, &inner.waiting),
            observers: &inner.config().observers,
            repeatable,
        }
    }

    /// Waits before the next attempt, or gives the error back where there is none to be.
    pub(crate) async fn pause(&mut self, error: RequestError) -> Result<(), RequestError> {
        // The connection ended after it was taken and before anything was sent.
        let unsent = matches!(error, RequestError::Closed { .. });
        if (unsent || self.repeatable.after(&error)) && self.attempts.next().await {
            tracing::debug!(%error, "the statement is repeated");
            self.observers.retry(Retried::Statement);
            return Ok(());
        }
        Err(error)
    }
}

/// What may be repeated of what failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeatable {
    /// Whatever happened to it: it reads, or the caller says that doing it twice does no harm.
    Harmless,
    /// Where it is certain that nothing was done.
    Write,
}

impl Repeatable {
    /// Whether a statement outside of a transaction may be repeated after this.
    pub(crate) fn after(self, error: &RequestError) -> bool {
        use RequestError as E;
        match error {
            // Whoever says NOWAIT or sets a lock timeout wants to know at once.
            E::Server { .. } if error.is_lock_not_available() => false,
            E::PoolTimeout { .. } | E::StaleStatement => false,
            E::Lost { .. } => self == Self::Harmless,
            E::Server { .. } if error.is_unknown_outcome() => self == Self::Harmless,
            _ => error.is_retryable(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempts(policy: RetryPolicy, room: &Semaphore) -> Attempts<'_> {
        Attempts::new(policy, room)
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_double_up_to_the_longest() {
        let room = Semaphore::new(1);
        let mut attempts = attempts(RetryPolicy::default(), &room);
        let mut pauses = Vec::new();
        for made in 1..=9 {
            attempts.made = made;
            pauses.push(attempts.pause(1.0).as_millis());
        }
        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
        assert_eq!(attempts.pause(0.5).as_millis(), 500);
        attempts.made = u32::MAX;
        assert_eq!(attempts.pause(1.0).as_millis(), 1000);
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_end_by_number_and_by_time() {
        let room = Semaphore::new(1);
        let mut three = attempts(RetryPolicy::default().attempts(3), &room);
        assert!(three.next().await && three.next().await && !three.next().await);
        assert!(!attempts(RetryPolicy::never(), &room).next().await);
        let policy = RetryPolicy::default()
            .attempts(1000)
            .within(Duration::from_secs(3));
        let began = Instant::now();
        let mut short = attempts(policy, &room);
        while short.next().await {}
        let took = began.elapsed();
        assert!(took <= Duration::from_secs(3) && took > Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_wait_than_there_is_room_for() {
        let room = Semaphore::new(1);
        let mut first = attempts(RetryPolicy::default(), &room);
        let mut second = attempts(RetryPolicy::default(), &room);
        let (first, second) = tokio::join!(first.next(), second.next());
        assert!(first && !second);
        assert_eq!(room.available_permits(), 1);
    }
}
