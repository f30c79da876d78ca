//! Which tenants ask the most.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Observer, RequestEvent, TenantHash};

/// Counts the requests of the tenants that make the most, in bounded memory: an [`Observer`].
///
/// The algorithm is Space-Saving (Metwally, Agrawal and El Abbadi, 2005): with room for `n` tenants, each
/// one that makes more than an `n`-th of all requests is among them, and its count is too high by no more
/// than what is told with it.
#[derive(Debug)]
pub struct TopTenants {
    room: usize,
    counts: Mutex<HashMap<TenantHash, Count>>,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    requests: u64,
    /// What of them may be others'.
    error: u64,
}

impl TopTenants {
    /// With room for this many tenants (at least 1). A few hundred are plenty: each takes some ten bytes,
    /// and one that is new and does not fit costs a look at all.
    pub fn new(tenants: usize) -> Self {
        Self {
            room: tenants.max(1),
            counts: Mutex::default(),
        }
    }

    /// The tenants with the most requests so far, each with their number and what of it may be too much.
    pub fn top(&self, tenants: usize) -> Vec<(TenantHash, u64, u64)> {
        let counts = self.counts();
        let all = counts.iter();
        let mut all: Vec<_> = all
            .map(|(tenant, count)| (*tenant, count.requests, count.error))
            .collect();
        drop(counts);
        all.sort_unstable_by_key(|(tenant, requests, _)| (std::cmp::Reverse(*requests), *tenant));
        all.truncate(tenants);
        all
    }

    fn count(&self, tenant: TenantHash) {
        let mut counts = self.counts();
        if let Some(count) = counts.get_mut(&tenant) {
            count.requests += 1;
            return;
        }
        let mut error = 0;
        if counts.len() >= self.room {
            let smallest = counts.iter().min_by_key(|(_, count)| count.requests);
            let Some((smallest, count)) = smallest.map(|(tenant, count)| (*tenant, *count)) else {
                return;
            };
            counts.remove(&smallest);
            error = count.requests;
        }
        let requests = error + 1;
        counts.insert(tenant, Count { requests, error });
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<TenantHash, Count>> {
        // Nothing in it can panic half-way.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for TopTenants {
    fn request(&self, request: &RequestEvent<'_>) {
        self.count(request.tenant);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TenantHashKey, TenantId};

    #[test]
    fn the_busiest_are_found_in_bounded_memory() {
        let key = TenantHashKey::default();
        let hash = |tenant: i64| key.hash(&TenantId::from(tenant));
        let top = TopTenants::new(10);
        for round in 0..1000 {
            top.count(hash(1));
            if round % 2 == 0 {
                top.count(hash(2));
            }
            // A crowd of which each asks once.
            top.count(hash(1000 + round));
        }
        assert_eq!(top.counts().len(), 10);
        let found = top.top(2);
        assert_eq!(found[0].0, hash(1));
        assert_eq!(found[1].0, hash(2));
        for ((_, requests, error), real) in found.iter().zip([1000, 500]) {
            assert!((requests - error..=*requests).contains(&real), "{found:?}");
        }
    }
}
