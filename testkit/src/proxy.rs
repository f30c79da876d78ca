//! A proxy between clients and a server that lets the network fail.

mod counts;
mod dialogue;
mod error_response;
mod network;
mod protocol;
mod pump;
mod rule;
mod session;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use crate::local::Reservation;
use counts::Counters;
pub use counts::Counts;
pub use error_response::ErrorResponse;
pub use network::{Cut, Direction};
use network::{End, Network, Passage};
use rule::Rules;
pub use rule::{Armed, Message, Reaction};
use session::{Orders, Session};

/// A proxy between clients and one server, which lets the network fail when it is told to: slow,
/// narrow, cut, half-open, a black hole, or a server that answers with an error.
///
/// It understands where PostgreSQL's messages begin and end, so that a fault can be put between two
/// of them, or inside of one. It listens on 127.0.0.1, on a port of its own, and a task of the
/// tokio runtime that it was started on serves it. Dropping it cuts its connections.
///
/// [`TestCluster::proxied`](crate::TestCluster::proxied) puts one before each node.
///
/// ```no_run
/// # async fn test() -> Result<(), Box<dyn std::error::Error>> {
/// use citus_testkit::{Cut, FaultProxy, Message, Reaction, TestCluster};
///
/// let cluster = TestCluster::shared().await?;
/// let node = &cluster.workers()[0];
/// let proxy = FaultProxy::start(node.host(), node.port()).await?;
/// // … an application connects to `proxy.address()` …
///
/// // The next transaction is committed, and nobody is told.
/// let unknown = proxy.on(
///     Message::from_server(b'C').containing("COMMIT"),
///     Reaction::Cut(Cut::Reset),
/// );
/// // …
/// assert!(unknown.has_fired());
/// # Ok(())
/// # }
/// ```
///
/// # What stays and what happens once
/// [`delay`](Self::delay), [`bandwidth`](Self::bandwidth), [`hold`](Self::hold),
/// [`black_hole`](Self::black_hole) and [`refuse`](Self::refuse) are states of the network: they
/// stay, for all connections, until [`heal`](Self::heal). [`cut`](Self::cut) and
/// [`half_open`](Self::half_open) happen at once, to the connections that are there. What waits for
/// something to pass, [`on`](Self::on) and [`cut_after`](Self::cut_after), happens once, to the
/// connection on which that passes.
///
/// # Limits
/// Encrypted connections are passed on without being understood: what depends on a message never
/// happens there. The handshake of TCP is the kernel's: behind a black hole connections still come
/// about, and nothing answers.
#[derive(Debug)]
pub struct FaultProxy {
    shared: Arc<Shared>,
    address: SocketAddr,
    listening: watch::Receiver<bool>,
    accepting: AbortHandle,
}

/// What the sessions of a proxy share with its handle.
#[derive(Debug)]
struct Shared {
    server: (String, u16),
    network: watch::Sender<Network>,
    /// The last one; sessions hear those that come after they began.
    orders: watch::Sender<Option<End>>,
    rules: Rules,
    counters: Counters,
}

impl FaultProxy {
    /// Listens on a free port of 127.0.0.1 and passes connections on to a server, which need not be
    /// there yet.
    ///
    /// # Errors
    /// When no port can be bound.
    #[expect(clippy::unused_async, reason = "it is polled where there is a runtime")]
    pub async fn start(host: impl Into<String>, port: u16) -> io::Result<Self> {
        let reservation = Reservation::any()?;
        let listener = reservation.listen()?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            server: (host.into(), port),
            network: watch::Sender::default(),
            orders: watch::Sender::default(),
            rules: Rules::default(),
            counters: Counters::new(),
        });
        let (sender, listening) = watch::channel(true);
        let serving = serve(Arc::clone(&shared), listener, address.port(), sender);
        Ok(Self {
            shared,
            address,
            listening,
            accepting: tokio::spawn(serving).abort_handle(),
        })
    }

    /// Where clients connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port of [`FaultProxy::address`].
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Everything takes this much longer.
    pub fn delay(&self, direction: Direction, delay: Duration) {
        self.change(|network| network.change(direction, |way| way.delay = delay));
    }

    /// No more than this many bytes in a second pass, of each connection and each way.
    pub fn bandwidth(&self, direction: Direction, bytes_per_second: u64) {
        let bandwidth = Some(bytes_per_second.max(1));
        self.change(|network| network.change(direction, |way| way.bandwidth = bandwidth));
    }

    /// Nothing passes any more. What is sent waits, also the end of a connection, and passes when
    /// the network is healed: as when packets are lost for a while and sent again.
    pub fn hold(&self, direction: Direction) {
        self.passage(direction, Passage::Held);
    }

    /// What is sent is lost, also the end of a connection, and nobody is told. A connection that has
    /// lost something is reset when the network is healed, new ones then begin anew.
    pub fn black_hole(&self, direction: Direction) {
        self.passage(direction, Passage::Swallowed);
    }

    /// New connections are refused, those that are there go on. Returns when it is so.
    pub async fn refuse(&self) {
        self.change(|network| network.refuses = true);
        self.listens(false).await;
    }

    /// Ends every state of the network, and takes back whatever waits for something to pass. What was
    /// held passes now; connections that have lost something are reset. Returns when new connections
    /// are accepted.
    pub async fn heal(&self) {
        self.shared.rules.clear();
        self.change(Network::heal);
        self.listens(true).await;
    }

    /// Cuts all connections that are there.
    pub fn cut(&self, cut: Cut) {
        self.order(End::Cut(cut));
    }

    /// Closes the server's side of all connections that are there. Their clients are not told; when
    /// one of them sends something next, its connection is reset.
    pub fn half_open(&self) {
        self.order(End::HalfOpen);
    }

    /// When such a message passes next, on whichever connection, this is done about it. The first of
    /// several that wait for the same message is the first to be used up.
    pub fn on(&self, message: Message, reaction: Reaction) -> Armed {
        self.shared.rules.on(message, reaction)
    }

    /// After so many more bytes in a direction, of all connections together, the connection is cut
    /// that would carry the next: inside of a message, unless they end with it. Only what follows the
    /// start of a session counts.
    pub fn cut_after(&self, direction: Direction, bytes: usize, cut: Cut) -> Armed {
        self.shared.rules.after(direction, bytes, cut)
    }

    /// What has been seen until now.
    pub fn counts(&self) -> Counts {
        self.shared.counters.counts()
    }

    fn passage(&self, direction: Direction, passage: Passage) {
        self.change(|network| network.change(direction, |way| way.passage = passage));
    }

    fn change(&self, change: impl FnOnce(&mut Network)) {
        self.shared.network.send_modify(change);
    }

    fn order(&self, end: End) {
        self.shared.orders.send_replace(Some(end));
    }

    async fn listens(&self, listens: bool) {
        // An error: the runtime that served it is gone, and nothing listens.
        let _ = self.listening.clone().wait_for(|is| *is == listens).await;
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// A port, on which connections are accepted or refused.
enum Door {
    Open(TcpListener),
    /// Nobody else gets the port meanwhile.
    Shut(Option<Reservation>),
}

async fn serve(
    shared: Arc<Shared>,
    listener: TcpListener,
    port: u16,
    listening: watch::Sender<bool>,
) {
    let mut network = shared.network.subscribe();
    let mut sessions = JoinSet::new();
    let mut door = Door::Open(listener);
    loop {
        let refuses = network.borrow_and_update().refuses;
        door = match door {
            Door::Open(listener) if refuses => {
                drop(listener);
                Door::Shut(Reservation::of(port).ok())
            }
            Door::Shut(reservation) if !refuses => {
                let reservation = reservation.map_or_else(|| Reservation::of(port), Ok);
                match reservation.and_then(Reservation::listen) {
                    Ok(listener) => Door::Open(listener),
                    Err(error) => {
                        tracing::error!(%error, port, "a fault proxy has lost its port");
                        return;
                    }
                }
            }
            door => door,
        };
        listening.send_replace(matches!(door, Door::Open(_)));
        tokio::select! {
            accepted = accept(&door) => if let Ok(client) = accepted {
                let orders = Orders::new(&shared);
                sessions.spawn(Session::run(Arc::clone(&shared), orders, client));
            },
            Some(_) = sessions.join_next() => {}
            changed = network.changed() => if changed.is_err() {
                return;
            },
        }
    }
}

async fn accept(door: &Door) -> io::Result<TcpStream> {
    match door {
        Door::Open(listener) => listener.accept().await.map(|(client, _)| client),
        Door::Shut(_) => std::future::pending().await,
    }
}
