//! One way of one connection.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::dialogue::Passing;
use super::network::{Conditions, Cut, End, Network, Passage, Way};
use super::protocol::{Framing, Piece};
use super::session::Session;

/// What is on its way is this much at most, in bytes; then nothing more is read.
const CAPACITY: usize = 256 * 1024;
const READ: usize = 16 * 1024;

/// Carries the bytes of one way, as the network and the rules have it.
pub(super) struct Pump<'a> {
    session: &'a Session,
    network: watch::Receiver<Network>,
    way: Way,
    framing: Framing,
    inbox: Vec<u8>,
    outbox: Outbox,
    /// Nothing more is taken.
    closed: bool,
    /// Something was lost, so that what follows it makes no sense any more.
    lost: bool,
    /// What is left of a long message goes where its beginning went.
    drops_rest: bool,
}

impl<'a> Pump<'a> {
    pub(super) fn new(session: &'a Session, way: Way, framing: Framing) -> Self {
        Self {
            session,
            network: session.network(),
            way,
            framing,
            inbox: Vec::new(),
            outbox: Outbox::default(),
            closed: false,
            lost: false,
            drops_rest: false,
        }
    }

    /// Until the connection ends.
    pub(super) async fn run(mut self, mut reader: ReadHalf<'_>, mut writer: WriteHalf<'_>) -> End {
        loop {
            let conditions = *self.network.borrow_and_update().way(self.way);
            let open = conditions.passage == Passage::Open;
            if open && self.lost {
                return End::Cut(Cut::Reset);
            }
            let has_room = !self.closed && self.outbox.size < CAPACITY;
            let due = self.outbox.due().filter(|_| open);
            self.inbox.reserve(READ);
            tokio::select! {
                changed = self.network.changed() => if changed.is_err() {
                    return End::Cut(Cut::Reset);
                },
                read = reader.read_buf(&mut self.inbox), if has_room => self.take(&read),
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    match self.outbox.send(&mut writer, conditions.bandwidth).await {
                        Ok(None) => {}
                        Ok(Some(End::Finished)) => {
                            let _ = writer.shutdown().await;
                            return End::Finished;
                        }
                        Ok(Some(end)) => return end,
                        Err(_) => return End::Cut(Cut::Reset),
                    }
                }
            }
        }
    }

    /// What was read goes on its way.
    fn take(&mut self, read: &io::Result<usize>) {
        // As it is now: it may have been changed while nothing came.
        let conditions = *self.network.borrow().way(self.way);
        if let Ok(bytes) = read {
            self.session.counters().bytes(self.way, *bytes);
        }
        if conditions.passage == Passage::Swallowed {
            self.lost = true;
            self.inbox.clear();
            self.closed = !matches!(read, Ok(1..));
            return;
        }
        let due = Instant::now() + conditions.delay;
        while !self.closed {
            let passing = match self.framing.next(&mut self.inbox) {
                Some(Piece::Message(message)) => self.message(message),
                Some(Piece::Bytes(_)) if self.drops_rest => continue,
                Some(Piece::Bytes(bytes)) => Passing::of(bytes),
                None => break,
            };
            self.send(passing, due);
        }
        let end = match read {
            Ok(1..) => return,
            Ok(0) => End::Finished,
            Err(_) => End::Cut(Cut::Reset),
        };
        if !self.closed {
            // What came of a message that never became whole.
            let mut last = Passing::of(std::mem::take(&mut self.inbox));
            last.then = Some(end);
            self.send(last, due);
        }
    }

    fn message(&mut self, message: Vec<u8>) -> Passing {
        if let Some(tag) = message.first() {
            self.session.counters().message(self.way, *tag);
        }
        let passing = self
            .session
            .dialogue()
            .pass(self.way, message, self.session.rules());
        self.drops_rest = !passing.whole;
        passing
    }

    fn send(&mut self, mut passing: Passing, due: Instant) {
        if let Some((bytes, end)) = self.session.rules().cut(self.way, passing.bytes.len()) {
            passing.bytes.truncate(bytes);
            passing.then = Some(end);
        }
        self.closed = passing.then.is_some();
        self.outbox.push(passing, due);
    }
}

/// What is on its way.
#[derive(Default)]
struct Outbox {
    parcels: VecDeque<Parcel>,
    size: usize,
    /// When a narrow line has carried what was sent.
    free: Option<Instant>,
}

struct Parcel {
    due: Instant,
    bytes: Vec<u8>,
    /// How many bytes have arrived.
    sent: usize,
    then: Option<End>,
}

impl Outbox {
    fn push(&mut self, passing: Passing, due: Instant) {
        let due = due + passing.delay;
        self.size += passing.bytes.len();
        match self.parcels.back_mut() {
            Some(last) if last.due == due && last.then.is_none() => {
                last.bytes.extend(passing.bytes);
                last.then = passing.then;
            }
            _ => self.parcels.push_back(Parcel {
                due,
                bytes: passing.bytes,
                sent: 0,
                then: passing.then,
            }),
        }
    }

    /// When the next of it arrives.
    fn due(&self) -> Option<Instant> {
        let next = self.parcels.front()?.due;
        Some(self.free.map_or(next, |free| free.max(next)))
    }

    /// Lets the next of it arrive, and says what happens to the connection after it.
    async fn send(
        &mut self,
        writer: &mut WriteHalf<'_>,
        bandwidth: Option<u64>,
    ) -> io::Result<Option<End>> {
        let Some(parcel) = self.parcels.front_mut() else {
            return Ok(None);
        };
        let left = parcel.bytes.len() - parcel.sent;
        let size = bandwidth.map_or(left, |bandwidth| left.min(portion(bandwidth)));
        let portion = &parcel.bytes[parcel.sent..parcel.sent + size];
        writer.write_all(portion).await?;
        self.free = bandwidth.map(|bandwidth| Instant::now() + time_for(size, bandwidth));
        self.size -= size;
        parcel.sent += size;
        if parcel.sent < parcel.bytes.len() {
            return Ok(None);
        }
        Ok(self.parcels.pop_front().and_then(|parcel| parcel.then))
    }
}

/// A twentieth of a second's bytes, and one at least.
fn portion(bandwidth: u64) -> usize {
    usize::try_from(bandwidth / 20).unwrap_or(usize::MAX).max(1)
}

fn time_for(bytes: usize, bandwidth: u64) -> Duration {
    let nanos = bytes as u64 * 1_000_000_000 / bandwidth.max(1);
    Duration::from_nanos(nanos)
}

/// Waits until the network lets something pass on a way.
pub(super) async fn gate(network: &mut watch::Receiver<Network>, way: Way) -> Result<(), End> {
    let mut conditions = conditions(network, way);
    let swallowed = conditions.passage == Passage::Swallowed;
    while conditions.passage != Passage::Open {
        if network.changed().await.is_err() {
            return Err(End::Cut(Cut::Reset));
        }
        conditions = self::conditions(network, way);
    }
    if swallowed {
        return Err(End::Cut(Cut::Reset));
    }
    tokio::time::sleep(conditions.delay).await;
    Ok(())
}

fn conditions(network: &mut watch::Receiver<Network>, way: Way) -> Conditions {
    *network.borrow_and_update().way(way)
}
