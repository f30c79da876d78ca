//! Asking the coordinator about once a second whether something has changed.
//!
//! All changes of nodes and shards are made there, so that no other node has to be asked, and while
//! it is away there are none. A change has the refresh read everything.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::Inner;
use crate::PgError;
use crate::connection::{Connection, with_jitter};
use crate::metadata::changes::QUESTION;

const PERIOD: Duration = Duration::from_secs(1);
/// While the coordinator does not answer.
const LONGEST_PERIOD: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(5);

/// Starts the task. It ends with the last [`Cluster`](crate::Cluster), and keeps one connection.
pub(super) fn spawn(inner: &Arc<Inner>) {
    if inner.snapshot.load().topology.forwards() {
        tokio::spawn(look_out(Arc::downgrade(inner), inner.alive.subscribe()));
    }
}

async fn look_out(inner: Weak<Inner>, mut alive: watch::Receiver<()>) {
    let mut connection = None;
    let mut period = PERIOD;
    loop {
        tokio::select! {
            // Nothing is ever sent: this is the end.
            _ = alive.changed() => return,
            () = sleep(with_jitter(period, 0.2)) => {}
        }
        let Some(inner) = inner.upgrade() else { return };
        if inner.connecting.capacity.is_closed() {
            return;
        }
        match fingerprint(&inner, &mut connection).await {
            Some(now) => {
                period = PERIOD;
                if inner.snapshot.load().changes.as_ref() != Some(&now) {
                    inner.kick.notify_one();
                }
            }
            // Requests that fail hint at it themselves.
            None => period = (period * 2).min(LONGEST_PERIOD),
        }
    }
}

/// The coordinator's fingerprint, over the connection that is there or a new one.
async fn fingerprint(inner: &Inner, kept: &mut Option<Connection>) -> Option<String> {
    let connection = connection(inner, kept.take()).await?;
    let in_flight = connection.start();
    match timeout(TIMEOUT, connection.ask(QUESTION)).await {
        Ok(Ok(answer)) => {
            in_flight.done();
            *kept = Some(connection);
            answer
        }
        Ok(Err(error)) => {
            let error = PgError::connecting(error);
            tracing::debug!(%error, "the coordinator does not tell its changes");
            None
        }
        Err(_) => {
            tracing::debug!("the coordinator does not tell its changes in time");
            drop(in_flight);
            connection.abandon();
            None
        }
    }
}

async fn connection(inner: &Inner, kept: Option<Connection>) -> Option<Connection> {
    let snapshot = inner.snapshot.load_full();
    let coordinator = snapshot.topology.coordinator().address();
    let kept = kept.filter(|kept| kept.is_fresh() && kept.node() == coordinator);
    if kept.is_some() {
        return kept;
    }
    let made = inner.connecting.to(coordinator, None).connect().await;
    made.inspect_err(|error| tracing::debug!(%error, "the coordinator cannot be asked for changes"))
        .ok()
}
