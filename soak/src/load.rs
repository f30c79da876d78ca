//! The application: clients that read and write for many tenants, through the driver alone.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use citus_client::{Cluster, RequestError, Row, SqlState, Tenant, Transaction};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::journal::{Entry, Journal, Outcome, Write};
use crate::tally::Tally;
use crate::violations::Violations;

/// How many of its own rows a client remembers, to read and delete them.
const REMEMBERED: usize = 64;
/// After an error, as an application would.
const BACK_OFF: Duration = Duration::from_millis(20);
/// How many tenants that are not served are asked for at a time, and how often.
pub(crate) const FOLLOWERS: usize = 32;
const PROBE: Duration = Duration::from_millis(200);

/// What all clients share.
pub(crate) struct Load {
    pub(crate) cluster: Cluster,
    pub(crate) tenants: i64,
    pub(crate) journal: Journal,
    pub(crate) tally: Arc<Tally>,
    pub(crate) violations: Arc<Violations>,
    pub(crate) stop: AtomicBool,
    pub(crate) followers: Arc<Semaphore>,
    pub(crate) next_id: AtomicI64,
}

/// One client.
struct Client {
    load: Arc<Load>,
    random: StdRng,
    /// Rows of its own that are there for certain.
    rows: VecDeque<(i64, i64)>,
}

/// Works until it is told to stop.
pub(crate) async fn work(load: Arc<Load>, seed: u64) -> anyhow::Result<()> {
    let mut client = Client {
        load,
        random: StdRng::seed_from_u64(seed),
        rows: VecDeque::new(),
    };
    while !client.load.stop.load(Ordering::Acquire) {
        let succeeded = match client.random.random_range(0..100) {
            0..35 => client.read_own().await,
            35..50 => client.read_many().await,
            50..65 => client.insert().await?,
            65..80 => client.count().await?,
            80..85 => client.delete().await?,
            _ => client.transfer().await?,
        };
        if !succeeded {
            tokio::time::sleep(BACK_OFF).await;
        }
    }
    Ok(())
}

impl Client {
    /// A row that was acknowledged is seen, once.
    async fn read_own(&mut self) -> bool {
        if self.rows.is_empty() {
            return self.read_many().await;
        }
        let (tenant, id) = self.rows[self.random.random_range(0..self.rows.len())];
        let sql = "SELECT tenant_id, id FROM entries WHERE id = $1";
        let begun = Instant::now();
        let result = self.tenant(tenant).query(sql, &[&id]).await;
        self.seen("read", tenant, begun, &result);
        let Ok(rows) = result else { return false };
        self.check_owner(tenant, &rows);
        match rows.len() {
            1 => {}
            0 => self.violated("a read misses an acknowledged row", tenant, id),
            _ => self.violated("a read sees a row more than once", tenant, id),
        }
        true
    }

    async fn read_many(&mut self) -> bool {
        let tenant = self.some_tenant();
        let sql = "SELECT e.tenant_id, e.id, c.tenant_id FROM entries e JOIN counters c ON true
                   ORDER BY e.id DESC LIMIT 20";
        let begun = Instant::now();
        let result = self.tenant(tenant).query(sql, &[]).await;
        self.seen("read", tenant, begun, &result);
        let Ok(rows) = result else { return false };
        self.check_owner(tenant, &rows);
        true
    }

    async fn insert(&mut self) -> anyhow::Result<bool> {
        let (tenant, id) = (self.some_tenant(), self.new_id());
        let begun = Instant::now();
        let insert = "INSERT INTO entries (id) VALUES ($1)";
        let result = self.tenant(tenant).execute(insert, &[&id]).await;
        self.seen("write", tenant, begun, &result);
        self.note(tenant, Write::Insert(id), outcome(&result))?;
        if matches!(result, Ok(affected) if affected != 1) {
            self.violated("an INSERT reports other than 1 row", tenant, id);
        }
        if result.is_ok() {
            self.remember(tenant, id);
        }
        Ok(result.is_ok())
    }

    async fn count(&mut self) -> anyhow::Result<bool> {
        let tenant = self.some_tenant();
        let begun = Instant::now();
        let result = self.tenant(tenant).execute(COUNT, &[]).await;
        self.seen("write", tenant, begun, &result);
        let outcome = match result {
            // Nothing was done, and the caller was told so, however wrong that is.
            Ok(0) => {
                self.violated("an UPDATE of a row that is there reports 0 rows", tenant, 0);
                Outcome::Refused
            }
            Ok(1) | Err(_) => outcome(&result),
            Ok(_) => {
                self.violated("an UPDATE of one row reports several", tenant, 0);
                Outcome::Unknown
            }
        };
        self.note(tenant, Write::Count, outcome)?;
        Ok(result.is_ok())
    }

    async fn delete(&mut self) -> anyhow::Result<bool> {
        let Some((tenant, id)) = self.rows.pop_front() else {
            return self.insert().await;
        };
        let begun = Instant::now();
        let delete = "DELETE FROM entries WHERE id = $1";
        let result = self.tenant(tenant).execute(delete, &[&id]).await;
        self.seen("write", tenant, begun, &result);
        let outcome = match result {
            Ok(0) => {
                self.violated("a DELETE of a row that is there reports 0 rows", tenant, id);
                Outcome::Refused
            }
            Ok(_) | Err(_) => outcome(&result),
        };
        self.note(tenant, Write::Delete(id), outcome)?;
        Ok(result.is_ok())
    }

    /// Half of them by themselves, half as a closure that the driver may run again.
    async fn transfer(&mut self) -> anyhow::Result<bool> {
        let tenant = self.some_tenant();
        let transfer = Transfer {
            tenant,
            id: self.new_id(),
            count_first: self.random.random_bool(0.5),
            gives_up: self.random.random_bool(0.1),
            repeats: self.random.random_bool(0.5),
        };
        let commits = AtomicBool::new(false);
        let begun = Instant::now();
        let handle = self.tenant(tenant);
        let result = if transfer.repeats {
            let work = |transaction| self.carry_out(transaction, transfer, &commits);
            handle.transaction(work).await
        } else {
            match handle.begin().await {
                Ok(transaction) => self.carry_out(transaction, transfer, &commits).await,
                Err(error) => Err(error),
            }
        };
        self.seen("transaction", tenant, begun, &result);
        let outcome = match &result {
            Ok(true) => Outcome::Acknowledged,
            Err(error) if commits.into_inner() => of_error(error),
            // Without a COMMIT the server rolls back.
            Ok(false) | Err(_) => Outcome::Refused,
        };
        self.note(tenant, Write::Transfer(transfer.id), outcome)?;
        if outcome == Outcome::Acknowledged {
            self.remember(tenant, transfer.id);
        }
        Ok(result.is_ok())
    }

    /// Whether it is committed, or to be, and not rolled back.
    async fn carry_out(
        &self,
        transaction: Transaction<'static>,
        transfer: Transfer,
        commits: &AtomicBool,
    ) -> Result<bool, RequestError> {
        commits.store(false, Ordering::Release);
        let Transfer { tenant, id, .. } = transfer;
        // A statement that waits for a lock as the first of its transaction is another case than one
        // that waits later.
        let mut counted = 1;
        if transfer.count_first {
            counted = transaction.execute(COUNT, &[]).await?;
        }
        let insert = "INSERT INTO entries (id) VALUES ($1)";
        transaction.execute(insert, &[&id]).await?;
        let insert = "INSERT INTO receipts (id) VALUES ($1)";
        transaction.execute(insert, &[&id]).await?;
        if !transfer.count_first {
            counted = transaction.execute(COUNT, &[]).await?;
        }
        if counted != 1 {
            let what = "an UPDATE of a row that is there reports 0 rows, in a transaction";
            self.violated(what, tenant, id);
        }
        if transfer.gives_up || counted != 1 {
            transaction.rollback().await?;
            return Ok(false);
        }
        commits.store(true, Ordering::Release);
        if !transfer.repeats {
            transaction.commit().await?;
        }
        Ok(true)
    }

    /// Counts a request. A tenant that is not served is asked for until it is, so that the length of
    /// its pause does not depend on who happens to ask next.
    fn seen<T>(
        &self,
        what: &'static str,
        tenant: i64,
        begun: Instant,
        result: &Result<T, RequestError>,
    ) {
        let load = &self.load;
        if !load.tally.request(what, tenant, begun, result) {
            return;
        }
        if let Ok(permit) = Arc::clone(&load.followers).try_acquire_owned() {
            tokio::spawn(follow(Arc::clone(load), tenant, permit));
        }
    }

    /// Every row carries its tenant, in each of its columns that end in `tenant_id`.
    fn check_owner(&self, tenant: i64, rows: &[Row]) {
        for row in rows {
            for (index, column) in row.columns().iter().enumerate() {
                if column.name() == "tenant_id" && row.get::<_, i64>(index) != tenant {
                    let other = row.get(index);
                    self.violated("a tenant sees another's row", tenant, other);
                }
            }
        }
    }

    fn remember(&mut self, tenant: i64, id: i64) {
        if self.rows.len() == REMEMBERED {
            self.rows.pop_front();
        }
        self.rows.push_back((tenant, id));
    }

    fn note(&self, tenant: i64, write: Write, outcome: Outcome) -> anyhow::Result<()> {
        let entry = Entry {
            tenant,
            write,
            outcome,
        };
        Ok(self.load.journal.write(entry)?)
    }

    fn violated(&self, what: &'static str, tenant: i64, id: i64) {
        let at = self.load.tally.elapsed().as_secs_f64();
        let example = || format!("{at:.1} s: tenant {tenant}, id {id}");
        self.load.violations.add(what, example);
    }

    fn tenant(&self, tenant: i64) -> Tenant {
        self.load.cluster.tenant(tenant)
    }

    fn some_tenant(&mut self) -> i64 {
        self.random.random_range(0..self.load.tenants)
    }

    fn new_id(&self) -> i64 {
        self.load.next_id.fetch_add(1, Ordering::AcqRel)
    }
}

/// What is done together.
#[derive(Debug, Clone, Copy)]
struct Transfer {
    tenant: i64,
    id: i64,
    count_first: bool,
    gives_up: bool,
    repeats: bool,
}

async fn follow(load: Arc<Load>, tenant: i64, permit: OwnedSemaphorePermit) {
    // Given back after the load, of which the end of the run waits to be the last owner.
    let _permit = permit;
    let load = load;
    while !load.stop.load(Ordering::Acquire) {
        tokio::time::sleep(PROBE).await;
        let begun = Instant::now();
        let handle = load.cluster.tenant(tenant);
        let result = handle.query("SELECT id FROM counters", &[]).await;
        load.tally.request("probe", tenant, begun, &result);
        if result.is_ok() {
            return;
        }
    }
}

/// Of every tenant there is the counter 1.
const COUNT: &str = "UPDATE counters SET n = n + 1 WHERE id = 1";

fn outcome(result: &Result<u64, RequestError>) -> Outcome {
    match result {
        Ok(_) => Outcome::Acknowledged,
        Err(error) => of_error(error),
    }
}

/// What an error says about a write. Only what the driver or PostgreSQL promises counts as refused.
fn of_error(error: &RequestError) -> Outcome {
    let refused = !error.was_sent()
        || error.is_retryable()
        || matches!(error, RequestError::Aborted { .. })
        || (matches!(error, RequestError::Server { .. })
            && error.sql_state().is_some_and(fails_before_the_commit));
    if refused {
        Outcome::Refused
    } else {
        Outcome::Unknown
    }
}

/// Classes of errors that a statement meets while it is carried out, so that it is rolled back. Not
/// those of connections (08), operators (57) and internal ones (XX): of a statement that was passed on
/// to another node they say nothing.
fn fails_before_the_commit(state: &SqlState) -> bool {
    let classes = [
        "0A", "21", "22", "23", "25", "28", "40", "42", "53", "54", "55",
    ];
    classes.iter().any(|class| state.code().starts_with(class))
}
