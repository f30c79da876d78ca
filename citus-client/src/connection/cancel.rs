//! Telling a server to stop a query that nobody waits for any more.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_postgres::CancelToken;

use crate::tls::MakeTls;

/// Each takes a connection of its own, so they are few at a time: an application that abandons
/// queries by the thousand does so because the servers are slow already.
const AT_A_TIME: usize = 16;
const TIMEOUT: Duration = Duration::from_secs(5);

/// Sends `CancelRequest`s in the background.
#[derive(Clone)]
pub(crate) struct Canceller {
    tls: MakeTls,
    permits: Arc<Semaphore>,
}

impl Canceller {
    pub(crate) fn new(tls: MakeTls) -> Self {
        Self {
            tls,
            permits: Arc::new(Semaphore::new(AT_A_TIME)),
        }
    }

    /// Best effort: without a runtime, or with too many on their way, the query runs to its end.
    /// Only the session of the token is concerned, which its owner has given up.
    pub(super) fn cancel(&self, token: CancelToken) {
        let (Ok(runtime), Ok(permit)) = (
            Handle::try_current(),
            Arc::clone(&self.permits).try_acquire_owned(),
        ) else {
            return;
        };
        let tls = self.tls.clone();
        runtime.spawn(async move {
            let _permit = permit;
            send(token, tls).await;
        });
    }

    /// Cancels what many sessions do, and waits until that is sent.
    pub(crate) async fn cancel_all(&self, tokens: Vec<CancelToken>) {
        let sending = tokens
            .into_iter()
            .map(|token| send(token, self.tls.clone()));
        stream::iter(sending)
            .buffer_unordered(AT_A_TIME)
            .count()
            .await;
    }
}

async fn send(token: CancelToken, tls: MakeTls) {
    match timeout(TIMEOUT, token.cancel_query(tls)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "an abandoned query was not cancelled"),
        Err(_) => tracing::debug!("an abandoned query was not cancelled in time"),
    }
}

impl std::fmt::Debug for Canceller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Canceller({} free)", self.permits.available_permits())
    }
}
