//! The directory of a cluster.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::account::Account;
use super::place;
use super::watchdog::Watchdog;
use crate::StartError;

/// The directory of a cluster, with one for each node in it. It is removed when this is dropped,
/// which is to happen after the servers were, and also when this process is killed.
#[derive(Debug)]
pub(crate) struct Home {
    // Removed first: the watchdog ends at once when the directory is gone.
    directory: TempDir,
    _watchdog: Watchdog,
    account: Account,
}

impl Home {
    pub(crate) fn new(account: Account) -> Result<Self, StartError> {
        let parent = place::for_clusters(account);
        let directory = tempfile::Builder::new()
            .prefix("citus-testkit-")
            .tempdir_in(&parent)
            .map_err(StartError::io("create a directory in", &parent))?;
        account.own(directory.path())?;
        let watchdog =
            Watchdog::over(directory.path()).map_err(StartError::io("run", "/bin/sh"))?;
        Ok(Self {
            directory,
            _watchdog: watchdog,
            account,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Makes the directory of a node, still empty.
    pub(crate) fn node(&self, name: &str) -> Result<PathBuf, StartError> {
        let path = self.path().join(name);
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(StartError::io("create", &path))?;
        self.account.own(&path)?;
        Ok(path)
    }
}
