//! Rows of one tenant, written by its caller.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::SinkExt;
use tokio::time::timeout;
use tokio_postgres::CopyInSink;

use super::row_ends::{Problem, RowEnds};
use super::target::Target;
use super::{CopyFormat, needs_names};
use crate::cluster::Inner;
use crate::error::RequestError;
use crate::pool::Lease;
use crate::tenant::Tenant;
use crate::tenant_id::{ColumnValue, TenantIdError};

/// Rows on their way into a tenant's table, as one statement: all of them are there after
/// [`CopyIn::finish`], and none if this is dropped before. Made by [`Tenant::copy_in`].
#[must_use = "nothing is kept before `finish`"]
pub struct CopyIn {
    /// `None` after the end.
    sink: Option<Pin<Box<CopyInSink<Bytes>>>>,
    lease: Lease,
    inner: Arc<Inner>,
    rows: RowEnds,
    buffer: BytesMut,
    limit: Duration,
}

/// What is sent at once.
const PIECE: usize = 1 << 16;

impl CopyIn {
    pub(crate) async fn start(
        tenant: &Tenant,
        table: &str,
        columns: &[&str],
        format: CopyFormat,
    ) -> Result<Self, RequestError> {
        let inner = Arc::clone(tenant.inner());
        needs_names(&inner)?;
        let snapshot = inner.snapshot.load_full();
        let target = Target::new(&snapshot, table, columns, Some(tenant.id()))?;
        let (text, route) = if let Some((colocation, tenant_type)) = &target.distribution {
            let value = ColumnValue::new(tenant.id(), tenant_type)?;
            let text = value.to_text().ok_or_else(|| TenantIdError::OutOfRange {
                expected: tenant_type.clone(),
            })?;
            let route = snapshot.topology.route_value(colocation, &value);
            (Some(text), route)
        } else {
            let schema = tenant.id().as_schema().ok_or(RequestError::TenantSchema)?;
            let route = snapshot.topology.route_schema(schema);
            (None, route.ok_or(RequestError::UnknownSchema)?)
        };
        let node = snapshot.node(&route);
        let lease = inner.observe(node.acquire().await)?;
        let sql = format!("COPY {} FROM STDIN {}", target.sql, format.options());
        let limit = inner.config().query_timeout;
        let connection = lease.connection()?;
        let in_flight = connection.start();
        let sink = timeout(limit, connection.copy_in(&sql)).await;
        let sink = inner.observe(connection.settle(in_flight, sink, limit))?;
        Ok(Self {
            sink: Some(Box::pin(sink)),
            rows: RowEnds::new(format, text.as_deref()),
            lease,
            inner,
            buffer: BytesMut::new(),
            limit,
        })
    }

    /// Writes rows, in pieces of any size: a row may begin in one and end in another. Waits while the
    /// server is slower, for at most [`Config::query_timeout`](crate::Config::query_timeout).
    ///
    /// # Errors
    /// See [`RequestError`]. Nothing is kept then.
    pub async fn write(&mut self, rows: &[u8]) -> Result<(), RequestError> {
        for piece in rows.chunks(PIECE) {
            let written = self.rows.piece(piece, &mut self.buffer);
            self.checked(written)?;
            if self.buffer.len() >= PIECE {
                self.send().await?;
            }
        }
        Ok(())
    }

    /// Ends the statement, and gives the number of its rows.
    ///
    /// # Errors
    /// See [`RequestError`]. Nothing is kept then, unless the connection was lost at this moment.
    pub async fn finish(mut self) -> Result<u64, RequestError> {
        let written = self.rows.finish(&mut self.buffer);
        self.checked(written)?;
        self.send().await?;
        let Some(mut sink) = self.sink.take() else {
            return Err(self.closed());
        };
        let connection = self.lease.connection()?;
        let in_flight = connection.start();
        let rows = timeout(self.limit, sink.as_mut().finish()).await;
        self.inner
            .observe(connection.settle(in_flight, rows, self.limit))
    }

    async fn send(&mut self) -> Result<(), RequestError> {
        let Some(mut sink) = self.sink.take() else {
            return Err(self.closed());
        };
        let piece = self.buffer.split().freeze();
        let connection = self.lease.connection()?;
        let in_flight = connection.start();
        let sent = timeout(self.limit, sink.send(piece)).await;
        if let Ok(Err(_)) = &sent {
            // What the server refused stands in its answer, which comes at the end.
            let refused = timeout(self.limit, sink.as_mut().finish()).await;
            self.inner
                .observe(connection.settle(in_flight, refused, self.limit))?;
            return Err(self.closed());
        }
        self.inner
            .observe(connection.settle(in_flight, sent, self.limit))?;
        self.sink = Some(sink);
        Ok(())
    }

    /// Rows that would not end where the server ends them must not reach their end.
    fn checked(&mut self, written: Result<(), Problem>) -> Result<(), RequestError> {
        written.map_err(|problem| {
            self.sink = None;
            self.lease.spoil();
            let row = self.rows.row();
            RequestError::CopyRow { row, problem }
        })
    }

    fn closed(&self) -> RequestError {
        self.lease.spoil();
        RequestError::Closed {
            node: self.lease.node().clone(),
        }
    }
}

impl Drop for CopyIn {
    fn drop(&mut self) {
        if self.sink.is_some() {
            self.lease.spoil();
        }
    }
}

impl std::fmt::Debug for CopyIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CopyIn")
            .field("node", self.lease.node())
            .finish_non_exhaustive()
    }
}
