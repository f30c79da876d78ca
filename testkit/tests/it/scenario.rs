//! Scripts of what happens, and when.

use std::time::{Duration, Instant};

use citus_testkit::{Direction, Event, NodeError, Scenario};
use tokio::net::TcpStream;

use crate::support::{Result, bounded, connect_to, hangs, postgres};

#[tokio::test]
async fn what_stands_in_a_scenario_happens_to_the_node_it_names() -> Result {
    let cluster = postgres().await?;
    let proxied = cluster.proxied().await?;
    let now = Duration::ZERO;
    let worker = &proxied.workers()[0];
    Scenario::new()
        .at(now, Event::Kill(1))
        .at(now, Event::Refuse(2))
        .play(&cluster, &proxied)
        .await?;
    bounded(connect_to(worker)).await.unwrap_err();
    let refused = TcpStream::connect(proxied.workers()[1].address()).await;
    refused.unwrap_err();
    connect_to(proxied.coordinator()).await?;

    Scenario::new()
        .at(now, Event::Start(1))
        .at(now, Event::Heal(2))
        .at(now, Event::BlackHole(0, Direction::ToClient))
        .play(&cluster, &proxied)
        .await?;
    for worker in proxied.workers() {
        bounded(connect_to(worker)).await?;
    }
    hangs(connect_to(proxied.coordinator())).await;

    let start = Instant::now();
    let moment = Duration::from_millis(200);
    Scenario::new()
        .between(now, moment, Event::Pause(1))
        .at(2 * moment, Event::Heal(0))
        .play(&cluster, &proxied)
        .await?;
    assert!(start.elapsed() >= 2 * moment);
    for proxy in proxied.nodes() {
        bounded(connect_to(proxy)).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_node_that_is_not_there_is_an_error() -> Result {
    let cluster = postgres().await?;
    let proxied = cluster.proxied().await?;
    let scenario = Scenario::new().at(Duration::ZERO, Event::Kill(7));
    let error = scenario.play(&cluster, &proxied).await.unwrap_err();
    assert!(matches!(error, NodeError::Missing { index: 7 }), "{error}");
    Ok(())
}
