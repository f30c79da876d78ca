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

/// Freezes a process and all its descendants, and gives their numbers.
///
/// The parent comes first, and descendants are looked up until no new one appears: a process that
/// is stopped starts no more of them. (Each process of PostgreSQL is a process group of its own, so
/// one signal to a group would not do.)
pub(crate) fn freeze(root: u32) -> io::Result<HashSet<u32>> {
    signal(root, Signal::STOP)?;
    let mut frozen = HashSet::from([root]);
    loop {
        let family = descendants(&frozen)?;
        if family.is_empty() {
            return Ok(frozen);
        }
        for pid in family {
            // It can have ended meanwhile, which is as good.
            let _ = signal(pid, Signal::STOP);
            frozen.insert(pid);
        }
    }
}

/// Lets a process and all its descendants go on.
pub(crate) fn thaw(root: u32) -> io::Result<()> {
    let family = descendants(&HashSet::from([root]));
    // Whatever became of the search: a frozen root would never end.
    signal(root, Signal::CONT)?;
    for pid in family? {
        let _ = signal(pid, Signal::CONT);
    }
    Ok(())
}

/// Kills a process and all its descendants. They are frozen before: as soon as the first is dead,
/// its children have another parent and are no longer to be found.
pub(crate) fn kill(root: u32) {
    for pid in freeze(root).unwrap_or_else(|_| HashSet::from([root])) {
        let _ = signal(pid, Signal::KILL);
    }
}

/// All children of these processes, their children and so on, without themselves.
fn descendants(of: &HashSet<u32>) -> io::Result<HashSet<u32>> {
    let parents = parents()?;
    let mut found = HashSet::new();
    loop {
        let before = found.len();
        found.extend(
            parents
                .iter()
                .filter_map(|(pid, parent)| {
                    let is_one =
                        (of.contains(parent) || found.contains(parent)) && !of.contains(pid);
                    is_one.then_some(*pid)
                })
                .collect::<Vec<_>>(),
        );
        if found.len() == before {
            return Ok(found);
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
    use std::io::Read as _;
    use std::process::{Child, ChildStdout, Stdio};

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

    /// A process with a child and a grandchild, all of which have the other end of this pipe.
    fn family() -> (Child, ChildStdout) {
        let mut shell = Command::new("sh")
            .args(["-c", "(sleep 600; true) & echo started; wait"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = shell.stdout.take().unwrap();
        output.read_exact(&mut [0; 8]).unwrap();
        eventually(|| descendants(&HashSet::from([shell.id()])).unwrap().len() == 2);
        (shell, output)
    }

    #[test]
    fn a_killed_family_is_dead() {
        let (mut shell, mut output) = family();
        kill(shell.id());
        // Ends when nobody has the other end any more.
        assert_eq!(output.read_to_end(&mut Vec::new()).unwrap(), 0);
        shell.wait().unwrap();
    }

    #[test]
    fn a_frozen_family_stands_still_until_it_is_thawed() {
        let (mut shell, _output) = family();
        let frozen = freeze(shell.id()).unwrap();
        assert_eq!(frozen.len(), 3);
        let all_are = |frozen_or_not: bool| {
            frozen
                .iter()
                .all(|pid| state(*pid).starts_with('T') == frozen_or_not)
        };
        eventually(|| all_are(true));
        thaw(shell.id()).unwrap();
        eventually(|| all_are(false));
        kill(shell.id());
        shell.wait().unwrap();
    }

    /// What `ps` calls the state, also where there is no `ps`, as in most containers.
    fn state(pid: u32) -> String {
        if let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) {
            return stat.rsplit_once(") ").unwrap().1.to_owned();
        }
        let state = ["-o", "stat=", "-p", &pid.to_string()];
        let output = Command::new("ps").args(state).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Signals take effect some time after they were sent.
    fn eventually(is_so: impl Fn() -> bool) {
        for _ in 0..2000 {
            if is_so() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        panic!("it never came to this");
    }
}
