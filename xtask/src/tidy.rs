//! `cargo xtask tidy`: what the compiler does not check.

mod forgotten_tests;
mod links;
mod test_names;
mod whitespace;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::command::{output, root};

/// Prints each finding as `file:line: what`, and fails when there is one.
pub(crate) fn run() -> anyhow::Result<()> {
    let files = tracked_files();
    if files.is_empty() {
        bail!("git lists no file of this repository");
    }
    // What cannot be read is no text, or was removed and not yet committed.
    let texts: Vec<(&Path, String)> = files
        .iter()
        .filter_map(|file| {
            Some((
                file.as_path(),
                std::fs::read_to_string(root().join(file)).ok()?,
            ))
        })
        .collect();
    let functions: BTreeSet<String> = texts
        .iter()
        .filter(|(file, _)| has_extension(file, "rs"))
        .flat_map(|(_, text)| test_names::defined(text))
        .map(str::to_owned)
        .collect();
    let mut findings = Vec::new();
    for (file, text) in &texts {
        findings.extend(whitespace::check(file, text));
        if has_extension(file, "md") {
            findings.extend(links::check(file, text, &files));
            findings.extend(test_names::check(file, text, &functions));
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
