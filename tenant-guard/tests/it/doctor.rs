//! The doctor on real servers.

#[cfg(feature = "cli")]
mod command;
mod live;
mod migrations;
mod page;

use citus_testkit::tokio_postgres::error::SqlState;
use citus_testkit::tokio_postgres::{Client, Error, SimpleQueryMessage};
use citus_testkit::{BackendChoice, TestCluster};
use tenant_guard::doctor::{CATALOG_QUERY, CITUS_QUERY, Code, Report, SchemaFacts};
use tokio::sync::OnceCell;

/// One plain server, also where there is Citus: much of what the doctor finds, Citus refuses.
async fn plain() -> &'static TestCluster {
    static PLAIN: OnceCell<TestCluster> = OnceCell::const_new();
    PLAIN
        .get_or_init(async || {
            let builder = TestCluster::builder().backend(BackendChoice::Postgres);
            builder.workers(0).start().await.unwrap()
        })
        .await
}

/// What the server tells, as a driver reads it.
pub(crate) async fn facts(client: &Client) -> SchemaFacts {
    let catalog = ask(client, CATALOG_QUERY).await.unwrap();
    let mut facts: SchemaFacts = serde_json::from_str(&catalog).unwrap();
    match ask(client, CITUS_QUERY).await {
        Ok(citus) => facts.citus = Some(serde_json::from_str(&citus).unwrap()),
        Err(error) => assert_eq!(error.code(), Some(&SqlState::UNDEFINED_TABLE)),
    }
    facts
}

async fn ask(client: &Client, query: &str) -> Result<String, Error> {
    let answer = client.simple_query(query).await?;
    let mut values = answer.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    Ok(values.next().unwrap())
}

/// Codes and objects.
fn found(report: &Report) -> Vec<(Code, &str)> {
    let findings = report.findings().iter();
    findings
        .map(|finding| (finding.code(), finding.object()))
        .collect()
}
