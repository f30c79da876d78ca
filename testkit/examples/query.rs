//! Runs the SQL of standard input on a fresh database of a fresh server and prints each row, with
//! blanks between its values.

use std::error::Error;
use std::io::{self, Read as _, Write as _};

use citus_testkit::TestCluster;
use citus_testkit::tokio_postgres::SimpleQueryMessage;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut sql = String::new();
    io::stdin().read_to_string(&mut sql)?;
    let cluster = TestCluster::start().await?;
    let database = cluster.create_database().await?;
    let client = database.connect().await?;
    let mut out = io::stdout().lock();
    for message in client.simple_query(&sql).await? {
        if let SimpleQueryMessage::Row(row) = message {
            let values: Vec<&str> = (0..row.len())
                .map(|index| row.get(index).unwrap_or_default())
                .collect();
            writeln!(out, "{}", values.join(" "))?;
        }
    }
    Ok(())
}
