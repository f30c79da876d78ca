//! Signals to a server and everything it started.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

/// Sends a signal to one process.
pub(crate) fn signal(process: u32, signal: Signal) -> io::Result<()> {
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    kill_process(pid, signal).map_err(io::Error::from)
}

/// Sends a signal to a process and all its descendants.
///
/// The parent comes first, and descendants are looked up until no new one appears: a process that
/// is stopped starts no more of them. (Each process of PostgreSQL is a process group of its own, so
/// one signal to a group would not do.)
pub(crate) fn signal_tree(root: u32, what: Signal) -> io::Result<()> {
    signal(root, what)?;
    let mut reached = HashSet::from([root]);
    loop {
        let parents = parents()?;
        let before = reached.len();
        loop {
            let fresh: Vec<u32> = parents
                .iter()
                .filter(|(pid, parent)| reached.contains(parent) && !reached.contains(pid))
                .map(|&(pid, _)| pid)
                .collect();
            if fresh.is_empty() {
                break;
            }
            for pid in fresh {
                // It can have ended meanwhile, which is as good.
                let _ = signal(pid, what);
                reached.insert(pid);
            }
        }
        if reached.len() == before {
            return Ok(());
        }
    }
}

/// Each process with its parent.
fn parents() -> io::Result<Vec<(u32, u32)>> {
    if Path::new("/proc/self/stat").exists() {
        return Ok(fs::read_dir("/proc")?
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let pid = entry.file_name().to_str()?.parse().ok()?;
                let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
                Some((pid, parent_in(&stat)?))
            })
            .collect());
    }
    let output = Command::new("ps")
        .args(["-A", "-o", "pid=,ppid="])
        .output()?;
    Ok(String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| {
            let mut numbers = line.split_whitespace().map(str::parse);
            Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
        })
        .collect())
}

/// The fourth field of `/proc/<pid>/stat`; the second is a name that can hold blanks and
/// parentheses.
fn parent_in(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?
        .1
        .split_whitespace()
        .nth(1)?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_is_skipped() {
        assert_eq!(parent_in("12 (a) b) (c) S 7 12 12 0 -1"), Some(7));
        assert_eq!(parent_in("12"), None);
    }

    #[test]
    fn a_child_has_this_process_as_its_parent() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let known = parents().unwrap();
        signal(child.id(), Signal::KILL).unwrap();
        child.wait().unwrap();
        assert!(known.contains(&(child.id(), std::process::id())));
    }

    #[test]
    fn a_whole_tree_is_reached() {
        let mut shell = Command::new("sh")
            .args(["-c", "sleep 60 & sleep 60 & wait"])
            .spawn()
            .unwrap();
        let children = || {
            parents()
                .unwrap()
                .into_iter()
                .filter(|(_, parent)| *parent == shell.id())
                .count()
        };
        while children() < 2 {
            std::thread::yield_now();
        }
        let grandchildren: Vec<u32> = parents()
            .unwrap()
            .into_iter()
            .filter(|(_, parent)| *parent == shell.id())
            .map(|(pid, _)| pid)
            .collect();
        signal_tree(shell.id(), Signal::KILL).unwrap();
        shell.wait().unwrap();
        while parents().unwrap().iter().any(|(pid, parent)| {
            // Orphans that init has not yet collected still have an entry.
            grandchildren.contains(pid) && *parent != 1
        }) {
            std::thread::yield_now();
        }
    }
}
