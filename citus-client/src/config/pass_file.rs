//! Password files, as libpq reads them ("The Password File" in its documentation).

use std::env;
use std::path::{Path, PathBuf};

use crate::NodeAddress;

/// The file that is read when nobody gives a password: `passfile` of the connection string, else
/// `PGPASSFILE`, else `.pgpass` in the home directory.
pub(super) fn path(given: Option<PathBuf>) -> Option<PathBuf> {
    given
        .or_else(|| env::var_os("PGPASSFILE").map(PathBuf::from))
        .or_else(|| env::home_dir().map(|home| home.join(".pgpass")))
}

/// The password of the first line that fits. A file that others may read is ignored, as libpq does.
pub(crate) fn password(
    file: &Path,
    node: &NodeAddress,
    database: &str,
    user: &str,
) -> Option<String> {
    if !is_private(file) {
        return None;
    }
    // It is read for each connection, so that a change is noticed.
    let text = std::fs::read_to_string(file).ok()?;
    text.lines()
        .find_map(|line| password_of(line, node, database, user))
}

/// The rights that group and world have.
#[cfg(unix)]
const OF_OTHERS: u32 = 0o077;

#[cfg(unix)]
fn is_private(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let Ok(metadata) = file.metadata() else {
        return false;
    };
    let of_others = metadata.permissions().mode() & OF_OTHERS;
    let private = metadata.is_file() && of_others == 0;
    if !private {
        tracing::warn!(file = %file.display(), "others may read the password file; it is ignored");
    }
    private
}

#[cfg(not(unix))]
fn is_private(file: &Path) -> bool {
    file.is_file()
}

fn password_of(line: &str, node: &NodeAddress, database: &str, user: &str) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let port = node.port.to_string();
    // A directory of sockets is the machine itself.
    let local = node.host.starts_with('/').then_some("localhost");
    let mut rest = line;
    for wanted in [&node.host, &port, database, user] {
        let (field, is_any, after) = field(rest)?;
        let is_local = std::ptr::eq(wanted, node.host.as_str()) && local == Some(&*field);
        if !is_any && field != wanted && !is_local {
            return None;
        }
        rest = after;
    }
    Some(unescaped(rest)).filter(|password| !password.is_empty())
}

/// The text up to the next colon, whether it is `*`, and what comes after the colon.
fn field(line: &str) -> Option<(String, bool, &str)> {
    let mut escaped = false;
    let end = line.find(|character| {
        let is_end = character == ':' && !escaped;
        escaped = character == '\\' && !escaped;
        is_end
    })?;
    let field = &line[..end];
    Some((unescaped(field), field == "*", &line[end + 1..]))
}

fn unescaped(text: &str) -> String {
    let mut characters = text.chars();
    let mut value = String::with_capacity(text.len());
    while let Some(character) = characters.next() {
        match character {
            '\\' => value.extend(characters.next()),
            other => value.push(other),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> Option<String> {
        password_of(line, &NodeAddress::new("db1", 5433), "app", "me")
    }

    #[test]
    fn lines_are_read_as_libpq_reads_them() {
        assert_eq!(found("db1:5433:app:me:secret").as_deref(), Some("secret"));
        assert_eq!(found("*:*:*:*:a:b\\\\c").as_deref(), Some("a:b\\c"));
        for line in [
            "#db1:5433:app:me:secret",
            "db2:5433:app:me:secret",
            "db1:5432:app:me:secret",
            "db1:5433:other:me:secret",
            "db1:5433:app:you:secret",
            "db1:5433:app:me",
            "db1:5433:app:me:",
            "\\*:5433:app:me:secret",
            "",
        ] {
            assert_eq!(found(line), None, "{line}");
        }
        let node = NodeAddress::new("::1", 5432);
        let line = "\\:\\:1:5432:a\\:b:*:secret";
        assert_eq!(
            password_of(line, &node, "a:b", "x").as_deref(),
            Some("secret")
        );
        let socket = NodeAddress::new("/var/run/postgresql", 5432);
        let line = "localhost:*:*:*:secret";
        assert_eq!(
            password_of(line, &socket, "a", "x").as_deref(),
            Some("secret")
        );
    }
}
