//! Transactions of one tenant.

mod builder;
mod state;

use std::sync::Arc;

use postgres_types::ToSql;
use tokio_postgres::Row;
use tracing::Instrument;

pub use builder::{IsolationLevel, TransactionBuilder};
pub(crate) use state::State;

use crate::error::RequestError;
use crate::request::{Affected, Answer, Complete, OneRow, Rows};
use crate::row_stream::{RowStream, Source};
use crate::sighting::is_still_there;
use crate::snapshot::{Reads, Snapshot};
use crate::tenant::Call;
use crate::{IntoGuarded, TenantId};

/// A transaction of one tenant, on one connection to the node that owns its rows; or a savepoint in
/// one, made by [`Transaction::savepoint`].
///
/// Dropping it rolls back: of a whole transaction in the background, and its connection goes back
/// to the pool only when the server has acknowledged; of a savepoint with the next statement.
///
/// A statement that fails fails the whole transaction, as PostgreSQL has it, or what was done since
/// the savepoint. [`Transaction::commit`] says so, where PostgreSQL would answer `COMMIT` with a
/// rollback.
#[derive(Debug)]
#[must_use = "dropping it rolls back"]
pub struct Transaction<'a> {
    scope: Scope<'a>,
    tenant: TenantId,
    snapshot: Arc<Snapshot>,
    /// Whether all its statements see what the first one saw.
    one_snapshot: bool,
}

/// Whose connection it is, and how deep it is nested.
#[derive(Debug)]
pub(crate) enum Scope<'a> {
    Whole(Arc<State>),
    Savepoint {
        state: &'a State,
        depth: u32,
        open: bool,
    },
}

impl Scope<'_> {
    pub(crate) fn state(&self) -> &State {
        match self {
            Self::Whole(state) => state,
            Self::Savepoint { state, .. } => state,
        }
    }

    /// A savepoint in it.
    pub(crate) async fn nested(&self) -> Result<Scope<'_>, RequestError> {
        let depth = match self {
            Self::Whole(_) => 1,
            Self::Savepoint { depth, .. } => depth + 1,
        };
        let state = self.state();
        state.savepoint(depth).await?;
        Ok(Scope::Savepoint {
            state,
            depth,
            open: true,
        })
    }

    pub(crate) async fn commit(mut self) -> Result<(), RequestError> {
        match &mut self {
            Self::Whole(state) => state.commit().await,
            Self::Savepoint { state, depth, open } => {
                let result = state.release(*depth).await;
                // Either way there is no such savepoint any more.
                *open = !matches!(result, Ok(()) | Err(RequestError::Aborted { .. }));
                result
            }
        }
    }

    pub(crate) async fn rollback(mut self) -> Result<(), RequestError> {
        match &mut self {
            Self::Whole(state) => state.rollback().await,
            Self::Savepoint { state, depth, open } => {
                state.rollback_to(*depth).await?;
                *open = false;
                Ok(())
            }
        }
    }
}

impl Drop for Scope<'_> {
    fn drop(&mut self) {
        if let Self::Savepoint {
            state,
            depth,
            open: true,
        } = self
        {
            state.undo_later(*depth);
        }
    }
}

impl<'a> Transaction<'a> {
    fn new(
        scope: Scope<'a>,
        tenant: TenantId,
        snapshot: Arc<Snapshot>,
        one_snapshot: bool,
    ) -> Self {
        Self {
            scope,
            tenant,
            snapshot,
            one_snapshot,
        }
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
    /// See [`RequestError`]; [`RequestError::RowCount`] for more rows or none, which does not fail
    /// the transaction.
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
    /// See [`RequestError`]; [`RequestError::RowCount`] for more rows, which does not fail the
    /// transaction.
    pub async fn query_opt<S: IntoGuarded>(
        &self,
        statement: S,
        params: S::Params<'_>,
    ) -> Result<Option<Row>, RequestError> {
        let found = self.ask::<OneRow, S>(statement, S::as_slice(params));
        found.await?.at_most_one()
    }

    /// The rows of a statement as they come; with Citus, those of a statement that changes or locks rows, and
    /// all of a transaction of one snapshot, when all are there. Another statement waits until the stream has ended;
    /// dropping the stream before its end ends the transaction.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn query_raw<S: IntoGuarded>(
        &self,
        statement: S,
        params: S::Params<'_>,
    ) -> Result<RowStream<'_>, RequestError> {
        let params = S::as_slice(params);
        let call = self.call(statement, params)?;
        if call.shard.is_some() && (call.waits || self.one_snapshot) {
            let answer = self.ask::<Complete, S>(statement, params).await?;
            return Ok(RowStream::complete(answer));
        }
        let state = self.scope.state();
        let connection = state.connection().await?;
        let request = call.request(params, state.inner());
        let rows = state.noted(request.begin(connection).await)?;
        let source = Source::Transaction(state);
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
        self.ask::<Affected, S>(statement, S::as_slice(params))
            .await
    }

    /// A savepoint: what is done in it can be rolled back alone.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn savepoint(&mut self) -> Result<Transaction<'_>, RequestError> {
        let scope = self.scope.nested().await?;
        Ok(Transaction::new(
            scope,
            self.tenant.clone(),
            Arc::clone(&self.snapshot),
            self.one_snapshot,
        ))
    }

    /// Commits; of a savepoint: keeps what was done in it, as a part of the transaction around it.
    ///
    /// # Errors
    /// [`RequestError::Aborted`] when a statement had failed: everything is rolled back then.
    /// [`RequestError::CommitUnknown`] when no answer came. A deferred constraint that does not
    /// hold is a [`RequestError::Server`], and everything is rolled back. See [`RequestError`].
    pub async fn commit(self) -> Result<(), RequestError> {
        self.scope.commit().await
    }

    /// Rolls back what was done in the transaction or since the savepoint, and waits for it.
    ///
    /// # Errors
    /// See [`RequestError`]; the server rolls back all the same.
    pub async fn rollback(self) -> Result<(), RequestError> {
        self.scope.rollback().await
    }

    async fn ask<A: Answer, S: IntoGuarded>(
        &self,
        statement: S,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<A::Output, RequestError> {
        let call = self.call(statement, params)?;
        let state = self.scope.state();
        let request = call.request(params, state.inner());
        let connection = state.connection().await?;
        let inner = state.inner();
        let watch = inner.config().observers.watch();
        let work = async {
            let answer = match call.shard {
                // It would not see that the shard has changed.
                Some(_) if self.one_snapshot => request.answer::<A>(connection).await?,
                _ => call.answer::<A>(request, connection, inner).await?,
            };
            if let (true, Some(shard)) = (self.one_snapshot, call.shard) {
                Box::pin(is_still_there(shard, connection, request.limit)).await?;
            }
            Ok(answer)
        };
        let answer = work.instrument(call.span()).await;
        let node = state.lease().node();
        watch.ended(call.text(), node, call.reason, &self.tenant, &answer);
        state.noted(answer)
    }

    fn call(
        &self,
        statement: impl IntoGuarded,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Call<'_>, RequestError> {
        let call = Call::new(
            &self.snapshot,
            &self.tenant,
            statement,
            params.len(),
            Reads::AtHome,
        )?;
        let node = self.scope.state().lease().node();
        // With Citus the statement is passed on to the node of its rows.
        if call.node.address() == node {
            return Ok(call);
        }
        if !self.snapshot.topology.forwards() {
            return Err(RequestError::OtherNode { node: node.clone() });
        }
        Ok(call.passed_on())
    }
}
