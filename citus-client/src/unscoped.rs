//! SQL that is not restricted to a tenant.

use std::borrow::Cow;
use std::sync::Arc;

use postgres_types::ToSql;
use tokio_postgres::Row;
use tracing::{Instrument, Span, info_span};

use crate::cluster::Inner;
use crate::connection::Params;
use crate::error::RequestError;
use crate::pool::Lease;
use crate::request::{Affected, Answer, OneRow, Request, Rows};
use crate::row_stream::{RowStream, Source};
use crate::transaction::{Scope, State};

/// SQL that is not restricted to a tenant: what is written is what is sent, to the coordinator.
/// Made by [`Cluster::unscoped`](crate::Cluster::unscoped), with a reason that stands in the trace.
///
/// Nobody has checked what the SQL does to its session, so the session is reset before its
/// connection goes back to the pool (`DISCARD ALL`), and closed when that fails, as it does in a
/// transaction that was begun by hand.
#[derive(Clone, Debug)]
pub struct Unscoped {
    inner: Arc<Inner>,
    reason: Cow<'static, str>,
}

impl Unscoped {
    pub(crate) fn new(inner: Arc<Inner>, reason: Cow<'static, str>) -> Self {
        Self { inner, reason }
    }

    /// All rows of a statement.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn query(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, RequestError> {
        self.ask::<Rows>(sql, params).await
    }

    /// The only row of a statement.
    ///
    /// # Errors
    /// See [`RequestError`]; [`RequestError::RowCount`] for more rows or none.
    pub async fn query_one(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Row, RequestError> {
        self.ask::<OneRow>(sql, params).await?.one()
    }

    /// The only row of a statement, if there is one.
    ///
    /// # Errors
    /// See [`RequestError`]; [`RequestError::RowCount`] for more rows.
    pub async fn query_opt(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, RequestError> {
        self.ask::<OneRow>(sql, params).await?.at_most_one()
    }

    /// The rows of a statement as they come.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn query_raw(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<RowStream<'static>, RequestError> {
        let work = async {
            let lease = self.lease().await?;
            let request = request(&self.inner, sql, params);
            let rows = self
                .inner
                .observe(request.begin(lease.connection()?).await)?;
            let source = Source::Own(lease, Arc::clone(&self.inner));
            Ok(RowStream::new(rows, source, request.limit))
        };
        work.instrument(self.span()).await
    }

    /// How many rows a statement changed (of a `SELECT`: gave).
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn execute(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, RequestError> {
        self.ask::<Affected>(sql, params).await
    }

    /// Several statements in one text, without parameters and rows, in one transaction unless the
    /// text says otherwise: a migration, for example.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn batch_execute(&self, script: &str) -> Result<(), RequestError> {
        let work = async {
            let lease = self.lease().await?;
            let limit = self.inner.config().query_timeout;
            self.inner
                .observe(lease.connection()?.run(script, limit).await)
        };
        work.instrument(self.span()).await
    }

    /// Begins a transaction on the coordinator.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn begin(&self) -> Result<UnscopedTransaction<'static>, RequestError> {
        let span = self.span();
        let work = async {
            let lease = self.lease().await?;
            let state = State::begin(lease, &self.inner, "BEGIN").await?;
            Ok(UnscopedTransaction {
                scope: Scope::Whole(Arc::new(state)),
                span: span.clone(),
            })
        };
        work.instrument(span.clone()).await
    }

    async fn ask<A: Answer>(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<A::Output, RequestError> {
        let work = async {
            let lease = self.lease().await?;
            let request = request(&self.inner, sql, params);
            self.inner
                .observe(request.answer::<A>(lease.connection()?).await)
        };
        work.instrument(self.span()).await
    }

    fn span(&self) -> Span {
        info_span!("unscoped", reason = %self.reason)
    }

    async fn lease(&self) -> Result<Lease, RequestError> {
        let coordinator = Arc::clone(self.inner.snapshot.load().coordinator());
        let lease = self.inner.observe(coordinator.acquire().await)?;
        Ok(lease.session_may_change())
    }
}

/// A transaction that is not restricted to a tenant; or a savepoint in one. It ends as
/// [`Transaction`](crate::Transaction) does.
#[derive(Debug)]
#[must_use = "dropping it rolls back"]
pub struct UnscopedTransaction<'a> {
    scope: Scope<'a>,
    span: Span,
}

impl UnscopedTransaction<'_> {
    /// All rows of a statement.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn query(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, RequestError> {
        self.ask::<Rows>(sql, params).await
    }

    /// The only row of a statement.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn query_one(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Row, RequestError> {
        self.ask::<OneRow>(sql, params).await?.one()
    }

    /// The only row of a statement, if there is one.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn query_opt(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, RequestError> {
        self.ask::<OneRow>(sql, params).await?.at_most_one()
    }

    /// The rows of a statement as they come; see
    /// [`Transaction::query_raw`](crate::Transaction::query_raw).
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn query_raw(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<RowStream<'_>, RequestError> {
        let state = self.scope.state();
        let work = async {
            let request = request(state.inner(), sql, params);
            let rows = state.noted(request.begin(state.connection().await?).await)?;
            Ok(RowStream::new(
                rows,
                Source::Transaction(state),
                request.limit,
            ))
        };
        work.instrument(self.span.clone()).await
    }

    /// How many rows a statement changed (of a `SELECT`: gave).
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn execute(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, RequestError> {
        self.ask::<Affected>(sql, params).await
    }

    /// Several statements in one text, without parameters and rows.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn batch_execute(&self, script: &str) -> Result<(), RequestError> {
        let state = self.scope.state();
        let work = async {
            let limit = state.inner().config().query_timeout;
            state.noted(state.connection().await?.run(script, limit).await)
        };
        work.instrument(self.span.clone()).await
    }

    async fn ask<A: Answer>(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<A::Output, RequestError> {
        let state = self.scope.state();
        let work = async {
            let request = request(state.inner(), sql, params);
            state.noted(request.answer::<A>(state.connection().await?).await)
        };
        work.instrument(self.span.clone()).await
    }

    /// A savepoint: what is done in it can be rolled back alone.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn savepoint(&mut self) -> Result<UnscopedTransaction<'_>, RequestError> {
        let span = self.span.clone();
        let scope = self.scope.nested().instrument(span.clone()).await?;
        Ok(UnscopedTransaction { scope, span })
    }

    /// Commits; see [`Transaction::commit`](crate::Transaction::commit).
    ///
    /// # Errors
    /// See [`Transaction::commit`](crate::Transaction::commit).
    pub async fn commit(self) -> Result<(), RequestError> {
        self.scope.commit().instrument(self.span).await
    }

    /// Rolls back, and waits for it.
    ///
    /// # Errors
    /// See [`RequestError`]; the server rolls back all the same.
    pub async fn rollback(self) -> Result<(), RequestError> {
        self.scope.rollback().instrument(self.span).await
    }
}

fn request<'a>(inner: &Inner, text: &'a str, params: &'a [&'a (dyn ToSql + Sync)]) -> Request<'a> {
    Request {
        text,
        params: Params::new(params, None),
        // The reset after it would throw the statement away.
        keep: false,
        limit: inner.config().query_timeout,
    }
}
