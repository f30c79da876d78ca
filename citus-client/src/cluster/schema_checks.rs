//! Looking for the schema's own ways around the guard, once for each tenancy.

use tenant_guard::Tenancy;
use tenant_guard::doctor::{Finding, Report, SchemaFacts, Severity, examine};

use crate::config::{Config, SchemaChecks};
use crate::connection::Connection;
use crate::error::ConnectError;
use crate::metadata;

/// Does what the configuration says, when connecting.
pub(super) async fn at_start(
    config: &Config,
    connection: &Connection,
    tenancy: &Tenancy,
) -> Result<(), ConnectError> {
    if is_idle(config, tenancy) {
        return Ok(());
    }
    let refuses = config.schema_checks == SchemaChecks::Refuse;
    match metadata::facts(connection, config.query_timeout).await {
        Ok(facts) => {
            let report = report(config, &facts, tenancy);
            tell(&report);
            if refuses && report.count(Severity::Error) > 0 {
                return Err(ConnectError::Schema(Box::new(report)));
            }
            Ok(())
        }
        Err(error) if refuses => Err(error),
        Err(error) => {
            untold(&error);
            Ok(())
        }
    }
}

/// The same when the schema has changed under a running application, which goes on whatever is
/// found.
pub(super) async fn after_change(config: &Config, connection: &Connection, tenancy: &Tenancy) {
    if is_idle(config, tenancy) {
        return;
    }
    match metadata::facts(connection, config.query_timeout).await {
        Ok(facts) => tell(&report(config, &facts, tenancy)),
        Err(error) => untold(&error),
    }
}

/// Without tenant tables there is nothing that tenants could meet in.
fn is_idle(config: &Config, tenancy: &Tenancy) -> bool {
    config.schema_checks == SchemaChecks::Off
        || tenancy.tables().all(|table| table.distribution().is_none())
}

fn report(config: &Config, facts: &SchemaFacts, tenancy: &Tenancy) -> Report {
    let exceptions = config.schema_exceptions.clone();
    examine(
        facts,
        tenancy,
        &exceptions.allow_functions_of(&config.policy),
    )
}

fn untold(error: &ConnectError) {
    tracing::warn!(%error, "the schema cannot be checked");
}

fn tell(report: &Report) {
    for finding in report.findings() {
        event(finding);
    }
}

fn event(finding: &Finding) {
    let (code, object) = (finding.code(), finding.object());
    let (message, fix) = (finding.message(), finding.fix());
    match finding.severity() {
        Severity::Error | Severity::Warning => {
            tracing::warn!(severity = %finding.severity(), %code, object, fix, "{message}");
        }
        Severity::Note => tracing::debug!(severity = "note", %code, object, fix, "{message}"),
    }
}
