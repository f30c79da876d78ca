//! Rows as they come.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use tokio::time::{Sleep, sleep};
use tokio_postgres::Row;

use crate::cluster::Inner;
use crate::error::RequestError;
use crate::pool::Lease;
use crate::request::CompleteAnswer;
use crate::transaction::State;

/// The rows of a statement, as they come from the server; at most a few of them are in memory.
/// `Unpin`, so that [`futures_util::StreamExt::next`] can be called on it.
///
/// Each wait for a row is bounded by [`Config::query_timeout`](crate::Config::query_timeout). A
/// stream that is dropped before its end takes its connection with it; in a transaction, the
/// transaction is over then.
#[must_use = "a stream that is not read to its end takes its connection with it"]
pub struct RowStream<'a> {
    rows: Rows,
    /// `None` after the end.
    source: Option<Source<'a>>,
    affected: Option<u64>,
    limit: Duration,
    /// Runs while a row is waited for.
    deadline: Option<Pin<Box<Sleep>>>,
}

enum Rows {
    Coming(Pin<Box<tokio_postgres::RowStream>>),
    /// All are there.
    Complete(std::vec::IntoIter<Row>),
}

/// Where the rows come from.
pub(crate) enum Source<'a> {
    /// A connection of its own, which goes back at the end.
    Own(Lease, Arc<Inner>),
    /// The connection of a transaction.
    Transaction(&'a State),
}

impl Source<'_> {
    fn lease(&self) -> &Lease {
        match self {
            Self::Own(lease, _) => lease,
            Self::Transaction(state) => state.lease(),
        }
    }

    fn failed(self, error: tokio_postgres::Error) -> RequestError {
        let error = match self.lease().connection() {
            Ok(connection) => connection.failed(connection.start(), error),
            Err(closed) => match error.as_db_error() {
                Some(_) => RequestError::Server {
                    node: self.lease().node().clone(),
                    error: crate::PgError::new(error),
                },
                None => closed,
            },
        };
        self.observe(error)
    }

    fn observe(self, error: RequestError) -> RequestError {
        match &self {
            Self::Own(_, inner) => inner.hint(&error),
            Self::Transaction(state) => state.observe(&error),
        }
        error
    }
}

impl<'a> RowStream<'a> {
    pub(crate) fn new(
        rows: tokio_postgres::RowStream,
        source: Source<'a>,
        limit: Duration,
    ) -> Self {
        Self {
            rows: Rows::Coming(Box::pin(rows)),
            source: Some(source),
            affected: None,
            limit,
            deadline: None,
        }
    }

    /// Rows that are there.
    pub(crate) fn complete(answer: CompleteAnswer) -> Self {
        Self {
            affected: Some(answer.affected),
            rows: Rows::Complete(answer.rows.into_iter()),
            source: None,
            limit: Duration::ZERO,
            deadline: None,
        }
    }

    /// How many rows the statement changed or gave; known after its last row.
    pub fn rows_affected(&self) -> Option<u64> {
        match &self.rows {
            Rows::Complete(rows) if rows.len() > 0 => None,
            Rows::Complete(_) | Rows::Coming(_) => self.affected,
        }
    }
}

impl Stream for RowStream<'_> {
    type Item = Result<Row, RequestError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let rows = match &mut this.rows {
            Rows::Complete(rows) => return Poll::Ready(rows.next().map(Ok)),
            Rows::Coming(_) if this.source.is_none() => return Poll::Ready(None),
            Rows::Coming(rows) => rows,
        };
        match rows.as_mut().poll_next(context) {
            Poll::Ready(Some(Ok(row))) => {
                this.deadline = None;
                Poll::Ready(Some(Ok(row)))
            }
            Poll::Ready(None) => {
                this.affected = rows.rows_affected();
                this.source = None;
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => {
                Poll::Ready(this.source.take().map(|source| Err(source.failed(error))))
            }
            Poll::Pending => {
                let limit = this.limit;
                let deadline = this.deadline.get_or_insert_with(|| Box::pin(sleep(limit)));
                if deadline.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                Poll::Ready(this.source.take().map(|source| {
                    source.lease().spoil();
                    let node = source.lease().node().clone();
                    Err(source.observe(RequestError::Timeout { node, after: limit }))
                }))
            }
        }
    }
}

impl Drop for RowStream<'_> {
    fn drop(&mut self) {
        if let Some(source) = &self.source {
            source.lease().spoil();
        }
    }
}

impl std::fmt::Debug for RowStream<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowStream")
            .field("ended", &self.source.is_none())
            .finish_non_exhaustive()
    }
}
