//! One PostgreSQL process.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::sync::Mutex;
use tokio::time::sleep;

use super::account::Account;
use super::port::Reservation;
use super::process_tree::{self, signal};
use crate::{NodeError, StartError};

const START_TIMEOUT: Duration = Duration::from_secs(60);
/// For the polite ways to stop; then the process is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a restart waits for its port, should somebody have slipped in.
const PORT_TIMEOUT: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(5);
/// How much of a log an error shows, in bytes.
const LOG_TAIL: u64 = 4096;

/// A server over one data directory, running or not.
#[derive(Debug)]
pub(crate) struct Server {
    postgres: PathBuf,
    account: Account,
    data: PathBuf,
    log: PathBuf,
    port: u16,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    process: Option<Child>,
    /// Held while the server is stopped.
    reservation: Option<Reservation>,
}

/// How to stop a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Ends the sessions, writes everything out.
    Fast,
    /// As in a crash: the next start recovers from the log.
    Immediate,
}

impl Server {
    /// A server in `<home>/data` that has no port yet and does not run.
    pub(crate) fn new(postgres: PathBuf, account: Account, home: &Path) -> Self {
        Self {
            postgres,
            account,
            data: home.join("data"),
            log: home.join("log"),
            port: 0,
            state: Mutex::default(),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Starts it for the first time, on a port that is free. Between finding one and binding it
    /// another program can take it: then the next one is tried.
    pub(crate) async fn start_on_a_free_port(&mut self) -> Result<(), StartError> {
        const ATTEMPTS: usize = 20;
        let mut attempt = 1;
        loop {
            let reservation = Reservation::any().map_err(StartError::io("bind", "127.0.0.1"))?;
            self.port = reservation.release();
            match self.launch(self.state.lock().await).await {
                Err(NodeError::PortTaken { .. }) if attempt < ATTEMPTS => attempt += 1,
                result => return result.map_err(StartError::from),
            }
        }
    }

    /// Starts it on its port. Does nothing when it runs.
    pub(crate) async fn start(&self) -> Result<(), NodeError> {
        let deadline = Instant::now() + PORT_TIMEOUT;
        loop {
            let mut state = self.state.lock().await;
            if state.is_running() {
                return Ok(());
            }
            drop(state.reservation.take());
            match self.launch(state).await {
                Err(NodeError::PortTaken { .. }) if Instant::now() < deadline => sleep(POLL).await,
                result => return result,
            }
        }
    }

    /// Stops it. Does nothing when it does not run.
    pub(crate) async fn stop(&self, how: Stop) -> Result<(), NodeError> {
        let mut state = self.state.lock().await;
        let Some(process) = &mut state.process else {
            return Ok(());
        };
        let pid = process.id();
        let failed = |source| NodeError::Process {
            port: self.port,
            what: "stop",
            source,
        };
        let _ = signal(pid, how.signal());
        // Signals to a paused process wait until it goes on.
        let _ = process_tree::thaw(pid);
        let deadline = Instant::now() + STOP_TIMEOUT;
        while process.try_wait().map_err(failed)?.is_none() {
            if Instant::now() > deadline + STOP_TIMEOUT {
                return Err(NodeError::Timeout {
                    port: self.port,
                    what: "stop",
                    after: STOP_TIMEOUT * 2,
                    log: self.log(),
                });
            }
            if Instant::now() > deadline {
                process_tree::kill(pid);
            }
            sleep(POLL).await;
        }
        *state = State {
            process: None,
            reservation: Reservation::of(self.port).ok(),
        };
        Ok(())
    }

    /// Stops all its processes where they are: connections stay open and nothing answers.
    pub(crate) async fn pause(&self) -> Result<(), NodeError> {
        self.on_all("pause", |process| process_tree::freeze(process).map(drop))
            .await
    }

    /// Lets all its processes go on.
    pub(crate) async fn resume(&self) -> Result<(), NodeError> {
        self.on_all("resume", process_tree::thaw).await
    }

    /// The end of its log.
    pub(crate) fn log(&self) -> String {
        tail(&self.log, 0).unwrap_or_default()
    }

    /// Tells it to stop at once, without waiting.
    pub(crate) fn abandon(&mut self) {
        if let Some(process) = &self.state.get_mut().process {
            let _ = signal(process.id(), Signal::QUIT);
            let _ = process_tree::thaw(process.id());
        }
    }

    async fn on_all(
        &self,
        what: &'static str,
        signal: impl FnOnce(u32) -> io::Result<()>,
    ) -> Result<(), NodeError> {
        let failed = |source| NodeError::Process {
            port: self.port,
            what,
            source,
        };
        let state = self.state.lock().await;
        let process = state.process.as_ref();
        let process = process.ok_or_else(|| failed(io::Error::other("it is not running")))?;
        signal(process.id()).map_err(failed)
    }

    async fn launch(&self, mut state: tokio::sync::MutexGuard<'_, State>) -> Result<(), NodeError> {
        let failed = |source| NodeError::Process {
            port: self.port,
            what: "start",
            source,
        };
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)
            .map_err(failed)?;
        let log_start = log.metadata().map_err(failed)?.len();
        let process = self
            .account
            .command(&self.postgres, &self.data)
            .arg("-D")
            .arg(&self.data)
            // On the command line, where neither a setting of the user nor ALTER SYSTEM wins.
            .args([
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "unix_socket_directories=",
            ])
            .args(["-c", &format!("port={}", self.port)])
            .stdout(log.try_clone().map_err(failed)?)
            .stderr(log)
            .spawn()
            .map_err(failed)?;
        let pid = process.id();
        // Stored before the first await: a caller that gives up must not lose the process.
        let process = state.process.insert(process);
        let deadline = Instant::now() + START_TIMEOUT;
        while !is_ready(&self.data, pid) {
            if let Some(status) = process.try_wait().map_err(failed)? {
                state.process = None;
                return Err(self.ended(status, log_start));
            }
            if Instant::now() > deadline {
                return Err(NodeError::Timeout {
                    port: self.port,
                    what: "start",
                    after: START_TIMEOUT,
                    log: tail(&self.log, log_start).unwrap_or_default(),
                });
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    fn ended(&self, status: ExitStatus, log_start: u64) -> NodeError {
        let log = tail(&self.log, log_start).unwrap_or_default();
        if log.contains("Address already in use") {
            return NodeError::PortTaken { port: self.port };
        }
        NodeError::Exited {
            port: self.port,
            status: status.to_string(),
            log,
        }
    }
}

/// Bounded: 5 seconds for the server to end by itself, and then it is killed.
impl Drop for Server {
    fn drop(&mut self) {
        self.abandon();
        let Some(mut process) = self.state.get_mut().process.take() else {
            return;
        };
        let deadline = Instant::now() + Duration::from_secs(5);
        while matches!(process.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                process_tree::kill(process.id());
                let _ = process.wait();
                return;
            }
            std::thread::sleep(POLL);
        }
    }
}

impl State {
    fn is_running(&mut self) -> bool {
        self.process
            .as_mut()
            .is_some_and(|process| matches!(process.try_wait(), Ok(None)))
    }
}

impl Stop {
    fn signal(self) -> Signal {
        match self {
            Self::Fast => Signal::INT,
            Self::Immediate => Signal::QUIT,
        }
    }
}

/// Whether the server with this process number accepts connections. A connection that succeeds
/// would not tell: it could be another server that took the port first.
fn is_ready(data: &Path, pid: u32) -> bool {
    // Since PostgreSQL 10: the process number is the first line, the status the eighth.
    fs::read_to_string(data.join("postmaster.pid")).is_ok_and(|lock| {
        let mut lines = lock.lines().map(str::trim);
        lines.next() == Some(pid.to_string().as_str()) && lines.nth(6) == Some("ready")
    })
}

/// The end of a log, from `start` on.
fn tail(log: &Path, start: u64) -> io::Result<String> {
    let mut file = File::open(log)?;
    let start = start.max(file.metadata()?.len().saturating_sub(LOG_TAIL));
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::local::home::Home;
    use crate::local::installation::Installation;
    use crate::local::template;

    #[tokio::test]
    async fn a_port_that_somebody_took_is_told_apart() {
        let installation = Installation::find().unwrap();
        let account = Account::for_servers().unwrap();
        let home = Home::new(account).unwrap();
        let node = home.node("node0").unwrap();
        let template = template::template(&installation, false, account)
            .await
            .unwrap();
        template::spawn_copy(template, node.join("data"), account)
            .await
            .unwrap();
        let mut server = Server::new(installation.program("postgres"), account, &node);

        let other = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        server.port = other.local_addr().unwrap().port();
        let error = server.launch(server.state.lock().await).await.unwrap_err();
        assert!(matches!(error, NodeError::PortTaken { .. }), "{error}");
        drop(other);
        server.start().await.unwrap();
    }
}
