//! On Citus: that an accepted statement is one task, so that one node carries it out, or one of the
//! exceptions that are written down.

use std::fmt;

use citus_testkit::tokio_postgres::error::SqlState;
use tenant_guard::GuardedSql;

use super::data::tenant_literal;
use super::exceptions;
use super::oracle::Verdict;
use super::session::code;
use super::shape::Shape;
use super::statement::Statement;
use super::world::World;

/// How Citus would carry out a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// As one task; or none, where the conditions contradict each other.
    OneTask,
    /// Several tasks for one query.
    Tasks,
    /// Parts one after the other, with the rows of one kept for the next.
    Subplans,
    /// The rows go to this node and from here to where they are written.
    Pulled,
    /// There is no plan.
    Fails { state: String, message: String },
    /// Planning took too long.
    TooLong,
}

impl World<'_> {
    /// What makes it right that Citus does not carry out an accepted statement as one task, if it does
    /// not. An error is a plan of which nobody has said why it is right.
    pub(crate) async fn exception(
        &self,
        statement: &Statement,
        verdict: Verdict,
    ) -> Result<Option<&'static str>, String> {
        let Ok(guarded) = self.guard.check(&statement.sql) else {
            return Ok(None);
        };
        if verdict == Verdict::CrashesCitus {
            return Ok(None);
        }
        let plan = self.plan(&guarded, statement).await;
        if plan.is_settled(verdict) {
            return Ok(None);
        }
        let shape = Shape::of(guarded.text()).unwrap_or_default();
        match exceptions::find(&plan, &shape) {
            Some(exception) => Ok(Some(&exception.name)),
            None => Err(format!(
                "Citus {plan}, and none of exceptions.md is about that\n  guarded: {}",
                guarded.text()
            )),
        }
    }

    /// How Citus would carry out a guarded statement for the first tenant.
    pub(crate) async fn plan(&self, guarded: &GuardedSql, statement: &Statement) -> Plan {
        // As a literal: `EXPLAIN` plans without the values of parameters first, and there is then no plan
        // for some statements that have one.
        let kind = self.schema.tenant_kind;
        let tenant = format!("{}::{}", tenant_literal(kind, 0), kind.sql());
        let mut text = guarded.text().to_owned();
        for slot in guarded.tenant_param_slots().iter().rev() {
            text.replace_range(slot.clone(), &tenant);
        }
        let explain = format!("EXPLAIN (COSTS OFF) {text}");
        let caller_params = guarded.caller_params() as usize;
        let params = &statement.params[..caller_params.min(statement.params.len())];
        match self.whole.run(&explain, params).await {
            Ok(plan) => {
                let lines = plan.rows.iter().flatten().flatten();
                let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line)).collect();
                Plan::read(lines.iter().map(|line| line.trim()))
            }
            Err(error) if *code(&error) == SqlState::QUERY_CANCELED => Plan::TooLong,
            Err(error) => Plan::Fails {
                state: code(&error).code().to_owned(),
                message: error
                    .as_db_error()
                    .map_or_else(|| error.to_string(), |error| error.message().to_owned()),
            },
        }
    }
}

impl Plan {
    fn read<'l>(lines: impl Iterator<Item = &'l str>) -> Self {
        let mut worst = Self::OneTask;
        for line in lines {
            if line.contains("Distributed Subplan") {
                return Self::Subplans;
            }
            let tasks = line.strip_prefix("Task Count: ");
            if tasks.is_some_and(|tasks| !matches!(tasks, "0" | "1")) {
                worst = Self::Tasks;
            } else if worst == Self::OneTask && line.contains("method: ") {
                // `INSERT/SELECT method: pull to coordinator`, and `MERGE INTO tasks method: …`.
                worst = Self::Pulled;
            }
        }
        worst
    }

    /// Whether there is nothing to explain: it is one task, or the statement is none that PostgreSQL
    /// carries out, with or without the guard.
    fn is_settled(&self, verdict: Verdict) -> bool {
        match self {
            Self::OneTask | Self::TooLong => true,
            Self::Tasks | Self::Subplans | Self::Pulled => false,
            Self::Fails { state, .. } => match verdict {
                Verdict::BothFailed(alone) => {
                    state.as_bytes() == alone
                        || (state.starts_with("22") && alone.starts_with(b"22"))
                }
                // A value that cannot be computed with, met while a constant is folded.
                Verdict::PlanDependent => state.starts_with("22"),
                Verdict::KeyIsLost => state == SqlState::GROUPING_ERROR.code(),
                Verdict::Equal
                | Verdict::Refused(_)
                | Verdict::Unstable
                | Verdict::TooLong
                | Verdict::UnsupportedByCitus
                | Verdict::RenamedByCitus
                | Verdict::CrashesCitus => false,
            },
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneTask => f.write_str("plans one task"),
            Self::Tasks => f.write_str("plans several tasks"),
            Self::Subplans => f.write_str("plans subplans"),
            Self::Pulled => f.write_str("pulls the rows to where they are written from"),
            Self::Fails { state, message } => write!(f, "has no plan: {state} {message}"),
            Self::TooLong => f.write_str("takes too long to plan"),
        }
    }
}
