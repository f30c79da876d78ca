//! Many statements at once.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use postgres_types::ToSql;
use tracing::Instrument;

use crate::cluster::Inner;
use crate::error::RequestError;
use crate::request::{Complete, CompleteAnswer};
use crate::snapshot::Reads;
use crate::tenant::Call;
use crate::{NodeAddress, Tenant, TenantId};

/// Statements of one tenant or of many, sent together: all that go to one node over one connection,
/// one behind the other without waiting for answers, and to several nodes at the same time. Made by
/// [`Cluster::batch`](crate::Cluster::batch).
///
/// Each statement is a transaction of its own: one that fails does not touch the others. For
/// statements that belong together there is [`Tenant::transaction`], in which they can be sent together
/// by `tokio::join!`. Statements that go to one node are begun in the order in which they were added; only
/// those that are repeated come later. Each has [`Config::query_timeout`](crate::Config::query_timeout) from
/// when it was sent, also while it waits for those before it.
///
/// ```no_run
/// # async fn example(cluster: citus_client::Cluster) -> Result<(), citus_client::RequestError> {
/// let mut batch = cluster.batch();
/// for (tenant, project) in [(42, 1_i64), (43, 7)] {
///     batch.add(tenant, "UPDATE projects SET done = true WHERE id = 1", &[]);
///     # let _ = project;
/// }
/// for answer in batch.run().await {
///     println!("{} rows", answer?.affected);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is sent before `run`"]
pub struct Batch<'a> {
    inner: Arc<Inner>,
    items: Vec<Item<'a>>,
    nodes_at_once: usize,
}

struct Item<'a> {
    tenant: Tenant,
    sql: &'a str,
    params: Vec<&'a (dyn ToSql + Sync)>,
}

impl std::fmt::Debug for Item<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Its text can hold values.
        f.debug_struct("Item").finish_non_exhaustive()
    }
}

/// How many statements are under way on a connection at the same time: their answers are held by the
/// server until they are read.
const WINDOW: usize = 128;

/// How many statements that are repeated are under way at the same time.
const REPEATED_AT_ONCE: usize = 8;

impl<'a> Batch<'a> {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        Self {
            inner,
            items: Vec::new(),
            nodes_at_once: 16,
        }
    }

    /// Adds a statement.
    pub fn add(
        &mut self,
        tenant: impl Into<TenantId>,
        sql: &'a str,
        params: &[&'a (dyn ToSql + Sync)],
    ) -> &mut Self {
        let tenant = Tenant::new(Arc::clone(&self.inner), tenant.into());
        self.items.push(Item {
            tenant,
            sql,
            params: params.to_vec(),
        });
        self
    }

    /// With how many nodes it is worked at the same time (16; at least 1).
    pub fn nodes_at_once(&mut self, nodes: usize) -> &mut Self {
        self.nodes_at_once = nodes.max(1);
        self
    }

    /// How many statements there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Sends the statements; their answers come in the order in which they were added. What failed for a
    /// while is repeated as a statement alone would be, see [`RetryPolicy`](crate::RetryPolicy).
    pub async fn run(self) -> Vec<Result<CompleteAnswer, RequestError>> {
        let first = self.first_attempts().await;
        let items = self.items.iter().zip(first);
        let answers = items.map(|(item, attempt)| async move {
            let Item {
                tenant,
                sql,
                params,
            } = item;
            match attempt {
                Attempt::Done(answer) => Ok(answer),
                Attempt::Doubtful => tenant.ask::<Complete, _>(*sql, params).await,
                Attempt::Failed(error) => tenant.repeat::<Complete, _>(*sql, params, error).await,
            }
        });
        let answers = stream::iter(answers).buffered(REPEATED_AT_ONCE);
        answers.collect().await
    }

    async fn first_attempts(&self) -> Vec<Attempt> {
        let snapshot = self.inner.snapshot.load_full();
        let mut attempts = Vec::with_capacity(self.items.len());
        let mut nodes: HashMap<NodeAddress, Vec<(usize, Call<'_>)>> = HashMap::new();
        for (index, item) in self.items.iter().enumerate() {
            match Call::new(
                &snapshot,
                item.tenant.id(),
                item.sql,
                item.params.len(),
                Reads::AtHome,
            ) {
                Ok(call) => {
                    let node = nodes.entry(call.node.address().clone());
                    node.or_default().push((index, call));
                    // Until it has been sent.
                    attempts.push(Attempt::Doubtful);
                }
                Err(error) => attempts.push(Attempt::Failed(error)),
            }
        }
        let nodes = nodes.into_values().map(|calls| self.on_node(calls));
        let mut done = stream::iter(nodes).buffer_unordered(self.nodes_at_once);
        while let Some(of_node) = done.next().await {
            for (index, attempt) in of_node {
                if let Some(place) = attempts.get_mut(index) {
                    *place = attempt;
                }
            }
        }
        drop(done);
        attempts
    }

    /// All statements that go to one node.
    async fn on_node(&self, calls: Vec<(usize, Call<'_>)>) -> Vec<(usize, Attempt)> {
        let mut attempts = Vec::with_capacity(calls.len());
        let Some((_, first)) = calls.first() else {
            return attempts;
        };
        // Without a connection each is tried by itself, and says why it cannot be done.
        let Ok(lease) = self.inner.observe(first.node.acquire().await) else {
            return attempts;
        };
        for window in calls.chunks(WINDOW) {
            let Ok(connection) = lease.connection() else {
                return attempts;
            };
            // First all that are new, so that none of them is overtaken.
            let limit = self.inner.config().query_timeout;
            let texts = window.iter().map(|(_, call)| call.text());
            let prepared = join_all(texts.map(|text| connection.prepare_once(text, limit)));
            // What cannot be prepared says so when it is sent.
            drop(prepared.await);
            if lease.connection().is_err() {
                return attempts;
            }
            let answers = window.iter().map(|(index, call)| async move {
                let item = self.items.get(*index)?;
                let watch = self.inner.config().observers.watch();
                let request = call.request(&item.params, &self.inner);
                let answer = request.answer::<Complete>(connection);
                let answer = answer.instrument(call.span()).await;
                let (node, tenant) = (call.node.address(), item.tenant.id());
                watch.ended(call.text(), node, call.reason, tenant, &answer);
                Some((*index, call.attempt(self.inner.observe(answer))))
            });
            attempts.extend(join_all(answers).await.into_iter().flatten());
        }
        attempts
    }
}

/// What came of a statement when it was first sent.
enum Attempt {
    Done(CompleteAnswer),
    /// It was not sent, or its answer is not to be believed before its shard was looked at.
    Doubtful,
    Failed(RequestError),
}

impl Call<'_> {
    fn attempt(&self, answer: Result<CompleteAnswer, RequestError>) -> Attempt {
        match answer {
            Ok(answer) if answer.affected == 0 && self.is_watched() => Attempt::Doubtful,
            Ok(answer) => Attempt::Done(answer),
            Err(error) => Attempt::Failed(error),
        }
    }
}
