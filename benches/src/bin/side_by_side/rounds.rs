//! Turns, and what they give.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use serde::Serialize;

use crate::next_tenant;
use crate::operation::Operation;
use crate::way::{AnyClient, Kind, Way};

/// What one way did in all its turns.
#[derive(Debug, Serialize)]
pub(crate) struct Measured {
    pub(crate) way: Kind,
    /// Units of work a second by all clients, of each turn.
    pub(crate) per_second: Vec<f64>,
    /// Of all turns, in microseconds.
    pub(crate) p50: f64,
    /// Of all turns, in microseconds.
    pub(crate) p99: f64,
}

/// Gives each way `rounds` turns, the ways one after the other in each round.
pub(crate) async fn run(
    ways: &[Way<'_>],
    operation: Operation,
    clients: u16,
    rounds: u16,
    turn: Duration,
) -> anyhow::Result<Vec<Measured>> {
    let mut contestants = Vec::new();
    for way in ways {
        let connecting = (0..clients).map(|_| way.client());
        let clients: Vec<AnyClient<'_>> = try_join_all(connecting).await?;
        // Not counted: plans are made, caches filled.
        one_turn(&clients, operation, turn / 4).await?;
        contestants.push((way.kind, clients, Vec::new(), Vec::new()));
    }
    for _ in 0..rounds {
        for (_, clients, per_second, latencies) in &mut contestants {
            let (rate, mut took) = one_turn(clients, operation, turn).await?;
            per_second.push(rate);
            latencies.append(&mut took);
        }
    }
    let measured = contestants
        .into_iter()
        .map(|(way, _, per_second, mut latencies)| {
            latencies.sort_unstable();
            Measured {
                way,
                per_second,
                p50: quantile(&latencies, 50),
                p99: quantile(&latencies, 99),
            }
        });
    Ok(measured.collect())
}

/// Units a second, and how long each took.
async fn one_turn(
    clients: &[AnyClient<'_>],
    operation: Operation,
    turn: Duration,
) -> anyhow::Result<(f64, Vec<Duration>)> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let start = Instant::now();
    let took = try_join_all(clients.iter().map(async |client| {
        let mut took = Vec::with_capacity(4_096);
        let mut begin = start.elapsed();
        while begin < turn {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            client
                .run(next_tenant(count), &operation.steps(count))
                .await?;
            let end = start.elapsed();
            took.push(end.saturating_sub(begin));
            begin = end;
        }
        anyhow::Ok(took)
    }))
    .await?
    .concat();
    #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
    let count = took.len() as f64;
    Ok((count / start.elapsed().as_secs_f64(), took))
}

/// In microseconds.
fn quantile(sorted: &[Duration], percent: usize) -> f64 {
    let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted
        .get(index)
        .map_or(0.0, |took| took.as_secs_f64() * 1e6)
}
