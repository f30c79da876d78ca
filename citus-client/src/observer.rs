//! What happens to requests, told to whoever wants to count it.

#[cfg(feature = "metrics-024")]
mod metrics;
mod tenant_hash;
mod top_tenants;

use std::sync::Arc;
use std::time::{Duration, Instant};

#[cfg(feature = "metrics-024")]
pub use metrics::Metrics;
pub use tenant_hash::{TenantHash, TenantHashKey};
pub use top_tenants::TopTenants;

use crate::error::RequestError;
use crate::{NodeAddress, RouteReason, TenantId};

/// Is told what happens to requests, on the task of the request: it should be quick, and must not wait
/// for anything. Given to [`Config::observer`](crate::Config::observer).
///
/// ```
/// use std::sync::Arc;
/// use citus_client::{Config, Observer, RequestEvent};
///
/// struct SlowLog;
///
/// impl Observer for SlowLog {
///     fn request(&self, request: &RequestEvent<'_>) {
///         if request.waited + request.executed > std::time::Duration::from_secs(1) {
///             eprintln!("{} on {} was slow", request.operation, request.node);
///         }
///     }
/// }
///
/// let config = Config::new("postgresql://app@coordinator/app")?.observer(Arc::new(SlowLog));
/// # let _ = config;
/// # Ok::<(), citus_client::ConfigError>(())
/// ```
pub trait Observer: Send + Sync {
    /// A statement of a tenant was answered, or failed; each attempt is told by itself.
    fn request(&self, request: &RequestEvent<'_>) {
        let _ = request;
    }

    /// A statement or a transaction is about to be repeated.
    fn retry(&self, retried: Retried) {
        let _ = retried;
    }
}

/// What is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Retried {
    /// A statement outside of transactions.
    Statement,
    /// A whole transaction ([`Tenant::transaction`](crate::Tenant::transaction)).
    Transaction,
}

impl Retried {
    /// A short name, fit for a log or a metric.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Statement => "statement",
            Self::Transaction => "transaction",
        }
    }
}

/// An attempt at a statement of a tenant.
#[derive(Debug)]
#[non_exhaustive]
pub struct RequestEvent<'a> {
    /// The first word of the statement in capitals, of those that PostgreSQL's grammar knows: `SELECT`,
    /// `INSERT`, `UPDATE`, `DELETE`, `MERGE`, `WITH`, `VALUES`, `TABLE`, or `OTHER`.
    pub operation: &'static str,
    /// The node that it was sent to.
    pub node: &'a NodeAddress,
    /// Why there.
    pub route: RouteReason,
    /// How long it waited for a connection; nothing in a transaction, which has one.
    pub waited: Duration,
    /// How long it took from then to its last row.
    pub executed: Duration,
    /// What went wrong.
    pub error: Option<&'a RequestError>,
    /// Whose it was, without telling who that is.
    pub tenant: TenantHash,
}

/// Those who are told, and the key of what they are told of tenants.
#[derive(Clone, Default)]
pub(crate) struct Observers {
    all: Vec<Arc<dyn Observer>>,
    key: TenantHashKey,
}

impl Observers {
    pub(crate) fn add(&mut self, observer: Arc<dyn Observer>) {
        self.all.push(observer);
    }

    pub(crate) fn set_key(&mut self, key: TenantHashKey) {
        self.key = key;
    }

    /// A statement begins. No clock is read where nobody wants to know.
    pub(crate) fn watch(&self) -> Watch<'_> {
        Watch {
            observers: self,
            began: (!self.all.is_empty()).then(Instant::now),
            waited: Duration::ZERO,
        }
    }

    pub(crate) fn retry(&self, retried: Retried) {
        for observer in &self.all {
            observer.retry(retried);
        }
    }
}

/// A statement that is under way.
pub(crate) struct Watch<'a> {
    observers: &'a Observers,
    began: Option<Instant>,
    waited: Duration,
}

impl Watch<'_> {
    /// It has its connection.
    pub(crate) fn acquired(&mut self) {
        if let Some(began) = &mut self.began {
            let now = Instant::now();
            self.waited = now - *began;
            *began = now;
        }
    }

    /// It was answered, or has failed.
    pub(crate) fn ended<T>(
        &self,
        text: &str,
        node: &NodeAddress,
        route: RouteReason,
        tenant: &TenantId,
        result: &Result<T, RequestError>,
    ) {
        let Some(began) = self.began else { return };
        let event = RequestEvent {
            operation: operation(text),
            node,
            route,
            waited: self.waited,
            executed: began.elapsed(),
            error: result.as_ref().err(),
            tenant: self.observers.key.hash(tenant),
        };
        for observer in &self.observers.all {
            observer.request(&event);
        }
    }
}

/// The first word of a statement.
pub(crate) fn operation(text: &str) -> &'static str {
    const KNOWN: [&str; 8] = [
        "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "VALUES", "TABLE",
    ];
    let text = text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '(');
    let end = text.find(|c: char| !c.is_ascii_alphabetic());
    let word = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    let mut known = KNOWN.into_iter();
    known
        .find(|known| known.eq_ignore_ascii_case(word))
        .unwrap_or("OTHER")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operation_is_the_first_word() {
        assert_eq!(operation("select 1"), "SELECT");
        assert_eq!(operation(" (\n(SELECT 1) UNION SELECT 2)"), "SELECT");
        assert_eq!(operation("With a AS (SELECT 1) DELETE FROM t"), "WITH");
        assert_eq!(operation("-- SELECT\nSELECT"), "OTHER");
        assert_eq!(operation("VALUES(1)"), "VALUES");
        assert_eq!(operation(""), "OTHER");
        assert_eq!(operation("é"), "OTHER");
    }
}
