//! The user that the servers run as.

use std::ffi::OsStr;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::StartError;

/// The owner of the server processes and of their files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Account {
    /// Whoever runs this process.
    Own,
    /// An unprivileged user, because this process runs as root, as which PostgreSQL refuses to run.
    Unprivileged { uid: u32, gid: u32 },
}

impl Account {
    pub(crate) fn for_servers() -> Result<Self, StartError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Own);
        }
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| match (id("-u", name)?, id("-g", name)?) {
                (0, _) => None,
                (uid, gid) => Some(Self::Unprivileged { uid, gid }),
            })
            .ok_or(StartError::NoUnprivilegedUser)
    }

    /// A command that runs as this user, in a process group of its own so that a Ctrl-C in the
    /// terminal reaches the test alone, and without the caller's settings for PostgreSQL clients.
    pub(crate) fn command(self, program: &Path, directory: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(directory)
            .stdin(Stdio::null())
            .process_group(0);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        // On macOS a server without a locale becomes multithreaded while it starts, and gives up.
        command.env("LC_ALL", "C");
        if let Self::Unprivileged { uid, gid } = self {
            // The standard library drops the supplementary groups along with root.
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Gives a file or directory to this user.
    pub(crate) fn own(self, path: &Path) -> Result<(), StartError> {
        match self {
            Self::Own => Ok(()),
            Self::Unprivileged { uid, gid } => chown(path, Some(uid), Some(gid))
                .map_err(StartError::io("change the owner of", path)),
        }
    }
}

/// Asks the program `id`, which knows every source of users that the system is set up for.
fn id(option: &str, user: impl AsRef<OsStr>) -> Option<u32> {
    let output = Command::new("id")
        .arg(option)
        .arg(user)
        .stderr(Stdio::null())
        .output()
        .ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_never_run_as_root() {
        match Account::for_servers().unwrap() {
            Account::Own => assert!(!rustix::process::geteuid().is_root()),
            Account::Unprivileged { uid, .. } => assert_ne!(uid, 0),
        }
    }
}
