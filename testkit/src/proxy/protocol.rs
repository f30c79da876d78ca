//! Where the messages of PostgreSQL's protocol begin and end (version 3, "Message Formats" in
//! PostgreSQL's documentation).
//!
//! A client's first packets have a length and a code. From then on, either way, a message is a byte
//! that says its kind, a length that counts itself but not that byte, and a body.

/// `PG_PROTOCOL(1234, n)`: `src/include/libpq/pqcomm.h`.
const CANCEL_REQUEST: u32 = 80_877_102;
const SSL_REQUEST: u32 = 80_877_103;
const GSSENC_REQUEST: u32 = 80_877_104;

/// `MAX_STARTUP_PACKET_LENGTH`.
const LONGEST_PACKET: usize = 10_000;

/// The beginning of a TLS handshake: clients of PostgreSQL 17 can begin with it (`sslnegotiation`).
const TLS_HANDSHAKE: u8 = 0x16;

/// Longer messages are looked at in their beginning alone.
pub(super) const LONGEST_WHOLE: usize = 64 * 1024;

/// What a client begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packet {
    Cancel,
    /// It asks whether the connection can be encrypted; the answer is one byte.
    Encryption,
    Startup,
    /// Something else, of which nothing more can be said.
    Opaque,
}

/// What the first packet is, and how long; `None` while too little of it is there.
pub(super) fn packet(bytes: &[u8]) -> Option<(Packet, usize)> {
    if bytes.first() == Some(&TLS_HANDSHAKE) {
        return Some((Packet::Opaque, bytes.len()));
    }
    let length = number(bytes)?;
    let code = number(bytes.get(4..)?)?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if !(8..=LONGEST_PACKET).contains(&length) {
        return Some((Packet::Opaque, bytes.len()));
    }
    let packet = match code {
        CANCEL_REQUEST => Packet::Cancel,
        SSL_REQUEST | GSSENC_REQUEST => Packet::Encryption,
        _ => Packet::Startup,
    };
    (bytes.len() >= length).then_some((packet, length))
}

/// Cuts a stream into messages.
#[derive(Debug)]
pub(super) enum Framing {
    /// With this many bytes still to come of a message that began before.
    Messages { rest: usize },
    /// Encrypted, or no PostgreSQL at all.
    Opaque,
}

/// A part of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A message, or the first [`LONGEST_WHOLE`] bytes of one.
    Message(Vec<u8>),
    /// Bytes in between.
    Bytes(Vec<u8>),
}

impl Framing {
    /// Takes the next piece out of what has come, if enough is there.
    pub(super) fn next(&mut self, inbox: &mut Vec<u8>) -> Option<Piece> {
        if inbox.is_empty() {
            return None;
        }
        let rest = match self {
            Self::Opaque => return Some(Piece::Bytes(std::mem::take(inbox))),
            Self::Messages { rest } => rest,
        };
        if *rest > 0 {
            let bytes: Vec<u8> = inbox.drain(..inbox.len().min(*rest)).collect();
            *rest -= bytes.len();
            return Some(Piece::Bytes(bytes));
        }
        let length = number(inbox.get(1..)?)?;
        let Some(length) = usize::try_from(length).ok().filter(|length| *length >= 4) else {
            *self = Self::Opaque;
            return self.next(inbox);
        };
        let whole = 1 + length;
        let wanted = whole.min(LONGEST_WHOLE);
        if inbox.len() < wanted {
            return None;
        }
        *rest = whole - wanted;
        Some(Piece::Message(inbox.drain(..wanted).collect()))
    }
}

/// A message with its length.
pub(super) fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    let mut bytes = vec![tag];
    bytes.extend(length.to_be_bytes());
    bytes.extend(body);
    bytes
}

/// Whether the server answers such a message, or one of the same batch, with `ReadyForQuery`.
pub(super) fn ends_a_batch(tag: u8) -> bool {
    // Query, FunctionCall, Sync
    matches!(tag, b'Q' | b'F' | b'S')
}

/// Whether a client asks something with such a message.
pub(super) fn is_request(tag: u8) -> bool {
    // Besides those: Parse, Bind, Describe, Execute, Close, Flush
    ends_a_batch(tag) || matches!(tag, b'P' | b'B' | b'D' | b'E' | b'C' | b'H')
}

fn number(bytes: &[u8]) -> Option<u32> {
    let bytes = bytes.get(..4)?.try_into().ok()?;
    Some(u32::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_cut_into_its_messages_wherever_it_is_torn() {
        let stream = [message(b'Q', b"SELECT 1\0"), message(b'X', b"")].concat();
        for torn in 0..stream.len() {
            let mut framing = Framing::Messages { rest: 0 };
            let (mut inbox, mut pieces) = (Vec::new(), Vec::new());
            for part in [&stream[..torn], &stream[torn..]] {
                inbox.extend(part);
                while let Some(piece) = framing.next(&mut inbox) {
                    pieces.push(piece);
                }
            }
            let expected = [message(b'Q', b"SELECT 1\0"), message(b'X', b"")];
            assert_eq!(pieces, expected.map(Piece::Message));
        }
    }

    #[test]
    fn of_a_long_message_the_beginning_is_enough() {
        let long = message(b'D', &vec![7; 3 * LONGEST_WHOLE]);
        let stream = [long.clone(), message(b'C', b"SELECT 1\0")].concat();
        let mut framing = Framing::Messages { rest: 0 };
        let mut inbox = stream.clone();
        let mut got = Vec::new();
        let mut tags = Vec::new();
        while let Some(piece) = framing.next(&mut inbox) {
            match piece {
                Piece::Message(bytes) => {
                    tags.push(bytes[0]);
                    got.extend(bytes);
                }
                Piece::Bytes(bytes) => got.extend(bytes),
            }
        }
        assert_eq!((got, tags), (stream, vec![b'D', b'C']));
    }

    #[test]
    fn what_is_no_message_passes_as_it_is() {
        let mut framing = Framing::Messages { rest: 0 };
        let mut inbox = vec![b'Z', 0, 0, 0, 3, 1, 2];
        let piece = framing.next(&mut inbox);
        assert_eq!(piece, Some(Piece::Bytes(vec![b'Z', 0, 0, 0, 3, 1, 2])));
        assert!(framing.next(&mut inbox).is_none());
    }

    #[test]
    fn the_first_packets_are_told_apart() {
        let of = |length: u32, code: u32| [length.to_be_bytes(), code.to_be_bytes()].concat();
        assert_eq!(packet(&of(8, SSL_REQUEST)), Some((Packet::Encryption, 8)));
        assert_eq!(
            packet(&of(8, GSSENC_REQUEST)),
            Some((Packet::Encryption, 8))
        );
        assert_eq!(packet(&of(16, CANCEL_REQUEST)), None);
        let cancel = [of(16, CANCEL_REQUEST), of(1, 2)].concat();
        assert_eq!(packet(&cancel), Some((Packet::Cancel, 16)));
        assert_eq!(packet(&of(8, 196_608)), Some((Packet::Startup, 8)));
        assert_eq!(packet(&[TLS_HANDSHAKE, 3, 1]), Some((Packet::Opaque, 3)));
        assert_eq!(packet(b"GET / HTTP/1.1"), Some((Packet::Opaque, 14)));
    }
}
