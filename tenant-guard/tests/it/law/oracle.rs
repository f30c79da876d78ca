//! Runs a statement on both sides and compares what came back and what was left behind.

use citus_testkit::tokio_postgres::error::{DbError, SqlState};
use citus_testkit::tokio_postgres::{Client, Error, SimpleQueryMessage};
use tenant_guard::{Guard, GuardedSql};

use super::world::{POISONED, TABLES, TENANTS, TENANTS_WITH_NUMBERS, World};

#[derive(Clone, Copy)]
pub(crate) enum Verdict {
    /// Both sides did the same.
    Equal,
    /// The guard refused the statement.
    Refused,
    /// Both sides failed alike.
    BothFailed,
    /// One side met a value of the tenant's own that cannot be cast, the other did not.
    PlanDependent,
    /// The statement took too long on one side.
    TooLong,
    /// Citus has no plan for the guarded statement, as it has none for many.
    UnsupportedByCitus,
}

pub(crate) struct Oracle {
    world: World,
    guard: Guard,
}

/// The rows and the count of a statement, as text; rows in an order of their own.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    rows: Vec<Vec<Option<String>>>,
    count: Option<u64>,
}

impl Oracle {
    pub(crate) fn new(world: World, guard: Guard) -> Self {
        Self { world, guard }
    }

    pub(crate) fn is_citus(&self) -> bool {
        self.world.database.is_citus()
    }

    /// Whether the law holds for this statement and every tenant. An error says how it does not.
    pub(crate) async fn judge(&self, sql: &str) -> Result<Verdict, String> {
        let Ok(guarded) = self.guard.check(sql) else {
            return Ok(Verdict::Refused);
        };
        let mut verdict = Verdict::Equal;
        for tenant in TENANTS {
            match self.judge_for(sql, &guarded, tenant).await.map_err(|how| {
                format!(
                    "tenant {tenant}: {how}\n  written: {sql}\n  guarded: {}",
                    guarded.text()
                )
            })? {
                Verdict::Equal => {}
                Verdict::TooLong => return Ok(Verdict::TooLong),
                other => verdict = other,
            }
        }
        Ok(verdict)
    }

    async fn judge_for(
        &self,
        sql: &str,
        guarded: &GuardedSql,
        tenant: i64,
    ) -> Result<Verdict, String> {
        let (whole, alone) = (&self.world.whole, &self.world.alone);
        let before = if guarded.writes() {
            others(whole, tenant).await
        } else {
            Vec::new()
        };
        whole.batch_execute("BEGIN").await.unwrap();
        alone
            .batch_execute(&format!("BEGIN; SET LOCAL search_path = only_{tenant}"))
            .await
            .unwrap();
        let verdict = self.compare(sql, guarded, tenant, &before).await;
        whole.batch_execute("ROLLBACK").await.unwrap();
        alone.batch_execute("ROLLBACK").await.unwrap();
        verdict
    }

    async fn compare(
        &self,
        sql: &str,
        guarded: &GuardedSql,
        tenant: i64,
        before: &[String],
    ) -> Result<Verdict, String> {
        let is = run(&self.world.whole, &with_literal(guarded, tenant)).await;
        let should_be = run(&self.world.alone, sql).await;
        match (is, should_be) {
            (Err(error), _) | (_, Err(error))
                if error.code() == Some(&SqlState::QUERY_CANCELED) =>
            {
                Ok(Verdict::TooLong)
            }
            (Ok(is), Ok(should_be)) => {
                check_markers(&is, tenant)?;
                if is != should_be {
                    return Err(format!("is {is:?}, alone {should_be:?}"));
                }
                if guarded.writes() {
                    self.check_state(tenant, before).await?;
                }
                Ok(Verdict::Equal)
            }
            (Err(is), Err(should_be)) if same_error(&is, &should_be) => {
                // What is said where nobody else has rows tells nothing of them: a statement can
                // name another tenant's value itself, in a literal that is no number.
                if is.as_db_error().map(DbError::message)
                    != should_be.as_db_error().map(DbError::message)
                {
                    check_message(&is, tenant)?;
                }
                Ok(Verdict::BothFailed)
            }
            // PostgreSQL evaluates expressions in the order of its plan, and the plan depends on how
            // much data there is: an expression that fails on the tenant's own row may not be met.
            (Ok(is), Err(error)) if is_data_exception(&error) => {
                check_markers(&is, tenant)?;
                Ok(Verdict::PlanDependent)
            }
            // The other way round, the value that failed has to be known as the tenant's own.
            (Err(error), Ok(_)) if is_data_exception(&error) && quotes_own(&error, tenant) => {
                check_message(&error, tenant)?;
                Ok(Verdict::PlanDependent)
            }
            (Err(is), _) if self.is_citus() && is_no_plan(&is) => Ok(Verdict::UnsupportedByCitus),
            (is, should_be) => Err(format!("is {is:?}, alone {should_be:?}")),
        }
    }

    /// After a write: the tenant's rows are those it would have alone, all others are as before.
    async fn check_state(&self, tenant: i64, before: &[String]) -> Result<(), String> {
        for table in TABLES {
            let columns = "SELECT t.*::text FROM";
            let own = format!("{columns} public.{table} t WHERE tenant_id = {tenant} ORDER BY 1");
            let alone = format!("{columns} only_{tenant}.{table} t ORDER BY 1");
            let is = run(&self.world.whole, &own)
                .await
                .map_err(|error| error.to_string())?;
            let should_be = run(&self.world.alone, &alone)
                .await
                .map_err(|error| error.to_string())?;
            if is.rows != should_be.rows {
                return Err(format!("{table} is then {is:?}, alone {should_be:?}"));
            }
        }
        if others(&self.world.whole, tenant).await != before {
            return Err("another tenant's rows were changed".to_owned());
        }
        Ok(())
    }
}

async fn run(client: &Client, sql: &str) -> Result<Outcome, Error> {
    let mut outcome = Outcome {
        rows: Vec::new(),
        count: None,
    };
    for message in client.simple_query(sql).await? {
        match message {
            SimpleQueryMessage::Row(row) => {
                let values = (0..row.len()).map(|index| row.get(index).map(str::to_owned));
                outcome.rows.push(values.collect());
            }
            SimpleQueryMessage::CommandComplete(count) => outcome.count = Some(count),
            _ => {}
        }
    }
    outcome.rows.sort();
    Ok(outcome)
}

/// The guarded text with the tenant as a literal in each of its slots.
fn with_literal(guarded: &GuardedSql, tenant: i64) -> String {
    let mut text = guarded.text().to_owned();
    for slot in guarded.tenant_param_slots().iter().rev() {
        text.replace_range(slot.clone(), &tenant.to_string());
    }
    text
}

/// All rows of all other tenants.
async fn others(client: &Client, tenant: i64) -> Vec<String> {
    let mut all = Vec::new();
    for table in TABLES {
        let sql =
            format!("SELECT t::text FROM public.{table} t WHERE tenant_id <> {tenant} ORDER BY 1");
        let rows = run(client, &sql).await.unwrap().rows;
        all.extend(rows.into_iter().flatten().flatten());
    }
    all
}

/// No value of another tenant shows in the result.
fn check_markers(outcome: &Outcome, tenant: i64) -> Result<(), String> {
    let mut values = outcome.rows.iter().flatten().flatten();
    match values.find(|value| leaks(value, tenant)) {
        Some(value) => Err(format!("another tenant's value shows: {value}")),
        None => Ok(()),
    }
}

/// … nor in an error's text.
fn check_message(error: &Error, tenant: i64) -> Result<(), String> {
    let message = error
        .as_db_error()
        .map(ToString::to_string)
        .unwrap_or_default();
    if leaks(&message, tenant) {
        Err(format!("another tenant's value shows: {message}"))
    } else {
        Ok(())
    }
}

/// Whether an error is about a value that the tenant may see: one with its marker, one of a
/// reference table, a title of digits where it has such, and a division by zero where it has zeros.
fn quotes_own(error: &Error, tenant: i64) -> bool {
    let message = error
        .as_db_error()
        .map(ToString::to_string)
        .unwrap_or_default();
    let quoted = message
        .rsplit([' ', ':'])
        .next()
        .unwrap_or_default()
        .trim_matches('"');
    let reference = ["de", "tr", "Germany", "Turkey", "3"].contains(&quoted);
    let title = quoted.parse::<u8>().is_ok() && TENANTS_WITH_NUMBERS.contains(&tenant);
    let division = error.code() == Some(&SqlState::DIVISION_BY_ZERO) && tenant == POISONED;
    message.contains(&format!("leak_{tenant}_")) || reference || title || division
}

fn leaks(text: &str, tenant: i64) -> bool {
    TENANTS
        .iter()
        .any(|other| *other != tenant && text.contains(&format!("leak_{other}_")))
}

/// The same SQLSTATE. Over Citus' COPY a duplicate key loses its own (13.2, `ReportCopyError`).
fn same_error(is: &Error, should_be: &Error) -> bool {
    let lost_on_the_way = should_be.code() == Some(&SqlState::UNIQUE_VIOLATION)
        && is
            .as_db_error()
            .is_some_and(|error| error.routine() == Some("ReportCopyError"));
    // Which of several failing expressions is met first is up to the plan.
    let data = is_data_exception(is) && is_data_exception(should_be);
    is.code() == should_be.code() || lost_on_the_way || data
}

/// Class 22: a value that cannot be computed with.
fn is_data_exception(error: &Error) -> bool {
    error
        .code()
        .is_some_and(|code| code.code().starts_with("22"))
}

/// `feature_not_supported`, or one of the planner's own errors: a join it cannot place, a write
/// whose conditions contradict each other, so that it has no shard, or a read of that kind, which
/// it plans on an empty relation without the table's primary key.
fn is_no_plan(error: &Error) -> bool {
    let internal = |message: &str| {
        message.contains("repartition")
            || message.contains("could not find valid entry for shard 0")
            || message.contains("could not create distributed plan")
    };
    error.as_db_error().is_some_and(|error| {
        *error.code() == SqlState::FEATURE_NOT_SUPPORTED
            || *error.code() == SqlState::GROUPING_ERROR
            || (*error.code() == SqlState::INTERNAL_ERROR && internal(error.message()))
    })
}
