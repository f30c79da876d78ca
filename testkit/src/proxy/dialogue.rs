//! What a session has asked, and what is to become of its messages.

use std::collections::VecDeque;
use std::time::Duration;

use super::ErrorResponse;
use super::network::{End, Way};
use super::protocol::{ends_a_batch, is_request, message};
use super::rule::{Reaction, Rules};

/// Follows the two ways of one session, as an answer depends on what was asked.
#[derive(Debug, Default)]
pub(super) struct Dialogue {
    /// The `ReadyForQuery` that the server still owes. With an error: the server was given something
    /// that it refuses, and this is what the client is told instead.
    batches: VecDeque<Option<ErrorResponse>>,
    /// The rest of the client's batch does not arrive: it was answered.
    skips: bool,
    /// For the next request.
    answer: Option<ErrorResponse>,
}

/// What becomes of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Passing {
    /// What arrives.
    pub(super) bytes: Vec<u8>,
    /// Whether that is the message as it was, so that the rest of a long one belongs to it.
    pub(super) whole: bool,
    /// How much later.
    pub(super) delay: Duration,
    /// What happens to the connection then.
    pub(super) then: Option<End>,
}

impl Dialogue {
    /// A session that has sent its first packet.
    pub(super) fn started() -> Self {
        Self {
            batches: VecDeque::from([None]),
            ..Self::default()
        }
    }

    /// A message on its way.
    pub(super) fn pass(&mut self, way: Way, message: Vec<u8>, rules: &Rules) -> Passing {
        let Some(&tag) = message.first() else {
            return Passing::of(message);
        };
        if way == Way::ToServer && self.skips {
            return self.skipped(tag, message);
        }
        let reaction = rules.reaction(way, &message);
        let mut passing = Passing::of(message);
        match reaction {
            None => {}
            Some(Reaction::Answer(error)) => self.answer = Some(error),
            Some(reaction) => passing.apply(&reaction),
        }
        match way {
            Way::ToServer => self.ask(tag, &mut passing),
            Way::ToClient => self.hear(tag, &mut passing),
        }
        passing
    }

    fn ask(&mut self, tag: u8, passing: &mut Passing) {
        if is_request(tag)
            && passing.then.is_none()
            && let Some(error) = self.answer.take()
        {
            passing.replace(refused_batch());
            self.batches.push_back(Some(error));
            self.skips = !ends_a_batch(tag);
        } else if ends_a_batch(tag) {
            self.batches.push_back(None);
        }
    }

    fn hear(&mut self, tag: u8, passing: &mut Passing) {
        match tag {
            b'E' => {
                if let Some(Some(error)) = self.batches.front() {
                    passing.replace(error.encode());
                    if error.is_fatal() {
                        passing.then = Some(End::Cut(super::Cut::Close));
                    }
                }
            }
            b'Z' => drop(self.batches.pop_front()),
            _ => {}
        }
    }

    fn skipped(&mut self, tag: u8, message: Vec<u8>) -> Passing {
        let mut passing = Passing::of(message);
        match tag {
            b'X' => {}
            b'S' => {
                self.skips = false;
                passing.replace(Vec::new());
            }
            _ => passing.replace(Vec::new()),
        }
        passing
    }
}

impl Passing {
    /// A message that passes as it is.
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            whole: true,
            delay: Duration::ZERO,
            then: None,
        }
    }

    fn replace(&mut self, bytes: Vec<u8>) {
        self.bytes = bytes;
        self.whole = false;
    }

    fn apply(&mut self, reaction: &Reaction) {
        match reaction {
            Reaction::Cut(cut) => {
                self.replace(Vec::new());
                self.then = Some(End::Cut(*cut));
            }
            Reaction::CutInside(cut) => {
                self.bytes.truncate(self.bytes.len() / 2);
                self.then = Some(End::Cut(*cut));
            }
            Reaction::CutAfter(cut) => self.then = Some(End::Cut(*cut)),
            Reaction::BlackHole => {
                self.replace(Vec::new());
                self.then = Some(End::BlackHole);
            }
            Reaction::HalfOpen => {
                self.replace(Vec::new());
                self.then = Some(End::HalfOpen);
            }
            Reaction::Delay(delay) => self.delay = *delay,
            // It depends on what the session asks.
            Reaction::Answer(_) => {}
        }
    }
}

/// What every server refuses, and in no other way than a statement of the client: after an error in
/// the same batch it is skipped, in a transaction it fails that, and exactly one `ReadyForQuery`
/// follows.
fn refused_batch() -> Vec<u8> {
    // Parse: the name, the text, and the number of types.
    let parse = message(b'P', b"\0a fault proxy answers this request\0\0\0");
    [parse, message(b'S', b"")].concat()
}

#[cfg(test)]
mod tests {
    use super::super::{Cut, Message};
    use super::*;

    fn pass(dialogue: &mut Dialogue, rules: &Rules, way: Way, tag: u8, body: &[u8]) -> Vec<u8> {
        dialogue.pass(way, message(tag, body), rules).bytes
    }

    #[test]
    fn a_batch_that_is_answered_is_exchanged_for_one_that_the_server_refuses() {
        let (mut dialogue, rules) = (Dialogue::started(), Rules::default());
        let error = ErrorResponse::new("40001");
        rules.on(Message::from_client(b'B'), Reaction::Answer(error.clone()));
        let mut ask = |tag| pass(&mut dialogue, &rules, Way::ToServer, tag, b"");
        assert_eq!(ask(b'P'), message(b'P', b""));
        assert_eq!(ask(b'B'), refused_batch());
        assert_eq!((ask(b'E'), ask(b'S')), (vec![], vec![]));
        // The next batch is nothing special.
        assert_eq!(ask(b'Q'), message(b'Q', b""));
        let mut hear = |tag| pass(&mut dialogue, &rules, Way::ToClient, tag, b"");
        // Of the start, and of an error in it.
        assert_eq!(hear(b'E'), message(b'E', b""));
        assert_eq!(hear(b'Z'), message(b'Z', b""));
        assert_eq!(hear(b'1'), message(b'1', b""));
        assert_eq!(hear(b'E'), error.encode());
        assert_eq!(hear(b'Z'), message(b'Z', b""));
        assert_eq!(hear(b'E'), message(b'E', b""));
    }

    #[test]
    fn a_message_that_is_no_request_has_the_next_one_answered() {
        let (mut dialogue, rules) = (Dialogue::started(), Rules::default());
        let begun = Message::from_server(b'C').containing("BEGIN");
        rules.on(begun, Reaction::Answer(ErrorResponse::new("40001")));
        let bytes = pass(&mut dialogue, &rules, Way::ToClient, b'C', b"BEGIN\0");
        assert_eq!(bytes, message(b'C', b"BEGIN\0"));
        let bytes = pass(&mut dialogue, &rules, Way::ToServer, b'Q', b"SELECT 1\0");
        assert_eq!(bytes, refused_batch());
        let bytes = pass(&mut dialogue, &rules, Way::ToServer, b'Q', b"SELECT 2\0");
        assert_eq!(bytes, message(b'Q', b"SELECT 2\0"));
    }

    #[test]
    fn a_session_ends_after_a_fatal_error() {
        let (mut dialogue, rules) = (Dialogue::default(), Rules::default());
        let shutdown = ErrorResponse::new("57P01").fatal();
        rules.on(Message::request(), Reaction::Answer(shutdown));
        pass(&mut dialogue, &rules, Way::ToServer, b'Q', b"");
        let passing = dialogue.pass(Way::ToClient, message(b'E', b""), &rules);
        assert_eq!(passing.then, Some(End::Cut(Cut::Close)));
    }
}
