//! One tenant's way to its rows.

use std::sync::Arc;

use postgres_types::ToSql;
use tenant_guard::{Effect, GuardedSql};
use tokio_postgres::Row;
use tracing::{Instrument, Span};

use crate::cluster::Inner;
use crate::connection::{Connection, Params};
use crate::copy::{CopyFormat, CopyIn, CopyOut};
use crate::error::RequestError;
use crate::observer::operation;
use crate::pool::Lease;
use crate::request::{Affected, Answer, Complete, OneRow, Request, Rows};
use crate::retry::{Repeatable, Retries};
use crate::row_stream::{RowStream, Source};
use crate::snapshot::{NodeHandle, Reads, Routed, Snapshot};
use crate::tenant_id::ColumnValue;
use crate::transaction::{Transaction, TransactionBuilder};
use crate::{IntoGuarded, RouteReason, TenantId};

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
    idempotent: bool,
    reads: Reads,
}

impl Tenant {
    pub(crate) fn new(inner: Arc<Inner>, id: TenantId) -> Self {
        Self {
            inner,
            id,
            idempotent: false,
            reads: Reads::ByPolicy,
        }
    }

    /// The same tenant, with the promise that doing a statement twice does what doing it once does: a
    /// write is then repeated also when nobody knows whether the first one was done, because its connection
    /// was lost. Transactions are not concerned.
    ///
    /// ```no_run
    /// # async fn example(tenant: citus_client::Tenant) -> Result<(), citus_client::RequestError> {
    /// let set = "UPDATE projects SET name = $2 WHERE id = $1";
    /// tenant.idempotent().execute(set, &[&7_i64, &"Apollo"]).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn idempotent(&self) -> Self {
        Self {
            idempotent: true,
            ..self.clone()
        }
    }

    /// The same tenant, whose reads may be answered by a standby of the node with its rows
    /// (`noderole` secondary), where there is one; [`ReadPolicy`](crate::ReadPolicy) says which. Whatever
    /// writes or locks rows, and transactions, go where they always go.
    ///
    /// A standby is behind, for as long as it takes to repeat what its primary did: **a row that was just
    /// written may not be there yet**, and two reads can see the tenant's rows in the wrong order of time.
    ///
    /// ```no_run
    /// # async fn example(tenant: citus_client::Tenant) -> Result<(), citus_client::RequestError> {
    /// let report = "SELECT count(*) FROM tasks WHERE done";
    /// let row = tenant.stale_reads().query_one(report, &[]).await?;
    /// # let _ = row;
    /// # Ok(())
    /// # }
    /// ```
    pub fn stale_reads(&self) -> Self {
        Self {
            reads: Reads::Stale,
            ..self.clone()
        }
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
        self.ask::<Rows, S>(statement, S::as_slice(params)).await
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
        let found = self.ask::<OneRow, S>(statement, S::as_slice(params));
        found.await?.one()
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
        let found = self.ask::<OneRow, S>(statement, S::as_slice(params));
        found.await?.at_most_one()
    }

    /// The rows of a statement as they come; with Citus, those of a statement that changes or locks rows when
    /// all are there.
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
        let mut error = match self.stream(statement, params).await {
            Ok(rows) => return Ok(rows),
            Err(error) => error,
        };
        Box::pin(async move {
            let mut retries = self.retries(statement);
            loop {
                retries.pause(error).await?;
                match self.stream(statement, params).await {
                    Ok(rows) => return Ok(rows),
                    Err(again) => error = again,
                }
            }
        })
        .await
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
        self.ask::<Affected, S>(statement, S::as_slice(params))
            .await
    }

    /// Runs a transaction, and commits it where `work` ends well. It is run again from its beginning
    /// where that may help: after a serialization failure, a deadlock, a shard that moved, a connection that
    /// was lost before `COMMIT` was sent. So `work` may do nothing outside of the transaction that must
    /// not be done twice. It may end the transaction itself; what it gives is the result then. How often and how long it is tried is [`RetryPolicy`](crate::RetryPolicy)'s to
    /// say.
    ///
    /// ```no_run
    /// # async fn example(tenant: citus_client::Tenant) -> Result<(), citus_client::RequestError> {
    /// let left: i64 = tenant
    ///     .transaction(|tx| async move {
    ///         tx.execute("UPDATE stock SET n = n - 1 WHERE id = $1 AND n > 0", &[&7_i64]).await?;
    ///         let row = tx.query_one("SELECT n FROM stock WHERE id = $1", &[&7_i64]).await?;
    ///         Ok::<_, citus_client::RequestError>(row.get(0))
    ///     })
    ///     .await?;
    /// # let _ = left;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What `work` gave, after a rollback; or a [`RequestError`] of the transaction itself. It is never run
    /// again after [`RequestError::CommitUnknown`].
    pub async fn transaction<T, E, F>(
        &self,
        work: impl FnMut(Transaction<'static>) -> F,
    ) -> Result<T, E>
    where
        E: From<RequestError>,
        F: Future<Output = Result<T, E>>,
    {
        self.build_transaction().run(work).await
    }

    /// Begins a transaction on the node that owns the tenant's rows, with the server's default
    /// isolation level. It is run once; [`Tenant::transaction`] repeats what failed for a while.
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

    /// Copies rows into one of the tenant's tables by `COPY … FROM STDIN`: they are the columns that are named
    /// here, and the driver writes the tenant behind them. Names are as stored; the tenant column is not
    /// among them.
    ///
    /// ```no_run
    /// # async fn example(tenant: citus_client::Tenant) -> Result<(), citus_client::RequestError> {
    /// use citus_client::CopyFormat;
    ///
    /// let csv = CopyFormat::Csv { header: false };
    /// let mut rows = tenant.copy_in("tasks", &["id", "title"], csv).await?;
    /// rows.write(b"1,Read\n2,\"Read, and write\"\n").await?;
    /// assert_eq!(rows.finish().await?, 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn copy_in(
        &self,
        table: &str,
        columns: &[&str],
        format: CopyFormat,
    ) -> Result<CopyIn, RequestError> {
        CopyIn::start(self, table, columns, format).await
    }

    /// The rows of a query without parameters, by `COPY … TO STDOUT`.
    ///
    /// ```no_run
    /// # async fn example(tenant: citus_client::Tenant) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::io::Write;
    /// use citus_client::CopyFormat;
    ///
    /// let csv = CopyFormat::Csv { header: true };
    /// let mut rows = tenant.copy_out("SELECT id, title FROM tasks ORDER BY id", csv).await?;
    /// while let Some(piece) = rows.next().await? {
    ///     std::io::stdout().write_all(&piece)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`RequestError`]; [`RequestError::NotARead`] for what writes or locks rows.
    pub async fn copy_out(&self, query: &str, format: CopyFormat) -> Result<CopyOut, RequestError> {
        CopyOut::start(self, query, format).await
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }

    /// A whole answer, after as many attempts as it takes and the policy allows.
    pub(crate) async fn ask<A: Answer, S: IntoGuarded>(
        &self,
        statement: S,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<A::Output, RequestError> {
        match self.attempt::<A, S>(statement, params).await {
            Ok(answer) => Ok(answer),
            // What happens seldom is boxed, so that what happens always stays small.
            Err(error) => Box::pin(self.repeat::<A, S>(statement, params, error)).await,
        }
    }

    /// The same after the first attempt failed.
    pub(crate) async fn repeat<A: Answer, S: IntoGuarded>(
        &self,
        statement: S,
        params: &[&(dyn ToSql + Sync)],
        mut error: RequestError,
    ) -> Result<A::Output, RequestError> {
        let mut retries = self.retries(statement);
        loop {
            retries.pause(error).await?;
            match self.attempt::<A, S>(statement, params).await {
                Ok(answer) => return Ok(answer),
                Err(again) => error = again,
            }
        }
    }

    async fn attempt<A: Answer, S: IntoGuarded>(
        &self,
        statement: S,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<A::Output, RequestError> {
        let call = self.call(statement, params)?;
        let mut watch = self.inner.config().observers.watch();
        let work = async {
            let lease = self.lease(&call).await?;
            watch.acquired();
            let request = call.request(params, &self.inner);
            call.answer::<A>(request, lease.connection()?, &self.inner)
                .await
        };
        let answer = work.instrument(call.span()).await;
        watch.ended(
            call.text(),
            call.node.address(),
            call.reason,
            &self.id,
            &answer,
        );
        self.inner.observe(answer)
    }

    async fn stream<S: IntoGuarded>(
        &self,
        statement: S,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<RowStream<'static>, RequestError> {
        let call = self.call(statement, params)?;
        if call.is_watched() {
            let answer = Box::pin(self.attempt::<Complete, S>(statement, params)).await?;
            return Ok(RowStream::complete(answer));
        }
        let mut watch = self.inner.config().observers.watch();
        let request = call.request(params, &self.inner);
        let work = async {
            let lease = self.lease(&call).await?;
            watch.acquired();
            let rows = request.begin(lease.connection()?).await?;
            Ok((rows, lease))
        };
        let begun = work.instrument(call.span()).await;
        watch.ended(
            call.text(),
            call.node.address(),
            call.reason,
            &self.id,
            &begun,
        );
        let (rows, lease) = self.inner.observe(begun)?;
        let source = Source::Own(lease, Arc::clone(&self.inner));
        Ok(RowStream::new(rows, source, request.limit))
    }

    fn retries(&self, statement: impl IntoGuarded) -> Retries<'_> {
        let guarded = statement.into_guarded(&self.inner.snapshot.load().guard);
        // What is not accepted is not repeated either.
        let reads = guarded.is_ok_and(|guarded| !guarded.writes());
        let repeatable = if reads || self.idempotent {
            Repeatable::Harmless
        } else {
            Repeatable::Write
        };
        Retries::new(&self.inner, repeatable)
    }

    fn call(
        &self,
        statement: impl IntoGuarded,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Call<'_>, RequestError> {
        // Read once: what is decided below belongs together.
        let snapshot = self.inner.snapshot.load();
        Call::new(&snapshot, &self.id, statement, params.len(), self.reads)
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
    pub(crate) reason: RouteReason,
    /// The shard of the rows on this node.
    pub(crate) shard: Option<i64>,
    /// Whether the statement waits for changes of its shard, so that an answer without rows may be wrong
    /// after one.
    pub(crate) waits: bool,
}

impl<'tenant> Call<'tenant> {
    /// Guards, converts, hashes and routes; nothing is awaited.
    pub(crate) fn new(
        snapshot: &Snapshot,
        tenant: &'tenant TenantId,
        statement: impl IntoGuarded,
        given: usize,
        reads: Reads,
    ) -> Result<Self, RequestError> {
        let guarded = statement.into_guarded(&snapshot.guard)?;
        if !snapshot.guard.vouches_for(&guarded) {
            return Err(RequestError::StaleStatement);
        }
        let expected = guarded.caller_params() as usize;
        if expected != given {
            return Err(RequestError::ParameterCount { expected, given });
        }
        let Routed {
            route,
            value,
            in_schema,
        } = snapshot.routed(&guarded, tenant, reads)?;
        tracing::trace!(node = %route.node().address(), reason = %route.reason(), "routed");
        let node = Arc::clone(snapshot.node(&route));
        let waits = matches!(guarded.effect(), Effect::Changes | Effect::Locks);
        Ok(Self {
            guarded,
            value,
            in_schema,
            node,
            reason: route.reason(),
            shard: route.shard(),
            waits,
        })
    }

    /// The same over another node, which passes the statement on. The owner then takes its snapshot
    /// when it has the locks.
    pub(crate) fn passed_on(self) -> Self {
        Self {
            shard: None,
            ..self
        }
    }

    /// The whole answer, as it may be believed.
    pub(crate) async fn answer<A: Answer>(
        &self,
        request: Request<'_>,
        connection: &Connection,
        inner: &Inner,
    ) -> Result<A::Output, RequestError> {
        match self.shard {
            // What happens seldom is boxed, so that what happens always stays small.
            Some(shard) if self.waits => {
                Box::pin(inner.sightings.answer::<A>(shard, request, connection)).await
            }
            _ => request.answer::<A>(connection).await,
        }
    }

    /// With the names of OpenTelemetry's conventions for database clients.
    pub(crate) fn span(&self) -> Span {
        let node = self.node.address();
        tracing::debug_span!(
            "request",
            otel.kind = "client",
            db.system.name = "postgresql",
            db.operation.name = operation(self.text()),
            server.address = %node.host,
            server.port = node.port,
            citus.route = self.reason.as_str(),
        )
    }

    /// Whether an answer without rows may be wrong.
    pub(crate) fn is_watched(&self) -> bool {
        self.shard.is_some() && self.waits
    }

    /// What is sent.
    pub(crate) fn text(&self) -> &str {
        self.in_schema.as_deref().unwrap_or(self.guarded.text())
    }

    pub(crate) fn request<'a>(
        &'a self,
        params: &'a [&'a (dyn ToSql + Sync)],
        inner: &Inner,
    ) -> Request<'a> {
        Request {
            text: self.text(),
            params: Params::new(params, self.value.as_ref()),
            keep: true,
            limit: inner.config().query_timeout,
        }
    }
}
