//! How many connections to a node are made at the same time.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

/// Bounds how many connections to a node are made at the same time: one to begin with and after each
/// failure, one more after each success. So neither the start of an application nor the restart of a
/// node is a storm, and a node that takes long to fork or to agree on TLS is asked slowly.
#[derive(Debug)]
pub(super) struct Ramp {
    turns: Semaphore,
    max: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limit: usize,
    /// Turns that were taken when the limit fell, and end with their owners.
    surplus: usize,
}

/// Somebody's turn to connect.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    ramp: &'a Ramp,
    permit: Option<SemaphorePermit<'a>>,
}

impl Ramp {
    pub(super) fn new(max: usize) -> Self {
        Self {
            turns: Semaphore::new(1),
            max: max.max(1),
            state: Mutex::new(State {
                limit: 1,
                surplus: 0,
            }),
        }
    }

    /// Waits for a turn, behind those who came before.
    pub(super) async fn turn(&self) -> Turn<'_> {
        // It is never closed.
        let permit = self.turns.acquire().await.ok();
        Turn { ramp: self, permit }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// The connection was made.
    pub(super) fn succeeded(self) {
        let mut state = self.ramp.state();
        if state.limit < self.ramp.max {
            state.limit += 1;
            if state.surplus > 0 {
                state.surplus -= 1;
            } else {
                self.ramp.turns.add_permits(1);
            }
        }
    }

    /// It was not.
    pub(super) fn failed(self) {
        let mut state = self.ramp.state();
        let excess = state.limit - 1;
        state.limit = 1;
        state.surplus += excess - self.ramp.turns.forget_permits(excess);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.ramp.state();
        if state.surplus > 0 {
            state.surplus -= 1;
            if let Some(permit) = self.permit.take() {
                permit.forget();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn at_once(ramp: &Ramp) -> Vec<Turn<'_>> {
        std::iter::from_fn(|| ramp.turn().now_or_never()).collect()
    }

    #[test]
    fn it_grows_with_each_success_up_to_its_bound_and_falls_with_a_failure() {
        let ramp = Ramp::new(3);
        for expected in [1, 2, 3, 3] {
            let mut turns = at_once(&ramp);
            assert_eq!(turns.len(), expected);
            turns.pop().unwrap().succeeded();
        }
        // A failure while all have a turn.
        let mut turns = at_once(&ramp);
        turns.pop().unwrap().failed();
        assert_eq!(at_once(&ramp).len(), 0);
        turns.pop();
        assert_eq!(at_once(&ramp).len(), 0);
        turns.pop();
        assert_eq!(at_once(&ramp).len(), 1);
        // And a second one while the first is not over.
        at_once(&ramp).pop().unwrap().succeeded();
        let mut turns = at_once(&ramp);
        assert_eq!(turns.len(), 2);
        turns.pop().unwrap().failed();
        turns.pop().unwrap().failed();
        assert_eq!(at_once(&ramp).len(), 1);
    }

    #[test]
    fn a_turn_that_is_dropped_is_neither() {
        let ramp = Ramp::new(2);
        drop(at_once(&ramp));
        assert_eq!(at_once(&ramp).len(), 1);
    }
}
