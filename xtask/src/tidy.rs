//! `cargo xtask tidy`: what the compiler does not check.

mod forgotten_tests;
mod links;
mod whitespace;

use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::command::{output, root};

/// Prints each finding as `file:line: what`, and fails when there is one.
pub(crate) fn run() -> anyhow::Result<()> {
    let files = tracked_files();
    if files.is_empty() {
        bail!("git lists no file of this repository");
    }
    let mut findings = Vec::new();
    for file in &files {
        let Ok(text) = std::fs::read_to_string(root().join(file)) else {
            // Not text, or removed and not yet committed.
            continue;
        };
        findings.extend(whitespace::check(file, &text));
        if has_extension(file, "md") {
            findings.extend(links::check(file, &text, &files));
        }
    }
    findings.extend(forgotten_tests::check(&files));
    for finding in &findings {
        eprintln!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        count => bail!("{count} findings"),
    }
}

/// What git knows, and what it would take: new files are checked before they are committed.
fn tracked_files() -> Vec<PathBuf> {
    let listed = output(
        "git",
        &["ls-files", "--cached", "--others", "--exclude-standard"],
    );
    listed
        .unwrap_or_default()
        .lines()
        .map(PathBuf::from)
        .collect()
}

fn has_extension(file: &Path, extension: &str) -> bool {
    file.extension().is_some_and(|found| found == extension)
}
