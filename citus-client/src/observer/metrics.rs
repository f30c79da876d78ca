//! Figures by the crate `metrics`, under OpenTelemetry's names.

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use super::{Observer, RequestEvent, Retried};
use crate::PoolStatus;

/// Hands figures to the application's recorder of the crate `metrics`: an [`Observer`], with the names of
/// OpenTelemetry's conventions for database clients.
///
/// | name | what | labels |
/// |---|---|---|
/// | `db.client.operation.duration` | histogram, s | `db.operation.name`, `server.address`, `server.port`, `citus.route`, `error.type` |
/// | `db.client.connection.wait_time` | histogram, s | `server.address`, `server.port` |
/// | `db.client.connection.count` | gauge | `server.address`, `server.port`, `db.client.connection.state` (`idle`, `used`) |
/// | `db.client.connection.max` | gauge | `server.address`, `server.port` |
/// | `db.client.connection.pending_requests` | gauge | `server.address`, `server.port` |
/// | `citus.client.retries` | counter | `citus.retried` (`statement`, `transaction`) |
///
/// `error.type` is the SQLSTATE or a word for what happened, and is empty where nothing did. No label
/// tells of a tenant.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Metrics;

const DURATION: &str = "db.client.operation.duration";
const WAIT_TIME: &str = "db.client.connection.wait_time";
const CONNECTIONS: &str = "db.client.connection.count";
const MAX: &str = "db.client.connection.max";
const PENDING: &str = "db.client.connection.pending_requests";
const RETRIES: &str = "citus.client.retries";

impl Metrics {
    /// Describes the figures to the recorder, which has to be installed before.
    pub fn new() -> Self {
        describe_histogram!(
            DURATION,
            Unit::Seconds,
            "From sending a statement to its last row"
        );
        describe_histogram!(
            WAIT_TIME,
            Unit::Seconds,
            "How long a statement waited for a connection"
        );
        describe_gauge!(CONNECTIONS, "Connections, by state");
        describe_gauge!(MAX, "How many connections there may be");
        describe_gauge!(PENDING, "Requests that wait for a connection");
        describe_counter!(RETRIES, "Statements and transactions that were repeated");
        Self
    }

    /// Hands out how full the pools are ([`Cluster::pools`](crate::Cluster::pools)): to be called now and
    /// then, or whenever the figures are collected.
    pub fn pools(&self, pools: &[PoolStatus]) {
        // No pool holds so many connections that a float could not count them.
        #[allow(clippy::cast_precision_loss, reason = "see above")]
        let number = |count: usize| count as f64;
        for pool in pools {
            let address = || pool.node.host.clone();
            let port = || pool.node.port.to_string();
            for (state, count) in [("idle", pool.idle), ("used", pool.in_use)] {
                gauge!(CONNECTIONS, "server.address" => address(), "server.port" => port(),
                    "db.client.connection.state" => state)
                .set(number(count));
            }
            gauge!(MAX, "server.address" => address(), "server.port" => port())
                .set(number(pool.max));
            gauge!(PENDING, "server.address" => address(), "server.port" => port())
                .set(number(pool.waiting));
        }
    }
}

impl Observer for Metrics {
    fn request(&self, request: &RequestEvent<'_>) {
        let address = || request.node.host.clone();
        let port = || request.node.port.to_string();
        histogram!(WAIT_TIME, "server.address" => address(), "server.port" => port())
            .record(request.waited.as_secs_f64());
        histogram!(DURATION,
            "db.operation.name" => request.operation,
            "server.address" => address(),
            "server.port" => port(),
            "citus.route" => request.route.as_str(),
            "error.type" => request.error.map(|error| error.kind().to_owned()).unwrap_or_default())
        .record(request.executed.as_secs_f64());
    }

    fn retry(&self, retried: Retried) {
        counter!(RETRIES, "citus.retried" => retried.as_str()).increment(1);
    }
}
