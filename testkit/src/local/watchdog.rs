//! Cleaning up after a test process that ended without dropping its cluster.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A child process that stops the servers and removes their directory when this process is gone:
/// killed, aborted, or ended with a cluster in a static, which is never dropped.
///
/// It notices by the end of a pipe whose other end only this process has.
#[derive(Debug)]
pub(crate) struct Watchdog {
    shell: Child,
}

impl Watchdog {
    /// Starts it for a directory, in which each server has its data in `<node>/data`.
    pub(crate) fn over(directory: &Path) -> io::Result<Self> {
        Self::running(include_str!("watchdog.sh"), directory.as_os_str())
    }

    /// Starts it with a script of its own, which sleeps until its standard input ends.
    pub(crate) fn running(script: &str, argument: &OsStr) -> io::Result<Self> {
        let shell = Command::new("/bin/sh")
            .args(["-c", script, "citus-testkit-watchdog"])
            .arg(argument)
            .current_dir("/")
            .stdin(Stdio::piped())
            // A test runner that reads our output must not wait for this child.
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Neither Ctrl-C nor a runner that kills the test's process group may reach it.
            .process_group(0)
            .spawn()?;
        Ok(Self { shell })
    }
}

/// Sends it home. The directory is gone by then, so it ends at once.
impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}
