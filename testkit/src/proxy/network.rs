//! What the network between the clients and the server is like at the moment.

use std::time::Duration;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client to the server: what is asked.
    ToServer,
    /// From the server to the client: what is answered.
    ToClient,
    /// Both.
    Both,
}

impl Direction {
    pub(super) fn covers(self, way: Way) -> bool {
        match self {
            Self::ToServer => way == Way::ToServer,
            Self::ToClient => way == Way::ToClient,
            Self::Both => true,
        }
    }
}

/// One of the two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    ToServer,
    ToClient,
}

/// What the network does to everything that passes, until it is changed again.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Network {
    pub(super) to_server: Conditions,
    pub(super) to_client: Conditions,
    /// New connections are refused.
    pub(super) refuses: bool,
    /// How often it was healed.
    pub(super) healed: u64,
}

/// One way of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Conditions {
    pub(super) passage: Passage,
    pub(super) delay: Duration,
    /// In bytes per second.
    pub(super) bandwidth: Option<u64>,
}

/// What becomes of bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Passage {
    #[default]
    Open,
    /// They wait.
    Held,
    /// They are lost.
    Swallowed,
}

impl Network {
    pub(super) fn way(&self, way: Way) -> &Conditions {
        match way {
            Way::ToServer => &self.to_server,
            Way::ToClient => &self.to_client,
        }
    }

    /// Changes the ways of a direction.
    pub(super) fn change(&mut self, direction: Direction, change: impl Fn(&mut Conditions)) {
        if direction.covers(Way::ToServer) {
            change(&mut self.to_server);
        }
        if direction.covers(Way::ToClient) {
            change(&mut self.to_client);
        }
    }

    /// What it was before anything was done to it.
    pub(super) fn heal(&mut self) {
        *self = Self {
            healed: self.healed + 1,
            ..Self::default()
        };
    }
}

/// How a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cut {
    /// In order (`FIN`): both sides read the end of the stream, as when a process ends.
    Close,
    /// At once (`RST`): both sides get the error "connection reset", as when a machine has gone and
    /// another one answers for it.
    Reset,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// By itself: both sides have closed.
    Finished,
    Cut(Cut),
    /// Only the server's side is gone.
    HalfOpen,
    /// Whatever is sent is lost, until the network is healed.
    BlackHole,
}
