//! What is done for pools in the background.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::sleep;

use super::Capacity;

/// How often the pools are looked at.
const PERIOD: Duration = Duration::from_secs(1);

/// Gives up what is too old or unused for too long, and makes connections ahead where a pool has
/// fewer idle ones than it should. Ends with the cluster.
pub(crate) fn spawn(capacity: &Arc<Capacity>) {
    tokio::spawn(keep(Arc::downgrade(capacity)));
}

async fn keep(capacity: Weak<Capacity>) {
    loop {
        {
            let Some(capacity) = capacity.upgrade() else {
                return;
            };
            if capacity.is_closed() {
                return;
            }
            for pool in capacity.pools() {
                pool.reap();
                pool.warm();
            }
        }
        sleep(PERIOD).await;
    }
}
