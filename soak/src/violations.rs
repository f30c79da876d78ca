//! What must not happen.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// How many of a kind are told in full.
const EXAMPLES: usize = 5;

/// All that must not have happened and did.
#[derive(Debug, Default)]
pub(crate) struct Violations(Mutex<BTreeMap<&'static str, Violation>>);

/// A sentence that was broken.
#[derive(Debug, Default, Clone, Serialize)]
pub(crate) struct Violation {
    pub(crate) times: u64,
    pub(crate) examples: Vec<String>,
}

impl Violations {
    pub(crate) fn add(&self, what: &'static str, example: impl FnOnce() -> String) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let violation = all.entry(what).or_default();
        violation.times += 1;
        if violation.examples.len() < EXAMPLES {
            violation.examples.push(example());
        }
    }

    pub(crate) fn count(&self) -> u64 {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.values().map(|violation| violation.times).sum()
    }

    pub(crate) fn all(&self) -> BTreeMap<&'static str, Violation> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
