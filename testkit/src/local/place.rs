//! Where the data of a cluster goes.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::statvfs;

use super::account::Account;

const MEMORY: &str = "/dev/shm";
/// What must be free in the memory file system, and of the machine's memory, in bytes.
const FREE_THERE: u64 = 4 << 30;
const FREE_MEMORY: u64 = 8 << 30;

/// The directory in which a cluster makes its own.
///
/// What `TMPDIR` says; without it, the memory file system of Linux where that is ample, and else
/// the directory for temporary files. A cluster is thousands of small files, which a disk's file
/// system is slow to make, and ext4 all the more the more of them were deleted in the last seconds:
/// the tests before this one did just that.
pub(crate) fn for_clusters(account: Account) -> PathBuf {
    let memory = Path::new(MEMORY);
    if env::var_os("TMPDIR").is_none() && is_usable(memory, account) && is_ample(memory) {
        return memory.to_owned();
    }
    let configured = env::temp_dir();
    // A root's own directory is often closed to others.
    [
        configured.clone(),
        PathBuf::from("/tmp"),
        PathBuf::from("/var/tmp"),
    ]
    .into_iter()
    .find(|path| is_usable(path, account))
    .unwrap_or(configured)
}

fn is_usable(directory: &Path, account: Account) -> bool {
    match account {
        Account::Own => tempfile::tempfile_in(directory).is_ok(),
        Account::Unprivileged { .. } => is_open_to_all(directory),
    }
}

/// Whether every user can get to what is in there.
fn is_open_to_all(directory: &Path) -> bool {
    directory
        .ancestors()
        .filter(|path| !path.as_os_str().is_empty())
        .all(|path| {
            fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o001 != 0)
        })
}

/// A container has 64 MB there, unless somebody gave it more on purpose.
fn is_ample(memory: &Path) -> bool {
    let there =
        statvfs(memory).is_ok_and(|fs| fs.f_bavail.saturating_mul(fs.f_frsize) >= FREE_THERE);
    let machine = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| available_in(&text));
    there && machine.is_some_and(|bytes| bytes >= FREE_MEMORY)
}

/// `MemAvailable` in `/proc/meminfo`, in bytes.
fn available_in(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim()
        .strip_suffix(" kB")?
        .parse::<u64>()
        .ok()?
        .checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_directory_is_not_open_to_all() {
        let closed = tempfile::tempdir().unwrap();
        assert!(!is_open_to_all(&closed.path().join("inside")));
        assert!(is_open_to_all(Path::new("/")));
    }

    #[test]
    fn memory_is_read_in_bytes() {
        let text = "MemTotal:       24681376 kB\nMemAvailable:   2048 kB\n";
        assert_eq!(available_in(text), Some(2048 * 1024));
        assert_eq!(available_in("MemTotal: 1 kB"), None);
    }

    #[test]
    fn the_place_is_usable() {
        let account = Account::for_servers().unwrap();
        assert!(is_usable(&for_clusters(account), account));
    }
}
