//! What is done when a certain message passes.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::network::{Cut, End, Way};
use super::protocol::is_request;
use super::{Direction, ErrorResponse};

/// Which message is meant. Messages that are encrypted are not seen.
///
/// ```
/// use citus_testkit::Message;
///
/// let commit = Message::from_client(b'Q').containing("COMMIT");
/// let committed = Message::from_server(b'C').containing("COMMIT");
/// let third_row = Message::from_server(b'D').after(2);
/// # let _ = (commit, committed, third_row);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Message {
    way: Way,
    /// Any request of a client without it.
    tag: Option<u8>,
    containing: Vec<u8>,
    after: usize,
}

impl Message {
    /// A message of the client with this tag: `b'Q'` is a simple query, `b'P'` Parse, `b'B'` Bind,
    /// `b'E'` Execute, `b'S'` Sync.
    pub fn from_client(tag: u8) -> Self {
        Self::new(Way::ToServer, Some(tag))
    }

    /// A message of the server with this tag: `b'C'` is `CommandComplete`, `b'D'` a row, `b'Z'`
    /// `ReadyForQuery`, `b'E'` an error.
    pub fn from_server(tag: u8) -> Self {
        Self::new(Way::ToClient, Some(tag))
    }

    /// Whatever a client asks: a simple query, or any message of the extended protocol. Not what
    /// belongs to the start, to `COPY` or to the end.
    pub fn request() -> Self {
        Self::new(Way::ToServer, None)
    }

    /// Only with these bytes in its body (of a message longer than 64 KiB: in the beginning), such
    /// as `INSERT` in a `CommandComplete` or a Parse.
    pub fn containing(mut self, text: impl AsRef<[u8]>) -> Self {
        text.as_ref().clone_into(&mut self.containing);
        self
    }

    /// Lets this many of them pass first.
    pub fn after(mut self, count: usize) -> Self {
        self.after = count;
        self
    }

    fn new(way: Way, tag: Option<u8>) -> Self {
        Self {
            way,
            tag,
            containing: Vec::new(),
            after: 0,
        }
    }

    fn is(&self, way: Way, message: &[u8]) -> bool {
        let Some((&tag, body)) = message.split_first() else {
            return false;
        };
        let wanted = &self.containing;
        way == self.way
            && self.tag.map_or(is_request(tag), |wanted| wanted == tag)
            && (wanted.is_empty() || body.windows(wanted.len()).any(|found| found == wanted))
    }
}

/// What is done when a message passes.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Reaction {
    /// It does not arrive, and its connection is cut. At the server's answer to `COMMIT`
    /// (`Message::from_server(b'C').containing("COMMIT")`) that is the commit of which the client
    /// cannot know.
    Cut(Cut),
    /// The first half of it arrives, and its connection is cut.
    CutInside(Cut),
    /// It arrives, and its connection is cut then.
    CutAfter(Cut),
    /// It is lost, and so is whatever comes after it on its connection, either way: nobody hears
    /// anything any more, not even that the other has closed. [`FaultProxy::heal`](super::FaultProxy)
    /// resets such connections.
    BlackHole,
    /// It does not arrive, and the server's side of its connection is closed. The client is not
    /// told; when it sends something next, the connection is reset.
    HalfOpen,
    /// It arrives this much later, and what follows it not before.
    Delay(Duration),
    /// A request is not carried out, but answered with this error; a [fatal](ErrorResponse::fatal)
    /// one ends the session. When the message is no request, the next request of its connection is.
    ///
    /// The server gets a statement that it refuses in place of the request, and of its answer only
    /// the error is exchanged: so an open transaction has really failed after it, and the message
    /// `ReadyForQuery` says so.
    Answer(ErrorResponse),
}

/// What was put on a proxy with [`FaultProxy::on`](super::FaultProxy::on). Dropping it changes
/// nothing: it stays until it happens, or until [`FaultProxy::heal`](super::FaultProxy::heal).
#[derive(Debug, Clone)]
pub struct Armed {
    fired: watch::Receiver<bool>,
}

impl Armed {
    /// Whether it has happened.
    pub fn has_fired(&self) -> bool {
        *self.fired.borrow()
    }

    /// Waits until it happens, without a bound; `false` when it will not happen any more.
    pub async fn fired(&self) -> bool {
        let mut fired = self.fired.clone();
        fired.wait_for(|fired| *fired).await.is_ok()
    }
}

/// All that waits for something to pass through one proxy.
#[derive(Debug, Default)]
pub(super) struct Rules(Mutex<Vec<Rule>>);

#[derive(Debug)]
struct Rule {
    trigger: Trigger,
    fired: watch::Sender<bool>,
}

#[derive(Debug)]
enum Trigger {
    Message(Message, Reaction),
    /// After so many more bytes.
    Bytes {
        direction: Direction,
        left: usize,
        cut: Cut,
    },
}

impl Rules {
    pub(super) fn on(&self, message: Message, reaction: Reaction) -> Armed {
        self.add(Trigger::Message(message, reaction))
    }

    pub(super) fn after(&self, direction: Direction, bytes: usize, cut: Cut) -> Armed {
        self.add(Trigger::Bytes {
            direction,
            left: bytes,
            cut,
        })
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    /// What is to be done about a message. The first rule that it meets is used up.
    pub(super) fn reaction(&self, way: Way, message: &[u8]) -> Option<Reaction> {
        let mut rules = self.lock();
        for (index, rule) in rules.iter_mut().enumerate() {
            let Trigger::Message(pattern, _) = &mut rule.trigger else {
                continue;
            };
            if !pattern.is(way, message) {
                continue;
            }
            if pattern.after > 0 {
                pattern.after -= 1;
                continue;
            }
            let rule = rules.remove(index);
            rule.fired.send_replace(true);
            return match rule.trigger {
                Trigger::Message(_, reaction) => Some(reaction),
                Trigger::Bytes { .. } => None,
            };
        }
        None
    }

    /// How many of so many bytes still pass, if the connection is cut in them.
    pub(super) fn cut(&self, way: Way, bytes: usize) -> Option<(usize, End)> {
        let mut rules = self.lock();
        for (index, rule) in rules.iter_mut().enumerate() {
            let Trigger::Bytes {
                direction,
                left,
                cut,
            } = &mut rule.trigger
            else {
                continue;
            };
            if !direction.covers(way) {
                continue;
            }
            if *left >= bytes {
                *left -= bytes;
                continue;
            }
            let (passing, end) = (*left, End::Cut(*cut));
            rules.remove(index).fired.send_replace(true);
            return Some((passing, end));
        }
        None
    }

    fn add(&self, trigger: Trigger) -> Armed {
        let (sender, fired) = watch::channel(false);
        self.lock().push(Rule {
            trigger,
            fired: sender,
        });
        Armed { fired }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::protocol::message;
    use super::*;

    #[test]
    fn a_message_is_known_by_its_way_its_tag_and_its_text() {
        let commit = message(b'C', b"COMMIT\0");
        assert!(Message::from_server(b'C').is(Way::ToClient, &commit));
        assert!(
            Message::from_server(b'C')
                .containing("COMMIT")
                .is(Way::ToClient, &commit)
        );
        assert!(
            !Message::from_server(b'C')
                .containing("INSERT")
                .is(Way::ToClient, &commit)
        );
        assert!(!Message::from_client(b'C').is(Way::ToClient, &commit));
        assert!(Message::request().is(Way::ToServer, &message(b'B', b"")));
        assert!(!Message::request().is(Way::ToServer, &message(b'X', b"")));
    }

    #[test]
    fn a_rule_lets_some_pass_and_happens_once() {
        let rules = Rules::default();
        let row = message(b'D', b"");
        let armed = rules.on(
            Message::from_server(b'D').after(1),
            Reaction::Cut(Cut::Close),
        );
        assert!(rules.reaction(Way::ToClient, &row).is_none());
        assert!(!armed.has_fired());
        assert!(rules.reaction(Way::ToClient, &row).is_some());
        assert!(armed.has_fired());
        assert!(rules.reaction(Way::ToClient, &row).is_none());
    }

    #[test]
    fn bytes_are_counted_in_their_direction() {
        let rules = Rules::default();
        rules.after(Direction::ToClient, 10, Cut::Reset);
        assert_eq!(rules.cut(Way::ToServer, 100), None);
        assert_eq!(rules.cut(Way::ToClient, 10), None);
        assert_eq!(rules.cut(Way::ToClient, 1), Some((0, End::Cut(Cut::Reset))));
        assert_eq!(rules.cut(Way::ToClient, 1), None);
    }
}
