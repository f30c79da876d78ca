//! The rows of a tenant's query, as text.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt, stream};
use tenant_guard::{Access, Effect, GuardedSql, TenantType};
use tokio::time::timeout;
use tokio_postgres::CopyOutStream;

use super::{CopyFormat, needs_names};
use crate::cluster::Inner;
use crate::error::RequestError;
use crate::pool::Lease;
use crate::snapshot::Reads;
use crate::tenant::{Call, Tenant};
use crate::tenant_id::{ColumnValue, TenantIdError};

/// The rows of a query as PostgreSQL writes them, in pieces that need not end with a row. Made by
/// [`Tenant::copy_out`]. Dropping it before its end takes its connection with it.
#[must_use = "what is not read to its end takes its connection with it"]
pub struct CopyOut {
    pieces: Pin<Box<CopyOutStream>>,
    /// `None` after the end.
    lease: Option<Lease>,
    inner: Arc<Inner>,
    limit: Duration,
}

impl CopyOut {
    pub(crate) async fn start(
        tenant: &Tenant,
        query: &str,
        format: CopyFormat,
    ) -> Result<Self, RequestError> {
        let inner = Arc::clone(tenant.inner());
        needs_names(&inner)?;
        let snapshot = inner.snapshot.load_full();
        let guarded = snapshot.guard.cached(query)?;
        if guarded.effect() != Effect::Reads {
            return Err(RequestError::NotARead);
        }
        let call = Call::new(&snapshot, tenant.id(), &guarded, 0, Reads::AtHome)?;
        let query = match guarded.access() {
            Access::Tenant { tenant_type, .. } => {
                let value = ColumnValue::new(tenant.id(), tenant_type)?;
                with_literal(&guarded, &literal(&value, tenant_type)?)
            }
            _ => call.text().to_owned(),
        };
        // A comment may end it.
        let query = query.trim_end().trim_end_matches(';');
        let sql = format!("COPY ({query}\n) TO STDOUT {}", format.options());
        let lease = inner.observe(call.node.acquire().await)?;
        let limit = inner.config().query_timeout;
        let connection = lease.connection()?;
        let in_flight = connection.start();
        let pieces = timeout(limit, connection.copy_out(&sql)).await;
        let pieces = inner.observe(connection.settle(in_flight, pieces, limit))?;
        Ok(Self {
            pieces: Box::pin(pieces),
            lease: Some(lease),
            inner,
            limit,
        })
    }

    /// The next piece, or `None` at the end. Waits at most
    /// [`Config::query_timeout`](crate::Config::query_timeout).
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn next(&mut self) -> Result<Option<Bytes>, RequestError> {
        let Some(lease) = &self.lease else {
            return Ok(None);
        };
        let connection = lease.connection()?;
        let in_flight = connection.start();
        let piece = timeout(self.limit, self.pieces.try_next()).await;
        let piece = self
            .inner
            .observe(connection.settle(in_flight, piece, self.limit));
        if !matches!(piece, Ok(Some(_))) {
            self.lease = None;
        }
        piece
    }

    /// The pieces as a stream.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, RequestError>> + Send {
        stream::try_unfold(self, |mut rows| async move {
            let piece = rows.next().await?;
            Ok(piece.map(|piece| (piece, rows)))
        })
    }
}

impl Drop for CopyOut {
    fn drop(&mut self) {
        if let Some(lease) = &self.lease {
            lease.spoil();
        }
    }
}

impl std::fmt::Debug for CopyOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CopyOut")
            .field("ended", &self.lease.is_none())
            .finish_non_exhaustive()
    }
}

/// The certified text with a value in each place of the tenant's parameter: `COPY` takes none.
fn with_literal(guarded: &GuardedSql, value: &str) -> String {
    let mut text = guarded.text().to_owned();
    for slot in guarded.tenant_param_slots().iter().rev() {
        text.replace_range(slot.clone(), value);
    }
    text
}

/// A text whose end no setting of the session can move.
fn literal(value: &ColumnValue<'_>, tenant_type: &TenantType) -> Result<String, TenantIdError> {
    let text = value.to_text().ok_or_else(|| TenantIdError::OutOfRange {
        expected: tenant_type.clone(),
    })?;
    let escaped = text.replace('\\', r"\\").replace('\'', r"\'");
    Ok(format!("E'{escaped}'::{tenant_type}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TenantId;

    #[test]
    fn a_quote_does_not_end_a_text() {
        let tenant = TenantId::from("o'Neil\\'");
        let value = ColumnValue::new(&tenant, &TenantType::Text).unwrap();
        let written = literal(&value, &TenantType::Text).unwrap();
        assert_eq!(written, r"E'o\'Neil\\\''::text");
    }
}
