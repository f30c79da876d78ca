//! What is told at the end.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::time::Duration;

use serde::Serialize;

use crate::journal::Promises;
use crate::memory::Memory;
use crate::tally::Seen;
use crate::violations::Violation;

/// What is told at the end, as text or as JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    #[serde(flatten)]
    run: Run,
    requests: BTreeMap<&'static str, Requests>,
    writes: Writes,
    errors: BTreeMap<String, u64>,
    faults: BTreeMap<String, u64>,
    pauses: Pauses,
    /// The process's resident set in KiB, usual in the second and the last quarter of the time.
    memory: Option<(u64, u64)>,
    pub(crate) violations: BTreeMap<&'static str, Violation>,
}

#[derive(Debug, Serialize)]
struct Requests {
    succeeded: u64,
    failed: u64,
}

/// What the callers were told.
#[derive(Debug, Serialize)]
struct Writes {
    acknowledged: u64,
    refused: u64,
    unknown: u64,
}

/// The longest time in which a tenant was not served, in seconds: over the tenants.
#[derive(Debug, Serialize)]
struct Pauses {
    median: f64,
    p99: f64,
    longest: f64,
}

/// What was run.
#[derive(Debug, Serialize)]
pub(crate) struct Run {
    pub(crate) servers: String,
    pub(crate) seed: u64,
    pub(crate) seconds: u64,
    pub(crate) tenants: i64,
    pub(crate) clients: usize,
    /// What the proxies saw.
    pub(crate) connections: u64,
    pub(crate) cancel_requests: u64,
}

impl Report {
    /// Of a run, and of what was counted and found in it.
    pub(crate) fn new(
        run: Run,
        seen: Seen,
        promises: &Promises,
        memory: &Memory,
        violations: BTreeMap<&'static str, Violation>,
    ) -> Self {
        let pauses = seen.pauses();
        let requests = seen.requests.into_iter();
        Self {
            run,
            requests: requests
                .map(|(what, (succeeded, failed))| (what, Requests { succeeded, failed }))
                .collect(),
            writes: Writes {
                acknowledged: promises.acknowledged,
                refused: promises.refused,
                unknown: promises.unknown,
            },
            errors: seen.errors,
            faults: seen.faults,
            pauses: Pauses {
                median: at(&pauses, 50),
                p99: at(&pauses, 99),
                longest: at(&pauses, 100),
            },
            memory: memory.growth(),
            violations,
        }
    }
}

fn at(sorted: &[Duration], percent: usize) -> f64 {
    let index = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(index).map_or(0.0, Duration::as_secs_f64)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Run {
            servers,
            seed,
            seconds,
            tenants,
            clients,
            connections,
            cancel_requests,
        } = &self.run;
        writeln!(
            f,
            "{servers}, seed {seed}: {seconds} s, {tenants} tenants, {clients} clients"
        )?;
        writeln!(f, "\nrequests                      succeeded   failed")?;
        for (what, Requests { succeeded, failed }) in &self.requests {
            writeln!(f, "  {what:<26} {succeeded:>10} {failed:>8}")?;
        }
        let Writes {
            acknowledged,
            refused,
            unknown,
        } = self.writes;
        writeln!(f, "\nwrites and transactions, as their callers were told")?;
        writeln!(
            f,
            "  {acknowledged} acknowledged, {refused} refused, {unknown} unknown"
        )?;
        counted(f, "errors that callers saw", &self.errors)?;
        counted(f, "what was done to the cluster", &self.faults)?;
        let Pauses {
            median,
            p99,
            longest,
        } = self.pauses;
        writeln!(f, "\nlongest pause of a tenant")?;
        writeln!(
            f,
            "  median {median:.2} s, p99 {p99:.2} s, longest {longest:.2} s"
        )?;
        writeln!(
            f,
            "\nconnections {connections}, cancel requests {cancel_requests}"
        )?;
        if let Some((before, after)) = self.memory {
            let (before, after) = (before / 1024, after / 1024);
            writeln!(
                f,
                "memory {before} MiB in the second quarter, {after} MiB in the last"
            )?;
        }
        if self.violations.is_empty() {
            return writeln!(f, "\nnothing was lost, doubled, seen by another, or leaked");
        }
        writeln!(f, "\nVIOLATED")?;
        for (what, Violation { times, examples }) in &self.violations {
            writeln!(f, "  {times} x {what}")?;
            for example in examples {
                writeln!(f, "      {example}")?;
            }
        }
        Ok(())
    }
}

fn counted(f: &mut fmt::Formatter<'_>, title: &str, counts: &BTreeMap<String, u64>) -> fmt::Result {
    let mut text = String::new();
    for (what, count) in counts {
        writeln!(text, "  {count:>8} {what}")?;
    }
    if text.is_empty() {
        text.push_str("  none\n");
    }
    write!(f, "\n{title}\n{text}")
}
