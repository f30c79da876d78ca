//! One connection through the proxy.

use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::Shared;
use super::counts::Counters;
use super::dialogue::Dialogue;
use super::network::{Cut, End, Network, Way};
use super::protocol::{Framing, Packet, packet};
use super::pump::{Pump, gate};
use super::rule::Rules;

/// How long the other side has to close after it was told of the end.
const LINGER: Duration = Duration::from_secs(5);

/// One connection of a client, and the one to the server that belongs to it.
pub(super) struct Session {
    shared: Arc<Shared>,
    dialogue: Mutex<Dialogue>,
}

/// What a session is told from outside, from now on.
pub(super) struct Orders(watch::Receiver<Option<End>>);

impl Orders {
    pub(super) fn new(shared: &Shared) -> Self {
        Self(shared.orders.subscribe())
    }

    async fn next(&mut self) -> End {
        match self.0.changed().await {
            Ok(()) => self.0.borrow_and_update().unwrap_or(End::Finished),
            Err(_) => End::Cut(Cut::Reset),
        }
    }
}

impl Session {
    /// Serves a client to its end.
    pub(super) async fn run(shared: Arc<Shared>, mut orders: Orders, mut client: TcpStream) {
        let session = Self {
            shared: Arc::clone(&shared),
            dialogue: Mutex::default(),
        };
        let _counted = shared.counters.connection();
        let _ = client.set_nodelay(true);
        let mut server = None;
        let end = tokio::select! {
            biased;
            end = orders.next() => end,
            end = session.converse(&mut client, &mut server) => end,
        };
        session.finish(end, orders, client, server).await;
    }

    pub(super) fn network(&self) -> watch::Receiver<Network> {
        self.shared.network.subscribe()
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    pub(super) fn rules(&self) -> &Rules {
        &self.shared.rules
    }

    pub(super) fn dialogue(&self) -> MutexGuard<'_, Dialogue> {
        self.dialogue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn converse(&self, client: &mut TcpStream, server: &mut Option<TcpStream>) -> End {
        let framing = match self.start(client, server).await {
            Ok(framing) => framing,
            Err(end) => return end,
        };
        let Some(server) = server else {
            return End::Finished;
        };
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let (one, other) = match framing {
            Framing::Messages { .. } => {
                *self.dialogue() = Dialogue::started();
                (Framing::Messages { rest: 0 }, Framing::Messages { rest: 0 })
            }
            Framing::Opaque => (Framing::Opaque, Framing::Opaque),
        };
        let asking = Pump::new(self, Way::ToServer, one).run(from_client, to_server);
        let answering = Pump::new(self, Way::ToClient, other).run(from_server, to_client);
        tokio::pin!(asking, answering);
        let (end, other_asks) = tokio::select! {
            end = &mut asking => (end, false),
            end = &mut answering => (end, true),
        };
        match end {
            End::Finished if other_asks => asking.await,
            End::Finished => answering.await,
            end => end,
        }
    }

    /// The client's first packets, up to the one after which messages have tags.
    async fn start(
        &self,
        client: &mut TcpStream,
        server: &mut Option<TcpStream>,
    ) -> Result<Framing, End> {
        let mut network = self.network();
        let mut inbox = Vec::new();
        loop {
            let (kind, bytes) = first_packet(client, &mut inbox).await?;
            if kind == Packet::Cancel {
                self.counters().cancel_request();
            }
            gate(&mut network, Way::ToServer).await?;
            let server = match server {
                Some(server) => server,
                None => server.insert(self.connect().await?),
            };
            broken(server.write_all(&bytes).await)?;
            match kind {
                Packet::Startup => return Ok(Framing::Messages { rest: 0 }),
                Packet::Cancel | Packet::Opaque => return Ok(Framing::Opaque),
                Packet::Encryption => {
                    let answer = broken(server.read_u8().await)?;
                    gate(&mut network, Way::ToClient).await?;
                    broken(client.write_u8(answer).await)?;
                    if answer != b'N' {
                        return Ok(Framing::Opaque);
                    }
                }
            }
        }
    }

    async fn connect(&self) -> Result<TcpStream, End> {
        let (host, port) = &self.shared.server;
        let server = broken(TcpStream::connect((host.as_str(), *port)).await)?;
        let _ = server.set_nodelay(true);
        Ok(server)
    }

    async fn finish(
        &self,
        end: End,
        mut orders: Orders,
        mut client: TcpStream,
        mut server: Option<TcpStream>,
    ) {
        let cut = match end {
            End::Finished => return,
            End::Cut(cut) => cut,
            End::HalfOpen => {
                drop(server.take());
                tokio::select! {
                    read = client.read_u8() => match read {
                        Ok(_) => Cut::Reset,
                        Err(_) => return,
                    },
                    cut = ordered(&mut orders) => cut,
                }
            }
            End::BlackHole => {
                let mut network = self.network();
                let healed = network.borrow().healed;
                tokio::select! {
                    _ = network.wait_for(|network| network.healed > healed) => Cut::Reset,
                    cut = ordered(&mut orders) => cut,
                    () = swallow_for_ever(Some(&mut client)) => return,
                    () = swallow_for_ever(server.as_mut()) => return,
                }
            }
        };
        match cut {
            Cut::Reset => {
                for stream in [Some(client), server].into_iter().flatten() {
                    let _ = stream.set_zero_linger();
                }
            }
            Cut::Close => {
                let server = async {
                    if let Some(server) = server {
                        close(server).await;
                    }
                };
                tokio::join!(close(client), server);
            }
        }
    }
}

/// The next order that ends what has ended already.
async fn ordered(orders: &mut Orders) -> Cut {
    loop {
        if let End::Cut(cut) = orders.next().await {
            return cut;
        }
    }
}

/// Whatever comes, to its end.
async fn swallow(stream: &mut TcpStream) {
    let mut buffer = [0; 4096];
    while matches!(stream.read(&mut buffer).await, Ok(1..)) {}
}

/// Also beyond its end.
async fn swallow_for_ever(stream: Option<&mut TcpStream>) {
    if let Some(stream) = stream {
        swallow(stream).await;
    }
    pending::<()>().await;
}

/// In order. With bytes that nobody has read the kernel would make a reset of it.
async fn close(mut stream: TcpStream) {
    if stream.shutdown().await.is_ok() {
        let _ = timeout(LINGER, swallow(&mut stream)).await;
    }
}

async fn first_packet(
    client: &mut TcpStream,
    inbox: &mut Vec<u8>,
) -> Result<(Packet, Vec<u8>), End> {
    loop {
        if let Some((kind, length)) = packet(inbox) {
            // What else came belongs to what follows: nothing follows a startup packet unasked.
            let bytes = match kind {
                Packet::Encryption => inbox.drain(..length).collect(),
                Packet::Cancel | Packet::Startup | Packet::Opaque => std::mem::take(inbox),
            };
            return Ok((kind, bytes));
        }
        match client.read_buf(inbox).await {
            Ok(1..) => {}
            Ok(0) => return Err(End::Finished),
            Err(_) => return Err(End::Cut(Cut::Reset)),
        }
    }
}

fn broken<T>(result: std::io::Result<T>) -> Result<T, End> {
    result.map_err(|_| End::Cut(Cut::Reset))
}
