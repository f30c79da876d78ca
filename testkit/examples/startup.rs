//! Measures what a test pays: starting a cluster, a database, stopping.

use std::error::Error;
use std::time::Instant;

use citus_testkit::TestCluster;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    for _ in 0..5 {
        let begin = Instant::now();
        let cluster = TestCluster::start().await?;
        let started = begin.elapsed();
        let begin = Instant::now();
        let database = cluster.create_database().await?;
        let created = begin.elapsed();
        let begin = Instant::now();
        let second = cluster.create_database().await?;
        let created_second = begin.elapsed();
        let begin = Instant::now();
        drop((database, second));
        let backend = cluster.backend().to_string();
        drop(cluster);
        let stopped = begin.elapsed();
        println!(
            "{backend}: start {started:.0?}, first database {created:.0?}, second \
             {created_second:.0?}, stop {stopped:.0?}"
        );
    }
    Ok(())
}
