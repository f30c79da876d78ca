//! What a proxy has seen.

use std::array::from_fn;
use std::sync::atomic::{AtomicU64, Ordering};

use super::network::Way;

/// What a proxy has seen since it was started, made by [`FaultProxy::counts`](super::FaultProxy).
///
/// Messages are counted when they come in, whatever becomes of them; those that are encrypted are
/// not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Connections that clients have made, with those that only sent a `CancelRequest`.
    pub connections: u64,
    /// Those of them that have not ended.
    pub open: u64,
    /// `CancelRequest`s.
    pub cancel_requests: u64,
    /// Bytes from clients, after the start of a session.
    pub bytes_from_clients: u64,
    /// Bytes from the server, after the start of a session.
    pub bytes_from_server: u64,
    from_clients: Vec<u64>,
    from_server: Vec<u64>,
}

impl Counts {
    /// Messages from clients with this tag, such as `b'Q'`.
    pub fn from_clients(&self, tag: u8) -> u64 {
        self.from_clients[usize::from(tag)]
    }

    /// Messages from the server with this tag, such as `b'C'`.
    pub fn from_server(&self, tag: u8) -> u64 {
        self.from_server[usize::from(tag)]
    }
}

#[derive(Debug)]
pub(super) struct Counters {
    connections: AtomicU64,
    ended: AtomicU64,
    cancel_requests: AtomicU64,
    to_server: Traffic,
    to_client: Traffic,
}

#[derive(Debug)]
struct Traffic {
    bytes: AtomicU64,
    messages: [AtomicU64; 256],
}

/// A connection, for as long as it is there.
#[derive(Debug)]
pub(super) struct Counted<'a>(&'a Counters);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        increase(&self.0.ended, 1);
    }
}

impl Counters {
    pub(super) fn new() -> Self {
        Self {
            connections: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            cancel_requests: AtomicU64::new(0),
            to_server: Traffic::new(),
            to_client: Traffic::new(),
        }
    }

    pub(super) fn connection(&self) -> Counted<'_> {
        increase(&self.connections, 1);
        Counted(self)
    }

    pub(super) fn cancel_request(&self) {
        increase(&self.cancel_requests, 1);
    }

    pub(super) fn message(&self, way: Way, tag: u8) {
        increase(&self.traffic(way).messages[usize::from(tag)], 1);
    }

    pub(super) fn bytes(&self, way: Way, bytes: usize) {
        increase(&self.traffic(way).bytes, bytes as u64);
    }

    pub(super) fn counts(&self) -> Counts {
        // In this order, so that there are never fewer than none open.
        let ended = read(&self.ended);
        let connections = read(&self.connections);
        Counts {
            connections,
            open: connections - ended,
            cancel_requests: read(&self.cancel_requests),
            bytes_from_clients: read(&self.to_server.bytes),
            bytes_from_server: read(&self.to_client.bytes),
            from_clients: self.to_server.messages.iter().map(read).collect(),
            from_server: self.to_client.messages.iter().map(read).collect(),
        }
    }

    fn traffic(&self, way: Way) -> &Traffic {
        match way {
            Way::ToServer => &self.to_server,
            Way::ToClient => &self.to_client,
        }
    }
}

impl Traffic {
    fn new() -> Self {
        Self {
            bytes: AtomicU64::new(0),
            messages: from_fn(|_| AtomicU64::new(0)),
        }
    }
}

fn increase(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::AcqRel);
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Acquire)
}
