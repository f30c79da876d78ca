//! Ports for servers.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

/// Below what Linux (32768 up) and macOS (49152 up) give to outgoing connections: a port of these
/// could be taken while its server is being restarted.
const PORTS: std::ops::Range<u16> = 12_000..32_000;

/// As many as Linux allows unless it is told otherwise.
const BACKLOG: u32 = 4096;

/// A port that nobody else gets while this lives.
///
/// The socket is bound and does not listen, so a connection to it is refused, as it is when
/// nothing is there.
#[derive(Debug)]
pub(crate) struct Reservation {
    port: u16,
    socket: TcpSocket,
}

impl Reservation {
    /// Reserves some free port.
    pub(crate) fn any() -> io::Result<Self> {
        let count = PORTS.end - PORTS.start;
        let start = u16::try_from(RandomState::new().hash_one(0) % u64::from(count)).unwrap_or(0);
        for offset in 0..count {
            // Widened: the sum can be more than a u16 holds.
            let index = (u32::from(start) + u32::from(offset)) % u32::from(count);
            let port = PORTS.start + u16::try_from(index).unwrap_or(0);
            if let Ok(socket) = bound(port, false) {
                return Ok(Self { port, socket });
            }
        }
        Err(io::Error::new(io::ErrorKind::AddrInUse, "no port is free"))
    }

    /// Keeps the port of a server that has just stopped. Its closed connections can linger in the
    /// kernel, hence the address is reused.
    pub(crate) fn of(port: u16) -> io::Result<Self> {
        bound(port, true).map(|socket| Self { port, socket })
    }

    /// Accepts connections on it; from now on nothing is refused.
    pub(crate) fn listen(self) -> io::Result<TcpListener> {
        // What is accepted inherits it: the port can be reserved again while such connections go on.
        self.socket.set_reuseaddr(true)?;
        self.socket.listen(BACKLOG)
    }

    /// Lets go of it, for the server to take.
    pub(crate) fn release(self) -> u16 {
        self.port
    }
}

fn bound(port: u16, reuse: bool) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(reuse)?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::{PORTS, Reservation, bound, io};

    #[test]
    fn a_reserved_port_is_nobody_elses_and_refuses() {
        let reservation = Reservation::any().unwrap();
        let port = reservation.port;
        assert!(PORTS.contains(&port));
        assert!(bound(port, false).is_err());
        let refused = TcpStream::connect(("127.0.0.1", port)).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(reservation.release(), port);
        // A process that another test is just starting has a copy of the socket until its program
        // runs. A server whose port is held that way is started again, too.
        assert!((0..1000).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(1));
            TcpListener::bind(("127.0.0.1", port)).is_ok()
        }));
    }

    #[test]
    fn two_reservations_differ() {
        let (one, two) = (Reservation::any().unwrap(), Reservation::any().unwrap());
        assert_ne!(one.port, two.port);
    }
}
