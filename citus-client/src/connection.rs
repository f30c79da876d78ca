//! One connection to one node.
//!
//! # When it may be used again
//! A connection may serve another request when the server has answered everything that was sent:
//! then it is idle. Everything else follows from one rule, which holds however a future ends, also
//! when it is dropped:
//!
//! - Each request takes a [`InFlight`] before it sends, and says [`InFlight::done`] once the last
//!   message of the answer has been read. One that is dropped before that *spoils* the connection.
//! - A spoilt connection is never used again: its socket is closed, and the server is told to stop
//!   what it was doing, with a `CancelRequest` in the background.
//! - A connection with an open transaction is rolled back in the background before it goes back to
//!   its pool (see [`Lease`](crate::pool::Lease)); when that is not acknowledged, it is spoilt.
//!
//! So a query that was abandoned never delays the next borrower, and half-prepared statements go
//! away with their session.

mod attempt;
mod cancel;
mod connector;
mod params;
mod statements;
mod unnamed;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};
use tokio_postgres::types::Type;
use tokio_postgres::{
    CancelToken, Client, CopyInSink, CopyOutStream, RowStream, SimpleQueryMessage, Statement,
};

pub(crate) use cancel::Canceller;
pub(crate) use connector::{Connector, with_jitter};
pub(crate) use params::Params;
pub(crate) use statements::Bounds;
use statements::Kept;

use crate::NodeAddress;
use crate::config::StatementMode;
use crate::error::{PgError, RequestError};

/// One connection to one node, with the statements that were prepared on it.
pub(crate) struct Connection {
    client: Client,
    /// Reads and writes the socket; ends when the client is dropped.
    driver: AbortHandle,
    node: NodeAddress,
    memory: Memory,
    /// Its state is not known any more: it must not be used again.
    spoilt: AtomicBool,
    /// Its socket was closed.
    abandoned: AtomicBool,
    /// Between `BEGIN` and the acknowledgement of `COMMIT` or `ROLLBACK`.
    in_transaction: AtomicBool,
    canceller: Canceller,
    cancel: CancelToken,
    connected: Instant,
    expires: Instant,
    /// Of its pool, when it was made.
    generation: u64,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Connection({})", self.node)
    }
}

/// A request whose answer has not been read to its end. See the [module](self).
#[derive(Debug)]
#[must_use = "dropping it spoils the connection"]
pub(crate) struct InFlight<'a>(Option<&'a Connection>);

/// Why a statement has no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    Driver(tokio_postgres::Error),
    /// It was prepared, and not executed.
    ParameterCount {
        expected: usize,
        given: usize,
    },
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Driver(error)
    }
}

/// What a connection remembers of statements.
#[derive(Debug)]
enum Memory {
    /// The statements themselves, which the server remembers.
    Named(Mutex<Kept<Statement>>),
    /// The types of their parameters.
    Unnamed(Mutex<Kept<Arc<[Type]>>>),
}

impl Memory {
    fn new(mode: StatementMode, bounds: Bounds) -> Self {
        match mode {
            StatementMode::Named => Self::Named(Mutex::new(Kept::new(bounds))),
            StatementMode::Unnamed => Self::Unnamed(Mutex::new(Kept::new(bounds))),
        }
    }

    fn clear(&self) {
        match self {
            Self::Named(statements) => lock(statements).clear(),
            Self::Unnamed(types) => lock(types).clear(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Nothing in it can panic half-way.
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn expect_params(types: &[Type], given: usize) -> Result<(), Failure> {
    let expected = types.len();
    if expected == given {
        Ok(())
    } else {
        Err(Failure::ParameterCount { expected, given })
    }
}

impl InFlight<'_> {
    /// The answer was read to its end.
    pub(crate) fn done(mut self) {
        self.0 = None;
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.0 {
            connection.spoil();
        }
    }
}

impl Connection {
    /// The node.
    pub(crate) fn node(&self) -> &NodeAddress {
        &self.node
    }

    /// Whether a request may be made.
    pub(crate) fn is_usable(&self) -> bool {
        !self.is_spoilt() && !self.client.is_closed()
    }

    /// Whether it may be taken out of the pool once more.
    pub(crate) fn is_fresh(&self) -> bool {
        self.is_usable() && Instant::now() < self.expires
    }

    /// How long it has been there.
    pub(crate) fn age(&self) -> Duration {
        self.connected.elapsed()
    }

    pub(crate) fn of_generation(mut self, generation: u64) -> Self {
        self.generation = generation;
        self
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    pub(crate) fn is_spoilt(&self) -> bool {
        self.spoilt.load(Ordering::Relaxed)
    }

    /// It must not be used again.
    pub(crate) fn spoil(&self) {
        self.spoilt.store(true, Ordering::Relaxed);
    }

    pub(crate) fn in_transaction(&self) -> bool {
        self.in_transaction.load(Ordering::Relaxed)
    }

    /// A request begins.
    pub(crate) fn start(&self) -> InFlight<'_> {
        InFlight(Some(self))
    }

    /// Sends a statement and gives its rows as they come.
    pub(crate) async fn open(
        &self,
        text: &str,
        params: Params<'_>,
    ) -> Result<RowStream, tokio_postgres::Error> {
        match &self.memory {
            Memory::Named(statements) => self.open_named(statements, text, params).await,
            Memory::Unnamed(types) => Box::pin(self.open_unnamed(types, text, params)).await,
        }
    }

    /// A statement that the server does not accept any more, because a table has changed since it
    /// was prepared, is prepared again; not in a transaction, which has failed by then.
    async fn open_named(
        &self,
        statements: &Mutex<Kept<Statement>>,
        text: &str,
        params: Params<'_>,
    ) -> Result<RowStream, tokio_postgres::Error> {
        let known = lock(statements).get(text);
        let was_known = known.is_some();
        let statement = match known {
            Some(statement) => statement,
            // What happens once is boxed, so that what happens always stays small.
            None => Box::pin(self.prepare(statements, text)).await?,
        };
        let result = self.client.query_raw(&statement, params.iter()).await;
        let stale = match result {
            Ok(stream) => return Ok(stream),
            Err(error) => PgError::new(error),
        };
        if !stale.is_stale_statement() {
            return Err(stale.into_inner());
        }
        lock(statements).remove(text);
        // Types can have been dropped and made anew with the tables.
        self.client.clear_type_cache();
        if !was_known || self.in_transaction() {
            return Err(stale.into_inner());
        }
        Box::pin(async {
            let statement = self.prepare(statements, text).await?;
            self.client.query_raw(&statement, params.iter()).await
        })
        .await
    }

    /// Prepares a statement that is not prepared yet.
    pub(crate) async fn prepare_once(
        &self,
        text: &str,
        limit: Duration,
    ) -> Result<(), RequestError> {
        let in_flight = self.start();
        let preparing = async {
            match &self.memory {
                Memory::Named(statements) if lock(statements).get(text).is_none() => {
                    self.prepare(statements, text).await.map(drop)
                }
                Memory::Named(_) | Memory::Unnamed(_) => Ok(()),
            }
        };
        let answer = timeout(limit, preparing).await;
        self.settle(in_flight, answer, limit)
    }

    async fn prepare(
        &self,
        statements: &Mutex<Kept<Statement>>,
        text: &str,
    ) -> Result<Statement, tokio_postgres::Error> {
        let statement = self.client.prepare(text).await?;
        lock(statements).insert(text, statement.clone());
        Ok(statement)
    }

    /// The only value of the only row, as text. In one message each way, so that several are
    /// answered in one round trip when they are polled together.
    pub(crate) async fn ask(
        &self,
        question: &str,
    ) -> Result<Option<String>, tokio_postgres::Error> {
        let answer = self.client.simple_query(question).await?;
        Ok(answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        }))
    }

    /// Sends a statement that is not sent again.
    pub(crate) async fn open_once(
        &self,
        text: &str,
        params: Params<'_>,
    ) -> Result<RowStream, Failure> {
        let given = params.iter().len();
        match &self.memory {
            Memory::Named(_) => {
                let statement = self.client.prepare(text).await?;
                expect_params(statement.params(), given)?;
                Ok(self.client.query_raw(&statement, params.iter()).await?)
            }
            Memory::Unnamed(_) => {
                let types = match given {
                    0 => Arc::default(),
                    _ => self.types_of_any(text).await?,
                };
                expect_params(&types, given)?;
                Ok(self.send_typed(text, params, &types).await?)
            }
        }
    }

    /// `COPY … FROM STDIN`
    pub(crate) async fn copy_in(
        &self,
        sql: &str,
    ) -> Result<CopyInSink<Bytes>, tokio_postgres::Error> {
        self.client.copy_in(sql).await
    }

    /// `COPY … TO STDOUT`
    pub(crate) async fn copy_out(&self, sql: &str) -> Result<CopyOutStream, tokio_postgres::Error> {
        self.client.copy_out(sql).await
    }

    /// The types of what a query gives, on a connection that nobody else uses meanwhile.
    pub(crate) async fn column_types(&self, sql: &str) -> Result<Vec<Type>, tokio_postgres::Error> {
        self.described(sql, |statement| {
            let columns = statement.columns().iter();
            columns.map(|column| column.type_().clone()).collect()
        })
        .await
    }

    /// Statements without parameters and rows, such as `BEGIN`.
    pub(crate) async fn run(&self, script: &str, limit: Duration) -> Result<(), RequestError> {
        let in_flight = self.start();
        let answer = timeout(limit, self.client.batch_execute(script)).await;
        self.settle(in_flight, answer, limit)
    }

    /// `BEGIN`, with its options.
    pub(crate) async fn begin(&self, begin: &str, limit: Duration) -> Result<(), RequestError> {
        self.in_transaction.store(true, Ordering::Relaxed);
        self.run(begin, limit).await
    }

    /// `COMMIT` or `ROLLBACK`.
    pub(crate) async fn end(&self, end: &str, limit: Duration) -> Result<(), RequestError> {
        self.run(end, limit).await?;
        self.in_transaction.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Makes the session what it was after connecting, whatever was done in it.
    pub(crate) async fn reset(&self, setup: &str, limit: Duration) -> Result<(), RequestError> {
        // It refuses to run in a transaction block, also in one that nobody knows of.
        self.run("DISCARD ALL", limit).await?;
        self.memory.clear();
        match self.memory {
            Memory::Named(_) => self.run(setup, limit).await,
            // It is the server's own.
            Memory::Unnamed(_) => Ok(()),
        }
    }

    /// Turns an answer, its error or its absence into a result, and decides whether the connection
    /// can be used again.
    pub(crate) fn settle<T>(
        &self,
        in_flight: InFlight<'_>,
        answer: Result<Result<T, impl Into<Failure>>, tokio::time::error::Elapsed>,
        limit: Duration,
    ) -> Result<T, RequestError> {
        match answer {
            Ok(Ok(value)) => {
                in_flight.done();
                Ok(value)
            }
            Ok(Err(error)) => Err(self.failed(in_flight, error)),
            Err(_) => Err(RequestError::Timeout {
                node: self.node.clone(),
                after: limit,
            }),
        }
    }

    /// What an error means for the connection and for the caller.
    pub(crate) fn failed(
        &self,
        in_flight: InFlight<'_>,
        failure: impl Into<Failure>,
    ) -> RequestError {
        let node = self.node.clone();
        let error = match failure.into() {
            Failure::Driver(error) => error,
            Failure::ParameterCount { expected, given } => {
                in_flight.done();
                return RequestError::ParameterCount { expected, given };
            }
        };
        let error = PgError::new(error);
        if error.is_parameter() {
            in_flight.done();
            return RequestError::Parameter { node, error };
        }
        if error.is_answer() {
            in_flight.done();
            return RequestError::Server { node, error };
        }
        if error.db_error().is_some() {
            // The server ends the session after it.
            return RequestError::Server { node, error };
        }
        RequestError::Lost { node, error }
    }

    /// Closes the socket at once, and has the server stop what it was doing.
    pub(crate) fn abandon(&self) {
        self.spoil();
        if self.abandoned.swap(true, Ordering::Relaxed) {
            return;
        }
        let closed = self.client.is_closed();
        self.driver.abort();
        if !closed {
            self.canceller.cancel(self.cancel.clone());
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // The task below would wait for the answer for as long as the server takes, and hold the
        // connection's place meanwhile.
        if self.is_spoilt() {
            self.abandon();
        }
    }
}
