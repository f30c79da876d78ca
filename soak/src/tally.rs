//! What the callers saw: requests, errors by kind, and how long each tenant had to wait.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use citus_client::{NodeError, RequestError};

/// What the callers saw.
#[derive(Debug)]
pub(crate) struct Tally {
    start: Instant,
    seen: Mutex<Seen>,
}

/// What was seen until now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// By what was asked for: those that succeeded, and those that failed.
    pub(crate) requests: BTreeMap<&'static str, (u64, u64)>,
    pub(crate) errors: BTreeMap<String, u64>,
    pub(crate) faults: BTreeMap<String, u64>,
    pub(crate) tenants: BTreeMap<i64, Pauses>,
    /// For each second those that succeeded and those that failed.
    pub(crate) seconds: Vec<(u32, u32)>,
    /// What was done to the cluster, and in which second.
    pub(crate) events: Vec<(u64, String)>,
}

/// When a tenant was not served.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pauses {
    since: Option<Instant>,
    pub(crate) longest: Duration,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            seen: Mutex::default(),
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// A request of a tenant has ended. Whether it is the first of the tenant that failed since the
    /// last one that did not.
    pub(crate) fn request<T>(
        &self,
        what: &'static str,
        tenant: i64,
        begun: Instant,
        result: &Result<T, RequestError>,
    ) -> bool {
        let second = usize::try_from(self.start.elapsed().as_secs()).unwrap_or(usize::MAX);
        let mut seen = self.seen();
        let seconds = second.min(100_000) + 1;
        if seen.seconds.len() < seconds {
            seen.seconds.resize(seconds, (0, 0));
        }
        let (succeeded, failed) = seen.requests.entry(what).or_default();
        match result {
            Ok(_) => *succeeded += 1,
            Err(_) => *failed += 1,
        }
        if let Some((succeeded, failed)) = seen.seconds.last_mut() {
            match result {
                Ok(_) => *succeeded += 1,
                Err(_) => *failed += 1,
            }
        }
        let pauses = seen.tenants.entry(tenant).or_default();
        let first = pauses.since.is_none();
        let since = *pauses.since.get_or_insert(begun);
        match result {
            Ok(_) => {
                // From the beginning of the first that failed to the end of the first that did not.
                pauses.longest = pauses.longest.max(since.elapsed());
                pauses.since = None;
                false
            }
            Err(error) => {
                *seen.errors.entry(kind(error)).or_default() += 1;
                first
            }
        }
    }

    /// Something was done to the cluster.
    pub(crate) fn fault(&self, kind: &str, event: String) {
        let second = self.start.elapsed().as_secs();
        let mut seen = self.seen();
        *seen.faults.entry(kind.to_owned()).or_default() += 1;
        seen.events.push((second, event));
    }

    pub(crate) fn snapshot(&self) -> Seen {
        self.seen().clone()
    }

    /// How many requests succeeded and failed, and the last event.
    pub(crate) fn brief(&self) -> (u64, u64, Option<String>) {
        let seen = self.seen();
        let requests = seen.requests.values();
        let (succeeded, failed) = requests.fold((0, 0), |sum, (succeeded, failed)| {
            (sum.0 + succeeded, sum.1 + failed)
        });
        let event = seen.events.last().map(|(_, event)| event.clone());
        (succeeded, failed, event)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    /// What was done to the cluster, an event a line.
    pub(crate) fn chronicle(&self) -> String {
        let line = |(second, event): &(u64, String)| format!("{second} s: {event}\n");
        self.events.iter().map(line).collect()
    }

    /// The longest pauses of all tenants, the shortest first.
    pub(crate) fn pauses(&self) -> Vec<Duration> {
        let mut pauses: Vec<Duration> =
            self.tenants.values().map(|tenant| tenant.longest).collect();
        pauses.sort_unstable();
        pauses
    }
}

/// The kind of an error, with the server's SQLSTATE.
pub(crate) fn kind(error: &RequestError) -> String {
    let kind = match error {
        RequestError::Aborted { .. } => "Aborted",
        RequestError::Closed { .. } => "Closed",
        RequestError::CommitUnknown { .. } => "CommitUnknown",
        RequestError::Lost { .. } => "Lost",
        RequestError::Node(NodeError::Down { .. }) => "Node: known to be down",
        RequestError::Node(NodeError::Refused { .. }) => "Node: refused",
        RequestError::Node(NodeError::Timeout { .. }) => "Node: timeout",
        RequestError::Node(_) => "Node",
        RequestError::NodeLeft { .. } => "NodeLeft",
        RequestError::PoolTimeout { .. } => "PoolTimeout",
        RequestError::Refused(_) => "Refused",
        RequestError::RowCount { .. } => "RowCount",
        RequestError::Server { .. } => "Server",
        RequestError::ShardMoved { .. } => "ShardMoved",
        RequestError::StaleStatement => "StaleStatement",
        RequestError::Timeout { .. } => "Timeout",
        // What a later version of the driver adds.
        _ => "another",
    };
    match error.sql_state() {
        Some(state) => format!("{kind} {}", state.code()),
        None => kind.to_owned(),
    }
}
