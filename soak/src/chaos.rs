//! What goes wrong: the network all the time, and now and then a server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use citus_testkit::{Armed, Cut, Direction, ErrorResponse, Event, FaultProxy, Message, Reaction};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use tokio::time::{sleep, timeout};

use crate::stage::Stage;
use crate::tally::Tally;

/// How long is waited for the message that a fault is to meet.
const PATIENCE: Duration = Duration::from_secs(2);

/// Lets the network fail until it is told to stop, and heals it then.
pub(crate) async fn network(
    stage: Arc<Stage>,
    tally: Arc<Tally>,
    stop: Arc<AtomicBool>,
    seed: u64,
) -> anyhow::Result<()> {
    let mut random = StdRng::seed_from_u64(seed);
    while !stop.load(Ordering::Acquire) {
        sleep(millis(&mut random, 300..1500)).await;
        let node = random.random_range(0..stage.nodes());
        if random.random_bool(0.5) {
            let (kind, event) = event(&mut random, node);
            tally.fault(kind, event.to_string());
            event.happen(&stage.servers, &stage.proxied).await?;
            if let Some(end) = event.end() {
                sleep(millis(&mut random, 300..2500)).await;
                end.happen(&stage.servers, &stage.proxied).await?;
            }
        } else if let Some(proxy) = stage.proxied.node(node) {
            let (kind, armed) = trap(&mut random, proxy);
            // What nothing came by for is taken back.
            if timeout(PATIENCE, armed.fired()).await == Ok(true) {
                tally.fault(kind, format!("{kind}, node {node}"));
                sleep(millis(&mut random, 0..500)).await;
            }
            proxy.heal().await;
        }
    }
    Ok(())
}

/// A state of the network, or a blow to the connections that are there.
fn event(random: &mut StdRng, node: usize) -> (&'static str, Event) {
    let directions = [Direction::ToServer, Direction::ToClient, Direction::Both];
    let direction = directions
        .choose(random)
        .copied()
        .unwrap_or(Direction::Both);
    match random.random_range(0..8) {
        0 => ("connections reset", Event::Cut(node, Cut::Reset)),
        1 => ("connections closed", Event::Cut(node, Cut::Close)),
        2 => ("connections half-open", Event::HalfOpen(node)),
        3 => ("black hole", Event::BlackHole(node, direction)),
        4 => ("network held", Event::Hold(node, direction)),
        5 => ("connections refused", Event::Refuse(node)),
        6 => (
            "network slow",
            Event::Delay(node, direction, Duration::from_millis(30)),
        ),
        _ => ("network narrow", Event::Bandwidth(node, direction, 20_000)),
    }
}

/// Something that happens when a certain message passes.
fn trap(random: &mut StdRng, proxy: &FaultProxy) -> (&'static str, Armed) {
    let cut = if random.random_bool(0.5) {
        Cut::Reset
    } else {
        Cut::Close
    };
    let commit = Message::from_client(b'Q').containing("COMMIT");
    let committed = Message::from_server(b'C').containing("COMMIT");
    let inserted = Message::from_server(b'C').containing("INSERT");
    let updated = Message::from_server(b'C').containing("UPDATE");
    let row = Message::from_server(b'D');
    let request = || Message::request().after(3);
    let (kind, message, reaction) = match random.random_range(0..12) {
        0 => ("cut before COMMIT arrives", commit, Reaction::Cut(cut)),
        1 => ("cut after COMMIT was done", committed, Reaction::Cut(cut)),
        2 => ("cut after INSERT was done", inserted, Reaction::Cut(cut)),
        3 => ("cut after UPDATE was done", updated, Reaction::Cut(cut)),
        4 => ("cut inside of a row", row, Reaction::CutInside(cut)),
        5 => (
            "cut inside of a request",
            request(),
            Reaction::CutInside(cut),
        ),
        6 => ("answer to COMMIT swallowed", committed, Reaction::BlackHole),
        7 => (
            "connection half-open at a request",
            request(),
            Reaction::HalfOpen,
        ),
        8 => (
            "40001 injected",
            request(),
            Reaction::Answer(ErrorResponse::new("40001")),
        ),
        9 => {
            let stale = ErrorResponse::new("0A000").routine("RevalidateCachedQuery");
            ("0A000 injected", request(), Reaction::Answer(stale))
        }
        10 => {
            let shutdown = ErrorResponse::new("57P01").fatal();
            ("57P01 injected", request(), Reaction::Answer(shutdown))
        }
        _ => (
            "53300 injected",
            request(),
            Reaction::Answer(ErrorResponse::new("53300")),
        ),
    };
    (kind, proxy.on(message, reaction))
}

/// Stops, kills or freezes a server for some seconds.
pub(crate) async fn server(
    stage: &Stage,
    tally: &Tally,
    random: &mut StdRng,
) -> anyhow::Result<()> {
    let node = random.random_range(0..stage.nodes());
    let (kind, event) = match random.random_range(0..4) {
        0 => ("server stopped", Event::Stop(node)),
        1 => ("server frozen", Event::Pause(node)),
        _ => ("server killed", Event::Kill(node)),
    };
    let kind = match (node, stage.nodes()) {
        (0, 2..) => "coordinator down",
        _ => kind,
    };
    tally.fault(kind, event.to_string());
    event.happen(&stage.servers, &stage.proxied).await?;
    sleep(millis(random, 500..4000)).await;
    if let Some(end) = event.end() {
        end.happen(&stage.servers, &stage.proxied).await?;
    }
    Ok(())
}

fn millis(random: &mut StdRng, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(random.random_range(range))
}
