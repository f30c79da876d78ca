//! Scripts of what happens to a cluster, and when.

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::{Cut, Direction, FaultProxy, Node, NodeError, ProxiedCluster, TestCluster};

/// What happens to a cluster, and when: a script that is played while an application works.
///
/// Nodes are counted from the coordinator, which is 0.
///
/// ```no_run
/// # async fn test() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use citus_testkit::{Direction, Event, Scenario, TestCluster};
///
/// let second = Duration::from_secs(1);
/// let scenario = Scenario::new()
///     .at(2 * second, Event::Kill(2))
///     .at(5 * second, Event::Start(2))
///     .between(7 * second, 10 * second, Event::BlackHole(1, Direction::Both));
///
/// let cluster = TestCluster::start().await?;
/// let proxied = cluster.proxied().await?;
/// # async fn application() {}
/// let (played, ()) = tokio::join!(scenario.play(&cluster, &proxied), application());
/// played?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "nothing happens before `play`"]
pub struct Scenario {
    /// In the order of their times.
    events: Vec<(Duration, Event)>,
}

/// Something that happens to a node, or to the network before it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// [`Node::stop`].
    Stop(usize),
    /// [`Node::stop_hard`].
    Kill(usize),
    /// [`Node::start`].
    Start(usize),
    /// [`Node::pause`].
    Pause(usize),
    /// [`Node::resume`].
    Resume(usize),
    /// [`FaultProxy::delay`].
    Delay(usize, Direction, Duration),
    /// [`FaultProxy::bandwidth`].
    Bandwidth(usize, Direction, u64),
    /// [`FaultProxy::hold`].
    Hold(usize, Direction),
    /// [`FaultProxy::black_hole`].
    BlackHole(usize, Direction),
    /// [`FaultProxy::refuse`].
    Refuse(usize),
    /// [`FaultProxy::cut`].
    Cut(usize, Cut),
    /// [`FaultProxy::half_open`].
    HalfOpen(usize),
    /// [`FaultProxy::heal`].
    Heal(usize),
}

impl Scenario {
    /// In which nothing happens yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// This happens so long after the beginning; of events at one time the first to be named is the
    /// first.
    pub fn at(mut self, when: Duration, event: Event) -> Self {
        let place = self.events.partition_point(|(other, _)| *other <= when);
        self.events.insert(place, (when, event));
        self
    }

    /// This happens so long after the beginning, and then what [ends](Event::end) it.
    pub fn between(self, from: Duration, to: Duration, event: Event) -> Self {
        let end = event.end();
        let this = self.at(from, event);
        match end {
            Some(end) => this.at(to, end),
            None => this,
        }
    }

    /// What happens, and when after the beginning.
    pub fn events(&self) -> impl Iterator<Item = (Duration, &Event)> {
        self.events.iter().map(|(when, event)| (*when, event))
    }

    /// Lets everything happen at its time, and returns after the last. Each event is told to
    /// `tracing`, at level `info`. An event can take long (a server that starts); what follows is
    /// late then, and not left out.
    ///
    /// # Errors
    /// The first event that fails ends it: [`NodeError::Missing`], and those of [`Node`]'s methods.
    pub async fn play(
        &self,
        cluster: &TestCluster,
        proxied: &ProxiedCluster,
    ) -> Result<(), NodeError> {
        let start = Instant::now();
        for (when, event) in &self.events {
            sleep_until(start + *when).await;
            tracing::info!(%event, "the scenario goes on");
            event.happen(cluster, proxied).await?;
        }
        Ok(())
    }
}

/// One event a line, such as `at 2s kill node 1`.
impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (when, event) in &self.events {
            writeln!(f, "at {when:?} {event}")?;
        }
        Ok(())
    }
}

impl Event {
    /// What ends it: a server that was stopped starts, one that was paused goes on, a network that
    /// was changed is healed. `None` for what is over at once.
    pub fn end(&self) -> Option<Self> {
        match *self {
            Self::Stop(node) | Self::Kill(node) => Some(Self::Start(node)),
            Self::Pause(node) => Some(Self::Resume(node)),
            Self::Delay(node, ..)
            | Self::Bandwidth(node, ..)
            | Self::Hold(node, _)
            | Self::BlackHole(node, _)
            | Self::Refuse(node) => Some(Self::Heal(node)),
            Self::Start(_)
            | Self::Resume(_)
            | Self::Cut(..)
            | Self::HalfOpen(_)
            | Self::Heal(_) => None,
        }
    }

    /// Lets it happen now.
    ///
    /// # Errors
    /// [`NodeError::Missing`], and those of [`Node`]'s methods.
    pub async fn happen(
        &self,
        cluster: &TestCluster,
        proxied: &ProxiedCluster,
    ) -> Result<(), NodeError> {
        let node = |index| server(cluster, index);
        let proxy = |index| before(proxied, index);
        match *self {
            Self::Stop(index) => node(index)?.stop().await?,
            Self::Kill(index) => node(index)?.stop_hard().await?,
            Self::Start(index) => node(index)?.start().await?,
            Self::Pause(index) => node(index)?.pause().await?,
            Self::Resume(index) => node(index)?.resume().await?,
            Self::Delay(index, direction, delay) => proxy(index)?.delay(direction, delay),
            Self::Bandwidth(index, direction, bytes) => proxy(index)?.bandwidth(direction, bytes),
            Self::Hold(index, direction) => proxy(index)?.hold(direction),
            Self::BlackHole(index, direction) => proxy(index)?.black_hole(direction),
            Self::Refuse(index) => proxy(index)?.refuse().await,
            Self::Cut(index, cut) => proxy(index)?.cut(cut),
            Self::HalfOpen(index) => proxy(index)?.half_open(),
            Self::Heal(index) => proxy(index)?.heal().await,
        }
        Ok(())
    }
}

fn server(cluster: &TestCluster, index: usize) -> Result<&Node, NodeError> {
    let node = cluster.nodes().nth(index);
    node.ok_or(NodeError::Missing { index })
}

fn before(proxied: &ProxiedCluster, index: usize) -> Result<&FaultProxy, NodeError> {
    proxied.node(index).ok_or(NodeError::Missing { index })
}

/// What happens, and to which node, such as `kill node 1`.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = |direction| match direction {
            Direction::ToServer => "what goes to",
            Direction::ToClient => "what comes from",
            Direction::Both => "all that goes to and comes from",
        };
        match *self {
            Self::Stop(node) => write!(f, "stop node {node}"),
            Self::Kill(node) => write!(f, "kill node {node}"),
            Self::Start(node) => write!(f, "start node {node}"),
            Self::Pause(node) => write!(f, "pause node {node}"),
            Self::Resume(node) => write!(f, "resume node {node}"),
            Self::Delay(node, direction, delay) => {
                write!(f, "delay {} node {node} by {delay:?}", way(direction))
            }
            Self::Bandwidth(node, direction, bytes) => {
                let way = way(direction);
                write!(f, "limit {way} node {node} to {bytes} bytes in a second")
            }
            Self::Hold(node, direction) => write!(f, "hold {} node {node}", way(direction)),
            Self::BlackHole(node, direction) => {
                write!(f, "swallow {} node {node}", way(direction))
            }
            Self::Refuse(node) => write!(f, "refuse connections to node {node}"),
            Self::Cut(node, Cut::Close) => write!(f, "close the connections to node {node}"),
            Self::Cut(node, Cut::Reset) => write!(f, "reset the connections to node {node}"),
            Self::HalfOpen(node) => write!(f, "leave the connections to node {node} half-open"),
            Self::Heal(node) => write!(f, "heal the network before node {node}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_reads_in_the_order_of_its_times() {
        let second = Duration::from_secs(1);
        let scenario = Scenario::new()
            .between(
                7 * second,
                10 * second,
                Event::BlackHole(1, Direction::Both),
            )
            .between(2 * second, 5 * second, Event::Kill(2))
            .at(2 * second, Event::Cut(0, Cut::Reset));
        let expected = "at 2s kill node 2\n\
                        at 2s reset the connections to node 0\n\
                        at 5s start node 2\n\
                        at 7s swallow all that goes to and comes from node 1\n\
                        at 10s heal the network before node 1\n";
        assert_eq!(scenario.to_string(), expected);
    }
}
