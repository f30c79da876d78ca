//! A file of migrations, cut into its statements.

use std::hash::Hasher;
use std::path::Path;

use siphasher::sip128::{Hasher128, SipHasher24};
use tenant_guard::{migration_files, split_statements};

use crate::error::MigrateError;

#[derive(Debug)]
pub(super) struct File {
    /// Below the folder, with slashes.
    pub(super) name: String,
    pub(super) checksum: String,
    pub(super) statements: Vec<Statement>,
    pub(super) in_transaction: bool,
}

#[derive(Debug)]
pub(super) struct Statement {
    pub(super) sql: String,
    /// From 1.
    pub(super) line: usize,
    /// A call of one of Citus' functions, or its extension.
    pub(super) is_of_citus: bool,
}

/// The files of a folder, or one.
pub(super) fn read(path: &Path) -> Result<Vec<File>, MigrateError> {
    let files = migration_files(path)?;
    let files = files.iter().map(|file| {
        let name = file.path().strip_prefix(path).unwrap_or(file.path());
        let name = if name.as_os_str().is_empty() {
            file.path()
        } else {
            name
        };
        let name = name.to_string_lossy().replace('\\', "/");
        File::new(name, file.text(), &file.up())
    });
    files.collect()
}

impl File {
    fn new(name: String, text: &str, up: &str) -> Result<Self, MigrateError> {
        let line = |at: usize| up.get(..at).unwrap_or_default().matches('\n').count() + 1;
        let statements = split_statements(up).map_err(|error| MigrateError::Split {
            file: name.clone(),
            line: line(error.at()),
            error,
        })?;
        let statements: Vec<Statement> = statements
            .into_iter()
            .filter_map(|bytes| {
                let sql = up.get(bytes.clone())?.to_owned();
                Some(Statement {
                    line: line(bytes.start),
                    is_of_citus: is_of_citus(&sql),
                    sql,
                })
            })
            .collect();
        let in_transaction = !up.lines().any(says_no_transaction)
            && !statements
                .iter()
                .any(|statement| is_outside_of_transactions(&statement.sql));
        Ok(Self {
            checksum: checksum(text),
            name,
            statements,
            in_transaction,
        })
    }
}

/// Tells whether a file was changed, and is no protection against anybody. Line ends do not count: Git
/// may change them.
fn checksum(text: &str) -> String {
    let mut hasher = SipHasher24::new();
    for line in text.lines() {
        hasher.write(line.as_bytes());
        hasher.write_u8(b'\n');
    }
    let hash = hasher.finish128();
    format!("{:016x}{:016x}", hash.h1, hash.h2)
}

/// As sqlx, goose and dbmate have it.
fn says_no_transaction(line: &str) -> bool {
    let Some(comment) = line.trim().strip_prefix("--") else {
        return false;
    };
    let comment = comment.trim().to_ascii_lowercase();
    comment == "no-transaction"
        || comment == "+goose no transaction"
        || (comment.starts_with("migrate:up") && comment.ends_with("transaction:false"))
}

/// What PostgreSQL or Citus refuse within a transaction, or what ends one.
fn is_outside_of_transactions(sql: &str) -> bool {
    let words = words(sql);
    let first = words.first().map_or("", String::as_str);
    let ends = ["begin", "start", "commit", "end", "rollback", "abort"];
    let alone = ["vacuum", "reindex"];
    ends.contains(&first)
        || alone.contains(&first)
        || words.iter().any(|word| {
            word == "concurrently"
                || (word.starts_with("create_") && word.ends_with("concurrently"))
        })
}

/// `SELECT create_distributed_table(…)` and the like.
fn is_of_citus(sql: &str) -> bool {
    let words = words(sql);
    let mut words = words.iter().map(String::as_str);
    match words.next() {
        Some("create") => {
            words.next() == Some("extension") && words.any(|word| word.starts_with("citus"))
        }
        Some("select") => {
            let mut function = words.next();
            if function == Some("pg_catalog") {
                function = words.next();
            }
            function.is_some_and(|function| {
                FUNCTIONS.contains(&function)
                    || function.starts_with("citus_")
                    || function.starts_with("master_")
            })
        }
        _ => false,
    }
}

/// Functions of Citus 13.2 that migrations call, besides `citus_…` and `master_…`.
const FUNCTIONS: [&str; 17] = [
    "alter_distributed_table",
    "alter_old_partitions_set_access_method",
    "alter_table_set_access_method",
    "create_distributed_function",
    "create_distributed_table",
    "create_distributed_table_concurrently",
    "create_reference_table",
    "create_time_partitions",
    "isolate_tenant_to_new_shard",
    "rebalance_table_shards",
    "remove_local_tables_from_metadata",
    "run_command_on_shards",
    "run_command_on_workers",
    "start_metadata_sync_to_all_nodes",
    "truncate_local_data_after_distributing_table",
    "undistribute_table",
    "update_distributed_table_colocation",
];

/// The words of a statement in lower case, without what stands in quotes and comments.
fn words(sql: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let skipped = match first {
            '\'' | '"' => rest
                .get(1..)
                .and_then(|rest| rest.find(first))
                .map(|end| end + 2),
            '-' if rest.starts_with("--") => rest.find('\n'),
            '/' if rest.starts_with("/*") => rest.find("*/").map(|end| end + 2),
            _ => Some(0),
        };
        let Some(skipped) = skipped else { break };
        if skipped > 0 {
            rest = rest.get(skipped..).unwrap_or_default();
            continue;
        }
        let end = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        if end > 0 {
            words.push(rest.get(..end).unwrap_or_default().to_lowercase());
        }
        rest = rest.get(end.max(first.len_utf8())..).unwrap_or_default();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> File {
        File::new("1.sql".to_owned(), text, text).unwrap()
    }

    #[test]
    fn a_file_is_one_transaction_where_that_can_be() {
        assert!(
            file("CREATE TABLE a (id int); SELECT create_distributed_table('a', 'id');")
                .in_transaction
        );
        assert!(
            file("COMMENT ON TABLE a IS 'VACUUM CONCURRENTLY'; -- CONCURRENTLY\n").in_transaction
        );
        for text in [
            "CREATE INDEX CONCURRENTLY i ON a (id)",
            "select create_distributed_table_concurrently('a', 'id')",
            "-- no-transaction\nSELECT 1",
            "-- +goose NO TRANSACTION\nSELECT 1",
            "BEGIN; CREATE TABLE a (id int); COMMIT;",
            "/* all */ VACUUM a",
        ] {
            assert!(!file(text).in_transaction, "{text}");
        }
    }

    #[test]
    fn calls_of_citus_are_known() {
        for sql in [
            "SELECT create_distributed_table('a', 'tenant_id')",
            "select pg_catalog.create_reference_table('b')",
            "SELECT citus_set_coordinator_host('localhost')",
            "CREATE EXTENSION IF NOT EXISTS citus",
        ] {
            assert!(is_of_citus(sql), "{sql}");
        }
        for sql in [
            "SELECT 'create_distributed_table'",
            "CREATE EXTENSION pgcrypto",
            "SELECT 1",
        ] {
            assert!(!is_of_citus(sql), "{sql}");
        }
    }

    #[test]
    fn statements_know_their_lines() {
        let file = file("-- first\nSELECT 1;\n\nSELECT\n 2;\n");
        let lines: Vec<_> = file.statements.iter().map(|one| one.line).collect();
        assert_eq!(lines, [2, 4]);
    }

    #[test]
    fn line_ends_are_no_change() {
        assert_eq!(checksum("a\r\nb\r\n"), checksum("a\nb\n"));
        assert_ne!(checksum("a\nb"), checksum("ab"));
        // It may never change: it stands in databases.
        assert_eq!(checksum("SELECT 1;\n").len(), 32);
    }
}
