//! Making connections to one node.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rand::RngExt;
use tenant_guard::Ident;
use tokio::time::{Instant, timeout};
use tokio_postgres::AsyncMessage;

use super::attempt::Attempt;
use super::{Bounds, Canceller, Connection, Memory};
use crate::NodeAddress;
use crate::config::{Config, StatementMode};
use crate::error::{NodeError, PgError};
use crate::pool::Permit;
use crate::tls::MakeTls;

/// Makes connections to one node, each in the state that the guard relies on.
#[derive(Clone)]
pub(crate) struct Connector {
    attempt: Attempt,
    /// What is sent after connecting.
    setup: String,
    canceller: Canceller,
    max_lifetime: Duration,
    mode: StatementMode,
    bounds: Bounds,
    search_path: Option<Box<[Ident]>>,
}

impl Connector {
    /// Without a search path the session has the one that the server gives it.
    pub(crate) fn new(
        config: &Config,
        node: &NodeAddress,
        search_path: Option<&[Ident]>,
        tls: &MakeTls,
        canceller: &Canceller,
    ) -> Self {
        let name = config.application_name.as_deref();
        let name = name
            .or(config.server.application_name())
            .unwrap_or("citus-client");
        let attempt = Attempt {
            node: node.clone(),
            server: Arc::clone(&config.server),
            application_name: name.to_owned(),
            tls: tls.clone(),
            provider: config.provider.clone(),
            resolver: config.resolver.clone(),
            limit: config.connect_timeout,
        };
        Self {
            attempt,
            setup: setup(search_path),
            canceller: canceller.clone(),
            max_lifetime: config.pools.max_lifetime,
            mode: config.statement_mode,
            bounds: Bounds {
                statements: config.statements,
                bytes: config.statement_bytes,
            },
            search_path: search_path.map(Into::into),
        }
    }

    /// The node.
    pub(crate) fn node(&self) -> &NodeAddress {
        &self.attempt.node
    }

    /// The settings of every session.
    pub(crate) fn setup(&self) -> &str {
        &self.setup
    }

    /// How long connecting may take by one address.
    pub(crate) fn connect_timeout(&self) -> Duration {
        self.attempt.limit
    }

    /// Connects and sets the session up; for the driver's own questions.
    pub(crate) async fn connect(&self) -> Result<Connection, NodeError> {
        self.connect_with(None).await
    }

    /// The same for a pool. The permit is given back when the socket is closed.
    pub(crate) async fn connect_with(
        &self,
        permit: Option<Permit>,
    ) -> Result<Connection, NodeError> {
        let (client, mut socket) = self.attempt.session().await?;
        let node = self.node().clone();
        let permit = permit.map(Arc::new);
        let held = permit.clone();
        let driver = tokio::spawn(async move {
            let _held = held;
            // Notices are dropped, as they can hold data; nobody listens to notifications.
            loop {
                match poll_fn(|context| socket.poll_message(context)).await {
                    Some(Ok(AsyncMessage::Notice(notice))) => {
                        tracing::trace!(%node, state = notice.code().code(), "notice");
                    }
                    Some(Ok(_)) => {}
                    Some(Err(error)) => {
                        let error = PgError::new(error);
                        tracing::debug!(%node, %error, "a connection ended");
                        break;
                    }
                    None => break,
                }
            }
        });
        let (cancel, driver) = (client.cancel_token(), driver.abort_handle());
        if let Some(permit) = permit {
            permit.belongs_to(driver.clone(), cancel.clone());
        }
        let now = Instant::now();
        let connection = Connection {
            cancel,
            client,
            driver,
            node: self.node().clone(),
            memory: Memory::new(self.mode, self.bounds),
            spoilt: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            in_transaction: AtomicBool::new(false),
            canceller: self.canceller.clone(),
            connected: now,
            expires: now + with_jitter(self.max_lifetime, 0.1),
            generation: 0,
        };
        let setting_up = async {
            match self.mode {
                StatementMode::Named => {
                    connection.client.batch_execute(&self.setup).await?;
                    Ok(true)
                }
                // What one session is told the next would not know.
                StatementMode::Unnamed => {
                    let question = has_settings(self.search_path.as_deref());
                    Ok(connection.ask(&question).await?.as_deref() == Some("t"))
                }
            }
        };
        let in_flight = connection.start();
        let set_up = timeout(self.connect_timeout(), setting_up).await;
        match &set_up {
            Ok(Ok(_)) => in_flight.done(),
            Ok(Err(_)) | Err(_) => drop(in_flight),
        }
        match set_up {
            Ok(Ok(true)) => Ok(connection),
            Ok(Ok(false)) => Err(NodeError::Settings {
                node: self.node().clone(),
                wanted: self.setup.clone(),
            }),
            Ok(Err(error)) => Err(NodeError::Refused {
                node: self.node().clone(),
                error: PgError::connecting(error),
            }),
            Err(_) => Err(self.attempt.timed_out()),
        }
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Connector({})", self.node())
    }
}

/// The settings that guarded statements rely on, and one for Citus: with a generic or a cached plan
/// Citus 12.1.11, 12.1.12, 13.2.1, 13.2.2, 14.0.0 and 14.0.1 leak some 20 KiB of the worker's
/// memory for each execution of a prepared statement that takes the tenant as a parameter.
fn setup(search_path: Option<&[Ident]>) -> String {
    let mut setup = String::from(
        "SET standard_conforming_strings = on; SET plan_cache_mode = force_custom_plan",
    );
    if let Some(path) = search_path {
        let path: Vec<_> = path.iter().map(Ident::quoted).collect();
        setup.push_str("; SET search_path = ");
        setup.push_str(&path.join(", "));
    }
    setup
}

/// Asks whether a session has the settings that guarded statements rely on. Schemas that are not there
/// make no difference.
fn has_settings(search_path: Option<&[Ident]>) -> String {
    let strings = "SELECT pg_catalog.current_setting('standard_conforming_strings') = 'on'";
    let Some(path) = search_path else {
        return strings.to_owned();
    };
    let path: Vec<_> = path.iter().map(|name| literal(name.as_str())).collect();
    format!(
        "{strings} AND pg_catalog.current_schemas(false)::text[] = ARRAY(\
         SELECT wanted.name FROM pg_catalog.unnest(ARRAY[{}]::text[]) \
         WITH ORDINALITY AS wanted(name, place) \
         JOIN pg_catalog.pg_namespace AS schema ON schema.nspname = wanted.name \
         ORDER BY wanted.place)",
        path.join(", ")
    )
}

fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// Up to `share` less than a period, so that what began together does not end together.
pub(crate) fn with_jitter(period: Duration, share: f64) -> Duration {
    period.mul_f64(1.0 - rand::rng().random_range(0.0..=share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_the_search_path_are_quoted() {
        let setup = setup(Some(&["app".into(), "a\"; DROP".into()]));
        assert!(
            setup.ends_with("; SET search_path = app, \"a\"\"; DROP\""),
            "{setup}"
        );
    }
}
