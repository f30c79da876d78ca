//! The figures, for people and for programs.

use serde::Serialize;

use crate::operation::Operation;
use crate::overhead::Overhead;
use crate::rounds::Measured;
use crate::way::Kind;

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// What the servers were.
    pub(crate) backend: String,
    pub(crate) clients: u16,
    pub(crate) lines: Vec<Line>,
    pub(crate) overhead: Option<Overhead>,
}

/// One operation by all ways.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    pub(crate) operation: Operation,
    pub(crate) ways: Vec<Measured>,
    /// The driver's throughput in terms of the coordinator's: the median of the rounds' ratios.
    pub(crate) to_coordinator: Option<f64>,
    /// And of one plain PostgreSQL's.
    pub(crate) to_plain: Option<f64>,
}

impl Report {
    pub(crate) fn new(backend: String, clients: u16) -> Self {
        Self {
            backend,
            clients,
            lines: Vec::new(),
            overhead: None,
        }
    }

    pub(crate) fn add(&mut self, operation: Operation, ways: Vec<Measured>) {
        eprintln!("{} done", operation.name());
        let mut line = Line {
            operation,
            ways,
            to_coordinator: None,
            to_plain: None,
        };
        line.to_coordinator = line.ratio(Kind::Driver, Kind::Coordinator);
        line.to_plain = line.ratio(Kind::Driver, Kind::Plain);
        self.lines.push(line);
    }

    pub(crate) fn print(&self) {
        println!(
            "\n{}, {} clients, one machine for all\n",
            self.backend, self.clients
        );
        println!(
            "{:<18}{:<18}{:>10}{:>10}{:>10}{:>10}",
            "", "way", "per s", "p50 µs", "p99 µs", "ratio"
        );
        for line in &self.lines {
            let mut name = line.operation.name();
            for measured in &line.ways {
                let ratio = line
                    .ratio(measured.way, Kind::Coordinator)
                    .map_or_else(String::new, |ratio| format!("×{ratio:.2}"));
                println!(
                    "{name:<18}{:<18}{:>10.0}{:>10.0}{:>10.0}{ratio:>10}",
                    measured.way.name(),
                    measured.median(),
                    measured.p50,
                    measured.p99,
                );
                name = "";
            }
        }
        if let Some(overhead) = &self.overhead {
            println!("\none client on one plain server:");
            println!(
                "  {:>7.1} µs  a prepared point SELECT over tokio-postgres",
                overhead.bare
            );
            println!("  {:>7.1} µs  the same over citus-client", overhead.driver);
            println!(
                "  {:>7.1} µs  added (the median of paired differences)",
                overhead.added
            );
            println!(
                "  {:>7.0} ns  of which: cached guard, hash and route",
                overhead.guard_and_route
            );
            println!("  {:>7.0} ns  of which: hash and route", overhead.route);
        }
    }
}

impl Measured {
    /// Units a second: the median of the turns.
    pub(crate) fn median(&self) -> f64 {
        median(self.per_second.clone())
    }
}

impl Line {
    /// One way's throughput in terms of another's: the median of the ratios within each round, in
    /// which both saw the same machine.
    pub(crate) fn ratio(&self, one: Kind, other: Kind) -> Option<f64> {
        let of = |kind| self.ways.iter().find(|measured| measured.way == kind);
        let pairs = of(one)?.per_second.iter().zip(&of(other)?.per_second);
        Some(median(pairs.map(|(one, other)| one / other).collect()))
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
