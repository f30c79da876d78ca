//! Runs a statement on both sides and compares what came back and what was left behind.

use citus_testkit::tokio_postgres::Error;
use citus_testkit::tokio_postgres::error::{DbError, SqlState};
use tenant_guard::{Code, GuardedSql};

use super::data::{POISON, TENANTS, tenant_value};
use super::one_task::Plan;
use super::session::{Outcome, code, told};
use super::shape::{Shape, strings};
use super::statement::{Param, Statement};
use super::world::World;

/// What became of a statement for which the law holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// Both sides did the same.
    Equal,
    /// The guard refused the statement.
    Refused(Code),
    /// Both sides failed alike, with this SQLSTATE.
    BothFailed([u8; 5]),
    /// One side met a value of the tenant's own that cannot be computed with, the other did not.
    PlanDependent,
    /// What the statement gives is up to the plan also for the tenant alone.
    Unstable,
    /// The statement took too long on one side.
    TooLong,
    /// The guarded statement fails as PostgreSQL does not know the key of a table that is restricted
    /// in a sub-query, so that `GROUP BY` the key is not enough for the other columns.
    KeyIsLost,
    /// Citus has no plan for the guarded statement, as it has none for many.
    UnsupportedByCitus,
    /// Citus gave columns of one name different ones, as PostgreSQL does where it prints a statement.
    RenamedByCitus,
    /// Not sent: Citus would crash, and every other test on the same servers with it.
    CrashesCitus,
}

/// A rewritten statement: the guard's, or one that a test has broken.
#[derive(Clone, Debug)]
pub(crate) struct Rewritten {
    pub(crate) text: String,
    pub(crate) tenant_param: Option<u32>,
    pub(crate) caller_params: usize,
    pub(crate) writes: bool,
}

impl From<&GuardedSql> for Rewritten {
    fn from(guarded: &GuardedSql) -> Self {
        Self {
            text: guarded.text().to_owned(),
            tenant_param: guarded.tenant_param(),
            caller_params: guarded.caller_params() as usize,
            writes: guarded.writes(),
        }
    }
}

impl World<'_> {
    /// Whether the law holds for this statement and every tenant. An error says how it does not.
    pub(crate) async fn judge(&self, statement: &Statement) -> Result<Verdict, String> {
        let guarded = match self.guard.check(&statement.sql) {
            Ok(guarded) => guarded,
            Err(refusal) => return Ok(Verdict::Refused(refusal.code())),
        };
        if self.is_citus() && crashes_citus(guarded.text()) {
            return Ok(Verdict::CrashesCitus);
        }
        let verdict = self
            .judge_rewritten(statement, &Rewritten::from(&guarded))
            .await?;
        match self.unknown_column(&statement.sql) {
            // What runs on a server has no unknown column.
            Some(refusal) if verdict == Verdict::Equal => Err(refusal),
            _ => Ok(verdict),
        }
    }

    /// … for a text that a guard would have made of it.
    pub(crate) async fn judge_rewritten(
        &self,
        statement: &Statement,
        rewritten: &Rewritten,
    ) -> Result<Verdict, String> {
        let mut verdict = Verdict::Equal;
        for tenant in 0..TENANTS {
            let case = Case {
                world: self,
                statement,
                rewritten,
                tenant,
            };
            match case
                .judge()
                .await
                .map_err(|how| format!("tenant {tenant}: {how}\n  guarded: {}", rewritten.text))?
            {
                Verdict::Equal => {}
                Verdict::TooLong => return Ok(Verdict::TooLong),
                other => verdict = other,
            }
        }
        Ok(verdict)
    }
}

/// One statement for one tenant.
struct Case<'a> {
    world: &'a World<'a>,
    statement: &'a Statement,
    rewritten: &'a Rewritten,
    tenant: usize,
}

impl Case<'_> {
    async fn judge(&self) -> Result<Verdict, String> {
        let (whole, alone) = (
            &self.world.whole.client,
            &self.world.alone(self.tenant).client,
        );
        let (one, two) = tokio::join!(whole.batch_execute("BEGIN"), alone.batch_execute("BEGIN"));
        one.and(two)
            .map_err(|error| format!("a session is lost: {error:?}"))?;
        let verdict = self.compare().await;
        let (one, two) = tokio::join!(
            whole.batch_execute("ROLLBACK"),
            alone.batch_execute("ROLLBACK")
        );
        one.and(two)
            .map_err(|error| format!("a session is lost: {error:?}"))?;
        verdict
    }

    async fn compare(&self) -> Result<Verdict, String> {
        let (whole, alone) = (self.world.whole, self.world.alone(self.tenant));
        whole.take_notices();
        let (own, params) = (self.own_params(), self.params());
        let (is, should_be) = tokio::join!(
            whole.run(&self.rewritten.text, &params),
            alone.run(&self.statement.sql, own)
        );
        for notice in whole.take_notices() {
            self.check_leaks("notice", notice.as_bytes())?;
        }
        match (is, should_be) {
            (Err(error), _) | (_, Err(error)) if is_timeout(&error) => Ok(Verdict::TooLong),
            (Ok(is), Ok(should_be)) => self.compare_outcomes(is, should_be).await,
            (Err(is), Err(should_be)) if same_error(&is, &should_be) => {
                // What is said where nobody else has rows tells nothing of them.
                if message(&is) != message(&should_be) {
                    self.check_leaks("error", message(&is).as_bytes())?;
                }
                Ok(Verdict::BothFailed(sqlstate(&should_be)))
            }
            // PostgreSQL evaluates expressions in the order of its plan, and the plan depends on how
            // much data there is: an expression that fails on the tenant's own row may not be met
            // on one side. Only one tenant has such rows.
            (Ok(is), Err(error)) if self.fails_on_own_rows(&error) => {
                self.check_outcome(&is)?;
                self.world.own_rows(self.tenant).await?;
                Ok(Verdict::PlanDependent)
            }
            (Err(error), Ok(_)) if self.fails_on_own_rows(&error) => {
                self.check_leaks("error", message(&error).as_bytes())?;
                Ok(Verdict::PlanDependent)
            }
            // Or another failure is met first.
            (Err(is), Err(should_be))
                if self.fails_on_own_rows(&is) || self.fails_on_own_rows(&should_be) =>
            {
                self.check_leaks("error", message(&is).as_bytes())?;
                Ok(Verdict::PlanDependent)
            }
            (Err(is), _) if self.world.is_citus() && is_no_plan(&is) => {
                self.check_leaks("error", message(&is).as_bytes())?;
                Ok(Verdict::UnsupportedByCitus)
            }
            (Err(is), Ok(_)) if *code(&is) == SqlState::GROUPING_ERROR => Ok(Verdict::KeyIsLost),
            (Err(is), Ok(_)) => Err(format!("fails: {} {}", code(&is).code(), message(&is))),
            (Ok(_), Err(should_be)) => Err(format!(
                "runs, but alone fails: {} {}",
                code(&should_be).code(),
                message(&should_be)
            )),
            (Err(is), Err(should_be)) => Err(format!(
                "fails with {} {}, alone with {} {}",
                code(&is).code(),
                message(&is),
                code(&should_be).code(),
                message(&should_be)
            )),
        }
    }

    async fn compare_outcomes(
        &self,
        mut is: Outcome,
        mut should_be: Outcome,
    ) -> Result<Verdict, String> {
        if !self.statement.ordered {
            is.rows.sort();
            should_be.rows.sort();
        }
        let difference = self.difference().await?;
        if is == should_be && difference.is_none() {
            return Ok(Verdict::Equal);
        }
        self.check_outcome(&is)?;
        if self.is_up_to_chance() || self.is_unstable(&should_be).await {
            return Ok(Verdict::Unstable);
        }
        match difference {
            Some(difference) => Err(difference),
            None if self.is_run_in_parts().await => Ok(Verdict::UnsupportedByCitus),
            None if self.is_what_is_printed(&is).await => Ok(Verdict::RenamedByCitus),
            None => Err(format!("gives {}, alone {}", shown(&is), shown(&should_be))),
        }
    }

    /// How a write leaves other rows of the tenant's than it does alone. Rows of others it has to leave
    /// alone, and their values must not be in the tenant's.
    async fn difference(&self) -> Result<Option<String>, String> {
        if !self.rewritten.writes {
            return Ok(None);
        }
        let difference = self.world.difference(self.tenant).await?;
        let shown = difference.as_deref().unwrap_or_default();
        self.check_leaks("row that is left", shown.as_bytes())?;
        Ok(difference)
    }

    /// Whether nothing says what such a statement gives: which rows are in a sample, or which of two changes
    /// a row gets.
    fn is_up_to_chance(&self) -> bool {
        Shape::of(&self.rewritten.text)
            .is_some_and(|shape| shape.has("sample") || shape.writes_rows_twice())
    }

    /// Whether Citus carries out the queries of a `WITH` one after the other, so that a reading one sees
    /// what a writing one before it did. PostgreSQL shows all of them the rows of before. (13.2.2: an
    /// `INSERT` of several rows becomes a subplan, also without the guard.)
    async fn is_run_in_parts(&self) -> bool {
        let Ok(guarded) = self.world.guard.check(&self.statement.sql) else {
            return false;
        };
        let writes = Shape::of(guarded.text()).is_some_and(|shape| shape.has("write in with"));
        self.world.is_citus()
            && writes
            && self.world.plan(&guarded, self.statement).await == Plan::Subplans
    }

    /// Whether Citus gives what the tenant alone gets of the statement as PostgreSQL prints it. Citus sends
    /// shards what is printed, and there the second of two columns `at` is `at_1`: it shows where a row
    /// becomes JSON. (13.2.2, also without the guard.)
    async fn is_what_is_printed(&self, is: &Outcome) -> bool {
        if !self.world.is_citus() || self.rewritten.writes {
            return false;
        }
        let alone = self.world.alone(self.tenant);
        let _ = alone.client.batch_execute("ROLLBACK; BEGIN").await;
        let columns = is.rows.first().map_or(0, Vec::len);
        let names: Vec<String> = (1..=columns).map(|n| format!("c{n}")).collect();
        let view = format!(
            "CREATE TEMP VIEW printed ({}) AS {}",
            names.join(", "),
            self.statement.with_constants()
        );
        if alone.client.batch_execute(&view).await.is_err() {
            return false;
        }
        let definition = "SELECT pg_catalog.pg_get_viewdef('printed'::regclass)";
        let Ok(printed) = alone.texts(definition).await else {
            return false;
        };
        match alone.run(&printed[0][0], &[]).await {
            Ok(mut outcome) => {
                if !self.statement.ordered {
                    outcome.rows.sort();
                }
                outcome == *is
            }
            Err(_) => false,
        }
    }

    fn own_params(&self) -> &[Param] {
        let params = &self.statement.params;
        &params[..self.rewritten.caller_params.min(params.len())]
    }

    /// With the tenant's value, as a driver binds it.
    fn params(&self) -> Vec<Param> {
        let mut params = self.own_params().to_vec();
        if let Some(number) = self.rewritten.tenant_param {
            let none = Param {
                declared: None,
                value: None,
            };
            params.resize(number as usize - 1, none);
            let value = tenant_value(self.world.schema.tenant_kind, self.tenant);
            params.push(Param {
                declared: None,
                value: Some(value),
            });
        }
        params
    }

    /// Whether the tenant alone gets something else, or is left with other rows, when its rows lie
    /// elsewhere and other plans are taken. Whatever its own database gives is then as good as any.
    async fn is_unstable(&self, first: &Outcome) -> bool {
        const SETTINGS: [&str; 4] = [
            "SET LOCAL enable_hashagg = off; SET LOCAL enable_hashjoin = off",
            "SET LOCAL enable_sort = off; SET LOCAL enable_mergejoin = off",
            "SET LOCAL enable_nestloop = off; SET LOCAL enable_seqscan = off",
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_hashjoin = off",
        ];
        let alone = self.world.alone(self.tenant);
        let column = super::schema::quoted(&self.world.schema.tenant_column);
        let left = self.rows_left().await;
        for (round, settings) in SETTINGS.iter().enumerate() {
            let _ = alone.client.batch_execute("ROLLBACK; BEGIN").await;
            let _ = alone.client.batch_execute(settings).await;
            for table in self.world.schema.tenant_tables() {
                let name = self.world.schema.qualified(table);
                let moved = format!(
                    "UPDATE {name} AS t SET {column} = {column} WHERE (hashtext(t::text) + {round}) % 2 = 0"
                );
                let _ = alone.client.batch_execute(&moved).await;
            }
            let Ok(mut again) = alone.run(&self.statement.sql, self.own_params()).await else {
                continue;
            };
            if !self.statement.ordered {
                again.rows.sort();
            }
            if again != *first || self.rows_left().await != left {
                return true;
            }
        }
        false
    }

    /// What a write leaves of the tenant's rows where it is alone.
    async fn rows_left(&self) -> Option<Vec<String>> {
        if !self.rewritten.writes {
            return None;
        }
        self.world.rows_alone(self.tenant).await.ok()
    }

    /// A value that cannot be computed with (class 22), of the one tenant that has such; or any
    /// tenant's, where a statement may compute anything.
    fn fails_on_own_rows(&self, error: &Error) -> bool {
        is_data_exception(error) && (self.tenant == POISON || self.statement.tampered)
    }

    fn check_outcome(&self, outcome: &Outcome) -> Result<(), String> {
        let mut values = outcome.rows.iter().flatten().flatten();
        values.try_for_each(|value| self.check_leaks("row", value))
    }

    /// No marker of another tenant, unless the statement itself holds it.
    fn check_leaks(&self, place: &str, bytes: &[u8]) -> Result<(), String> {
        let text = String::from_utf8_lossy(bytes).to_lowercase();
        let given = self
            .statement
            .params
            .iter()
            .filter_map(|param| param.value.as_deref());
        let given: Vec<String> = given
            .chain([self.statement.sql.as_str()])
            .map(str::to_lowercase)
            .chain(
                strings(&self.statement.sql)
                    .iter()
                    .map(|text| text.to_lowercase()),
            )
            .collect();
        for (at, _) in text.match_indices("leak_") {
            let end = text[at + 5..].find(|c: char| !c.is_ascii_digit() && c != '_');
            let marker = &text[at..end.map_or(text.len(), |end| at + 5 + end)];
            let own = marker.starts_with(&format!("leak_{}_", self.tenant));
            if !own && marker.len() > 7 && !given.iter().any(|given| given.contains(marker)) {
                return Err(format!(
                    "another tenant's value shows in a {place}: {marker}"
                ));
            }
        }
        Ok(())
    }
}

/// `WITH w AS (SELECT * FROM countries) MERGE …` crashes 13.2.2, where `countries` is a reference table. Seen
/// over the extended protocol, as a driver sends it.
fn crashes_citus(sql: &str) -> bool {
    Shape::of(sql).is_some_and(|shape| shape.has("merge") && shape.has("with"))
}

fn message(error: &Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), told)
}

fn sqlstate(error: &Error) -> [u8; 5] {
    code(error)
        .code()
        .as_bytes()
        .try_into()
        .unwrap_or([b'?'; 5])
}

fn is_timeout(error: &Error) -> bool {
    matches!(
        *code(error),
        SqlState::QUERY_CANCELED | SqlState::LOCK_NOT_AVAILABLE
    )
}

/// The same SQLSTATE. Over Citus' COPY a violated constraint loses its own (13.2, `ReportCopyError`).
fn same_error(is: &Error, should_be: &Error) -> bool {
    let lost_on_the_way = code(should_be).code().starts_with("23")
        && is
            .as_db_error()
            .is_some_and(|error| error.routine() == Some("ReportCopyError"));
    // Which of several failing expressions is met first is up to the plan.
    let data = is_data_exception(is) && is_data_exception(should_be);
    let known = is.code().is_some() && is.code() == should_be.code();
    known || lost_on_the_way || data
}

/// Class 22: a value that cannot be computed with.
fn is_data_exception(error: &Error) -> bool {
    code(error).code().starts_with("22")
}

/// Class 42 from a worker: what Citus wrote for it is no statement, as for `CYCLE` (13.2.2).
fn is_from_worker(error: &DbError) -> bool {
    error
        .where_()
        .is_some_and(|place| place.contains("while executing command on"))
}

/// `feature_not_supported`, or one of the planner's own errors: a join it cannot place, a write
/// whose conditions contradict each other, so that it has no shard, or a read of that kind, which
/// it plans on an empty relation without the table's primary key. Or it sends a part of the plan to a
/// worker without the parameters that it needs (13.2.2, `RETURNING` of `INSERT … SELECT`).
fn is_no_plan(error: &Error) -> bool {
    let internal = |message: &str| {
        message.contains("repartition")
            || message.contains("could not find valid entry for shard 0")
            || message.contains("could not create distributed plan")
            || message.contains("MERGE")
    };
    error.as_db_error().is_some_and(|error| {
        *error.code() == SqlState::FEATURE_NOT_SUPPORTED
            || *error.code() == SqlState::GROUPING_ERROR
            || *error.code() == SqlState::PROTOCOL_VIOLATION
            || (error.code().code().starts_with("42") && is_from_worker(error))
            || (*error.code() == SqlState::INTERNAL_ERROR && internal(error.message()))
    })
}

fn shown(outcome: &Outcome) -> String {
    let value = |value: &Option<Vec<u8>>| match value {
        Some(bytes) => bytes.escape_ascii().to_string(),
        None => "NULL".to_owned(),
    };
    let rows: Vec<String> = outcome
        .rows
        .iter()
        .take(12)
        .map(|row| format!("({})", row.iter().map(value).collect::<Vec<_>>().join(", ")))
        .collect();
    format!(
        "{} rows (count {:?}): {}",
        outcome.rows.len(),
        outcome.count,
        rows.join(" ")
    )
}
