//! Whether connections to a node can be made.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio_postgres::error::SqlState;

use crate::NodeAddress;
use crate::connection::with_jitter;
use crate::error::{NodeError, PgError};

/// Whether connections to a node can be made. While they cannot, one task tries it again and again
/// ([`Backoff`]), and everybody else is told at once.
#[derive(Debug)]
pub(super) struct Health {
    node: NodeAddress,
    down: watch::Sender<Option<Down>>,
}

/// Why no connection can be made.
#[derive(Clone, Debug)]
pub(super) struct Down {
    pub(super) since: SystemTime,
    attempts: u32,
    last: Arc<str>,
    /// Where it answered that it lets nobody in: those who are in may go on.
    answer: Option<SqlState>,
}

impl Health {
    pub(super) fn new(node: NodeAddress) -> Self {
        Self {
            node,
            down: watch::Sender::new(None),
        }
    }

    /// Notes that a connection could not be made; whether this is news.
    pub(super) fn failed(&self, error: &NodeError) -> bool {
        let mut news = false;
        self.down.send_modify(|down| {
            let (since, attempts) = match down {
                Some(down) => (down.since, down.attempts + 1),
                None => (SystemTime::now(), 1),
            };
            news = attempts == 1;
            let last = error.reason().into();
            let answer = error.error().and_then(PgError::sql_state).cloned();
            *down = Some(Down {
                since,
                attempts,
                last,
                answer,
            });
        });
        news
    }

    /// Notes that a connection was made; whether this is news.
    pub(super) fn succeeded(&self) -> bool {
        self.down.send_if_modified(|down| down.take().is_some())
    }

    /// Since when it is down.
    pub(super) fn down_since(&self) -> Option<SystemTime> {
        self.down.borrow().as_ref().map(|down| down.since)
    }

    /// Whether it is down and yet there, as when it has as many clients as it may have.
    pub(super) fn answers(&self) -> bool {
        self.down
            .borrow()
            .as_ref()
            .is_some_and(|down| down.answer.is_some())
    }

    /// An error while it is down.
    pub(super) fn check(&self) -> Result<(), NodeError> {
        match &*self.down.borrow() {
            None => Ok(()),
            Some(down) => Err(NodeError::Down {
                node: self.node.clone(),
                since: down.since,
                attempts: down.attempts,
                last: down.last.to_string(),
                sql_state: down.answer.clone(),
            }),
        }
    }

    /// The same, after so much time for it to come back.
    pub(super) async fn check_within(&self, wait: Duration) -> Result<(), NodeError> {
        if !wait.is_zero() && self.down_since().is_some() {
            let mut down = self.down.subscribe();
            let _ = tokio::time::timeout(wait, down.wait_for(Option::is_none)).await;
        }
        self.check()
    }
}

/// The pauses between two attempts: each twice as long as the one before, up to a bound, and shortened
/// at random by up to half, so that the processes of an application do not come together.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    longest: Duration,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(100);

    pub(super) fn new(longest: Duration) -> Self {
        Self {
            next: Self::FIRST.min(longest),
            longest,
        }
    }

    pub(super) fn pause(&mut self) -> Duration {
        let pause = with_jitter(self.next, 0.5);
        self.next = (self.next * 2).min(self.longest);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_their_bound() {
        let mut backoff = Backoff::new(Duration::from_millis(350));
        for longest in [100, 200, 350, 350] {
            let longest = Duration::from_millis(longest);
            let pause = backoff.pause();
            assert!(pause <= longest && pause >= longest / 2, "{pause:?}");
        }
    }

    #[test]
    fn it_is_told_since_when_and_why() {
        let node = NodeAddress::new("a", 1);
        let health = Health::new(node.clone());
        assert!(health.check().is_ok());
        let after = Duration::from_secs(5);
        let error = NodeError::Timeout { node, after };
        assert!(health.failed(&error));
        let since = health.down_since().unwrap();
        assert!(!health.failed(&error));
        assert_eq!(health.down_since(), Some(since));
        let told = health.check().unwrap_err().to_string();
        let start = "no connection to a:1 for ";
        assert!(told.starts_with(start), "{told}");
        assert!(
            told.ends_with(" (2 attempts): nothing came back within 5s"),
            "{told}"
        );
        assert!(health.succeeded());
        assert!(!health.succeeded());
        assert!(health.check().is_ok());
    }
}
