//! One statement on one connection: sending it, reading its answer to the end, within its time.
//!
//! This is the only place where a statement meets a socket.

use std::pin::{Pin, pin};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use tokio::time::timeout;
use tokio_postgres::{Row, RowStream};

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

/// What is made of an answer.
pub(crate) trait Answer {
    type Output: Send;

    /// Reads to the end. How many rows were changed or given is told beside it, as a statement without
    /// `RETURNING` gives none however many it changes.
    async fn read(rows: Pin<&mut RowStream>) -> Result<Self::Output, tokio_postgres::Error>;
}

/// All rows.
pub(crate) struct Rows;

impl Answer for Rows {
    type Output = Vec<Row>;

    async fn read(mut rows: Pin<&mut RowStream>) -> Result<Vec<Row>, tokio_postgres::Error> {
        let mut all = Vec::new();
        while let Some(row) = rows.try_next().await? {
            all.push(row);
        }
        Ok(all)
    }
}

/// The only row.
pub(crate) struct OneRow;

/// What was found where one row was looked for.
pub(crate) enum Found {
    None,
    One(Row),
    Several,
}

impl Found {
    /// The only row, if there is one.
    pub(crate) fn at_most_one(self) -> Result<Option<Row>, RequestError> {
        match self {
            Self::None => Ok(None),
            Self::One(row) => Ok(Some(row)),
            Self::Several => Err(RequestError::RowCount {
                expected: "at most one",
                found: 2,
            }),
        }
    }

    /// The only row.
    pub(crate) fn one(self) -> Result<Row, RequestError> {
        self.at_most_one()?.ok_or(RequestError::RowCount {
            expected: "one",
            found: 0,
        })
    }
}

impl Answer for OneRow {
    type Output = Found;

    async fn read(mut rows: Pin<&mut RowStream>) -> Result<Found, tokio_postgres::Error> {
        let Some(first) = rows.next().await.transpose()? else {
            return Ok(Found::None);
        };
        let mut found = Found::One(first);
        // To the end, so that the connection is idle after it.
        while rows.next().await.transpose()?.is_some() {
            found = Found::Several;
        }
        Ok(found)
    }
}

/// How many rows were changed, or given.
pub(crate) struct Affected;

impl Answer for Affected {
    type Output = u64;

    async fn read(mut rows: Pin<&mut RowStream>) -> Result<u64, tokio_postgres::Error> {
        while rows.next().await.transpose()?.is_some() {}
        Ok(rows.rows_affected().unwrap_or_default())
    }
}

/// The rows of an answer and their number.
pub(crate) struct Complete;

/// All that a statement gave.
#[derive(Debug)]
#[non_exhaustive]
pub struct CompleteAnswer {
    /// Its rows.
    pub rows: Vec<Row>,
    /// How many rows it changed (of a `SELECT`: gave).
    pub affected: u64,
}

impl Answer for Complete {
    type Output = CompleteAnswer;

    async fn read(mut rows: Pin<&mut RowStream>) -> Result<CompleteAnswer, tokio_postgres::Error> {
        let all = Rows::read(rows.as_mut()).await?;
        let affected = rows.rows_affected().unwrap_or_default();
        Ok(CompleteAnswer {
            rows: all,
            affected,
        })
    }
}

impl Request<'_> {
    /// The whole answer.
    pub(crate) async fn answer<A: Answer>(
        self,
        connection: &Connection,
    ) -> Result<A::Output, RequestError> {
        Ok(self.counted::<A>(connection).await?.0)
    }

    /// The whole answer, and how many rows the statement changed or gave.
    pub(crate) async fn counted<A: Answer>(
        self,
        connection: &Connection,
    ) -> Result<(A::Output, u64), RequestError> {
        let in_flight = connection.start();
        let answer = timeout(self.limit, async {
            let mut rows = pin!(self.open(connection).await?);
            let output = A::read(rows.as_mut()).await?;
            Ok::<_, Failure>((output, rows.rows_affected().unwrap_or_default()))
        });
        let answer = answer.await;
        connection.settle(in_flight, answer, self.limit)
    }

    /// The beginning of the answer. Its end is the stream's to read.
    pub(crate) async fn begin(self, connection: &Connection) -> Result<RowStream, RequestError> {
        let in_flight = connection.start();
        let answer = timeout(self.limit, self.open(connection)).await;
        connection.settle(in_flight, answer, self.limit)
    }

    async fn open(self, connection: &Connection) -> Result<RowStream, Failure> {
        if self.keep {
            Ok(connection.open(self.text, self.params).await?)
        } else {
            connection.open_once(self.text, self.params).await
        }
    }
}
