//! One tenant's way to its rows.

use std::sync::Arc;

use postgres_types::ToSql;
use tenant_guard::{Access, GuardedSql};
use tokio_postgres::Row;

use crate::cluster::Inner;
use crate::connection::Params;
use crate::error::RequestError;
use crate::pool::Lease;
use crate::request::Request;
use crate::row_stream::{RowStream, Source};
use crate::snapshot::{NodeHandle, Snapshot};
use crate::tenant_id::ColumnValue;
use crate::transaction::{Transaction, TransactionBuilder};
use crate::{IntoGuarded, TenantId};

/// One tenant's way to its rows: whatever SQL goes in, the rows of this tenant are all there is for
/// it. Made by [`Cluster::tenant`](crate::Cluster::tenant); cheap to make, to clone and to throw
/// away.
///
/// The words are those of [`tokio_postgres::Client`]. `$1`, `$2`, … are the caller's own
/// parameters; the tenant's value is added by the driver. Each statement goes to the node that
/// owns the tenant's rows, over a connection that is taken from its pool for the time of the call.
/// A future that is dropped before its end has the server stop, and its connection closed.
#[derive(Clone, Debug)]
pub struct Tenant {
    inner: Arc<Inner>,
    id: TenantId,
}

impl Tenant {
    pub(crate) fn new(inner: Arc<Inner>, id: TenantId) -> Self {
        Self { inner, id }
    }

    /// The tenant.
    pub fn id(&self) -> &TenantId {
        &self.id
    }

    /// All rows of a statement.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn query<S: IntoGuarded>(
        &self,
        statement: S,
        params: S::Params<'_>,
    ) -> Result<Vec<Row>, RequestError> {
        let params = S::as_slice(params);
        let call = self.call(statement, params)?;
        let lease = self.lease(&call).await?;
        self.inner.observe(
            call.request(params, &self.inner)
                .rows(lease.connection()?)
                .await,
        )
    }

    /// The only row of a statement.
    ///
    /// # Errors
    /// See [`RequestError`]; [`RequestError::RowCount`] for more rows or none. What the statement
    /// changed stays changed.
    pub async fn query_one<S: IntoGuarded>(
        &self,
        statement: S,
        params: S::Params<'_>,
    ) -> Result<Row, RequestError> {
        let params = S::as_slice(params);
        let call = self.call(statement, params)?;
        let lease = self.lease(&call).await?;
        self.inner.observe(
            call.request(params, &self.inner)
                .one(lease.connection()?)
                .await,
        )
    }

    /// The only row of a statement, if there is one.
    ///
    /// # Errors
    /// See [`RequestError`]; [`RequestError::RowCount`] for more rows.
    pub async fn query_opt<S: IntoGuarded>(
        &self,
        statement: S,
        params: S::Params<'_>,
    ) -> Result<Option<Row>, RequestError> {
        let params = S::as_slice(params);
        let call = self.call(statement, params)?;
        let lease = self.lease(&call).await?;
        let request = call.request(params, &self.inner);
        self.inner
            .observe(request.at_most_one(lease.connection()?).await)
    }

    /// The rows of a statement as they come.
    ///
    /// ```no_run
    /// # async fn example(tenant: citus_client::Tenant) -> Result<(), citus_client::RequestError> {
    /// use futures_util::TryStreamExt;
    ///
    /// let mut rows = tenant.query_raw("SELECT id, title FROM tasks", &[]).await?;
    /// while let Some(row) = rows.try_next().await? {
    ///     println!("{}", row.get::<_, String>("title"));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn query_raw<S: IntoGuarded>(
        &self,
        statement: S,
        params: S::Params<'_>,
    ) -> Result<RowStream<'static>, RequestError> {
        let params = S::as_slice(params);
        let call = self.call(statement, params)?;
        let lease = self.lease(&call).await?;
        let request = call.request(params, &self.inner);
        let rows = self
            .inner
            .observe(request.begin(lease.connection()?).await)?;
        let source = Source::Own(lease, Arc::clone(&self.inner));
        Ok(RowStream::new(rows, source, request.limit))
    }

    /// How many rows a statement changed (of a `SELECT`: gave).
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn execute<S: IntoGuarded>(
        &self,
        statement: S,
        params: S::Params<'_>,
    ) -> Result<u64, RequestError> {
        let params = S::as_slice(params);
        let call = self.call(statement, params)?;
        let lease = self.lease(&call).await?;
        self.inner.observe(
            call.request(params, &self.inner)
                .affected(lease.connection()?)
                .await,
        )
    }

    /// Begins a transaction on the node that owns the tenant's rows, with the server's default
    /// isolation level.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn begin(&self) -> Result<Transaction<'static>, RequestError> {
        self.build_transaction().start().await
    }

    /// For a transaction with another isolation level or access mode.
    pub fn build_transaction(&self) -> TransactionBuilder {
        TransactionBuilder::new(self.clone())
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }

    fn call(
        &self,
        statement: impl IntoGuarded,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Call<'_>, RequestError> {
        // Read once: what is decided below belongs together.
        let snapshot = self.inner.snapshot.load();
        Call::new(&snapshot, &self.id, statement, params.len())
    }

    async fn lease(&self, call: &Call<'_>) -> Result<Lease, RequestError> {
        self.inner.observe(call.node.acquire().await)
    }
}

/// A statement for a tenant, and where it goes.
pub(crate) struct Call<'tenant> {
    guarded: GuardedSql,
    /// What is bound to the tenant parameter, where there is one.
    value: Option<ColumnValue<'tenant>>,
    /// What is sent instead of the guarded text, where it has a place for the tenant's schema.
    in_schema: Option<String>,
    pub(crate) node: Arc<NodeHandle>,
}

impl<'tenant> Call<'tenant> {
    /// Guards, converts, hashes and routes; nothing is awaited.
    pub(crate) fn new(
        snapshot: &Snapshot,
        tenant: &'tenant TenantId,
        statement: impl IntoGuarded,
        given: usize,
    ) -> Result<Self, RequestError> {
        let guarded = statement.into_guarded(&snapshot.guard)?;
        if !snapshot.guard.vouches_for(&guarded) {
            return Err(RequestError::StaleStatement);
        }
        let expected = guarded.caller_params() as usize;
        if expected != given {
            return Err(RequestError::ParameterCount { expected, given });
        }
        let mut in_schema = None;
        let (value, route) = match guarded.access() {
            Access::Tenant {
                colocation,
                tenant_type,
            } => {
                let value = ColumnValue::new(tenant, tenant_type)?;
                let route = snapshot.topology.route_value(colocation, &value);
                (Some(value), route)
            }
            Access::TenantSchema => {
                let name = tenant.as_schema().ok_or(RequestError::TenantSchema)?;
                let schema = snapshot.guard.tenancy().tenant_schema(name)?;
                let route = snapshot.topology.route_schema(name);
                in_schema = guarded.text_for_schema(&schema);
                (None, route.ok_or(RequestError::UnknownSchema)?)
            }
            // Every node can answer; the tenant's own is the one whose connections it has.
            _ => (None, snapshot.home(tenant)),
        };
        tracing::trace!(node = %route.node().address(), reason = %route.reason(), "routed");
        let node = Arc::clone(snapshot.node(&route));
        Ok(Self {
            guarded,
            value,
            in_schema,
            node,
        })
    }

    pub(crate) fn request<'a>(
        &'a self,
        params: &'a [&'a (dyn ToSql + Sync)],
        inner: &Inner,
    ) -> Request<'a> {
        Request {
            text: self.in_schema.as_deref().unwrap_or(self.guarded.text()),
            params: Params::new(params, self.value.as_ref()),
            keep: true,
            limit: inner.config().query_timeout,
        }
    }
}
