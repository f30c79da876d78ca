//! One statement on one connection: sending it, reading its answer to the end, within its time.
//!
//! This is the only place where a statement meets a socket. A write that waited for a blocking
//! split or move on its own node can report 0 rows although there were some (measured on Citus
//! 13.2); looking at the change counter of the catalogs after such an answer, and running the
//! statement again, belongs into [`Request::affected`].

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use tokio::time::timeout;
use tokio_postgres::Row;

use crate::connection::{Connection, Failure, Params};
use crate::error::RequestError;

/// A statement that may be sent.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) text: &'a str,
    pub(crate) params: Params<'a>,
    /// Whether the connection keeps the statement prepared.
    pub(crate) keep: bool,
    pub(crate) limit: Duration,
}

impl Request<'_> {
    /// All rows.
    pub(crate) async fn rows(self, connection: &Connection) -> Result<Vec<Row>, RequestError> {
        let in_flight = connection.start();
        let answer = timeout(self.limit, async {
            Ok::<_, Failure>(self.open(connection).await?.try_collect().await?)
        });
        let answer = answer.await;
        connection.settle(in_flight, answer, self.limit)
    }

    /// The only row, or none.
    pub(crate) async fn at_most_one(
        self,
        connection: &Connection,
    ) -> Result<Option<Row>, RequestError> {
        let in_flight = connection.start();
        let answer = timeout(self.limit, async {
            let mut rows = std::pin::pin!(self.open(connection).await?);
            let first = rows.next().await.transpose()?;
            let mut more = false;
            // To the end, so that the connection is idle after it, and not beyond.
            while first.is_some() && rows.next().await.transpose()?.is_some() {
                more = true;
            }
            Ok::<_, Failure>((first, more))
        });
        let answer = answer.await;
        match connection.settle(in_flight, answer, self.limit)? {
            (first, false) => Ok(first),
            (_, true) => Err(RequestError::RowCount {
                expected: "at most one",
                found: 2,
            }),
        }
    }

    /// The only row.
    pub(crate) async fn one(self, connection: &Connection) -> Result<Row, RequestError> {
        let row = self.at_most_one(connection).await?;
        row.ok_or(RequestError::RowCount {
            expected: "one",
            found: 0,
        })
    }

    /// How many rows were changed, or given.
    pub(crate) async fn affected(self, connection: &Connection) -> Result<u64, RequestError> {
        let in_flight = connection.start();
        let answer = timeout(self.limit, async {
            let mut rows = std::pin::pin!(self.open(connection).await?);
            while rows.next().await.transpose()?.is_some() {}
            Ok::<_, Failure>(rows.rows_affected().unwrap_or_default())
        });
        let answer = answer.await;
        connection.settle(in_flight, answer, self.limit)
    }

    /// The beginning of the answer. Its end is the stream's to read.
    pub(crate) async fn begin(
        self,
        connection: &Connection,
    ) -> Result<tokio_postgres::RowStream, RequestError> {
        let in_flight = connection.start();
        let answer = timeout(self.limit, self.open(connection)).await;
        connection.settle(in_flight, answer, self.limit)
    }

    async fn open(self, connection: &Connection) -> Result<tokio_postgres::RowStream, Failure> {
        if self.keep {
            Ok(connection.open(self.text, self.params).await?)
        } else {
            connection.open_once(self.text, self.params).await
        }
    }
}
