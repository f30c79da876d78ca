//! Asking a server for the facts of its schema.

use std::time::Duration;

use anyhow::Context;
use tenant_guard::doctor::{CATALOG_QUERY, CITUS_QUERY, SchemaFacts};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// For connecting and both answers.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Reads the facts. No error holds the URL, which may hold a password.
pub(crate) fn facts(url: &str) -> anyhow::Result<SchemaFacts> {
    let config: tokio_postgres::Config = url
        .parse()
        .map_err(|_| anyhow::anyhow!("--database is no connection string"))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime
        .block_on(async { tokio::time::timeout(TIMEOUT, read(&config)).await })
        .context("the server does not answer")?
}

async fn read(config: &tokio_postgres::Config) -> anyhow::Result<SchemaFacts> {
    let (client, connection) = config
        .connect(NoTls)
        .await
        .context("cannot connect to the database")?;
    tokio::spawn(connection);
    let catalog = ask(&client, CATALOG_QUERY)
        .await
        .context("cannot read the catalogs")?;
    let mut facts: SchemaFacts = serde_json::from_str(&catalog)?;
    match ask(&client, CITUS_QUERY).await {
        Ok(citus) => facts.citus = Some(serde_json::from_str(&citus)?),
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => {}
        Err(error) => return Err(error).context("cannot read Citus' catalogs"),
    }
    Ok(facts)
}

/// The only value of the only row.
async fn ask(client: &Client, query: &str) -> Result<String, tokio_postgres::Error> {
    let answer = client.simple_query(query).await?;
    let value = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    Ok(value.unwrap_or_default().to_owned())
}
