//! What stands in `postgresql.conf`.

use std::fmt::Write as _;

use super::installation::Installation;
use crate::StartError;

/// For every server of this crate, in containers too.
///
/// `synchronous_commit` stays on: without it a server that is stopped hard would lose commits that
/// it had acknowledged, and tests of just that would lie. `fsync = off` loses nothing as long as
/// the machine itself does not crash.
pub(crate) const COMMON: [(&str, &str); 13] = [
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("shared_buffers", "64MB"),
    // A fresh cluster has next to no data; this keeps its files few.
    ("min_wal_size", "32MB"),
    // Distributed statements take connections from every node to every node.
    ("max_connections", "300"),
    ("max_prepared_transactions", "300"),
    // Citus takes one for each database, logical replication some for each move of a shard.
    ("max_worker_processes", "128"),
    ("max_wal_senders", "20"),
    ("max_replication_slots", "20"),
    ("wal_level", "logical"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("lc_messages", "C"),
];

/// For servers with Citus, in containers too.
pub(crate) const CITUS: [(&str, &str); 3] = [
    ("shared_preload_libraries", "citus"),
    // Without TLS: the default asks for it, and every node would make itself a certificate.
    ("citus.node_conninfo", "sslmode=prefer"),
    // The servers listen on this address only; the default, localhost, can be ::1.
    ("citus.local_hostname", "127.0.0.1"),
];

/// The part that all servers of one installation share.
pub(crate) fn common(installation: &Installation, citus: bool) -> Result<String, StartError> {
    let mut settings = COMMON.to_vec();
    if citus {
        settings.extend(CITUS);
        // Since 15.19 and its siblings a server loads no other library for logical decoding, and
        // splitting a shard needs the one of Citus.
        if installation.knows_setting("output_plugin_libraries")? {
            settings.push(("output_plugin_libraries", "pgoutput, test_decoding, citus"));
        }
    }
    lines(settings)
}

/// Settings as lines of the file. The server takes the last of several for one name.
pub(crate) fn lines<'a>(
    settings: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<String, StartError> {
    let mut text = String::new();
    for (name, value) in settings {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        if name.is_empty() || !name.chars().all(is_name) || value.contains(['\n', '\r', '\0']) {
            return Err(StartError::Setting {
                name: name.to_owned(),
            });
        }
        let value = value.replace('\\', "\\\\").replace('\'', "''");
        let _ = writeln!(text, "{name} = '{value}'");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, value: &str) -> Result<String, StartError> {
        lines([(name, value)])
    }

    #[test]
    fn values_are_quoted() {
        assert_eq!(one("work_mem", "8MB").unwrap(), "work_mem = '8MB'\n");
        assert_eq!(
            one("app.name", r"it's \ ok").unwrap(),
            "app.name = 'it''s \\\\ ok'\n"
        );
    }

    #[test]
    fn what_would_be_a_second_setting_is_refused() {
        for (name, value) in [
            ("", "x"),
            ("work_mem = 1\nfsync", "on"),
            ("work_mem", "1'\nfsync = 'on"),
            ("a b", ""),
        ] {
            assert!(
                matches!(one(name, value), Err(StartError::Setting { .. })),
                "{name:?}"
            );
        }
    }
}
