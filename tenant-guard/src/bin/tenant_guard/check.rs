//! `tenant-guard check`

use std::fs;
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::json;
use tenant_guard::{Guard, Refusal, split_statements};

use crate::Outcome;

/// Checks each statement of the files and folders.
pub(crate) fn run(
    guard: &Guard,
    json: bool,
    paths: &[PathBuf],
    out: &mut impl Write,
) -> anyhow::Result<Outcome> {
    let (mut files, mut statements, mut refusals) = (0, 0, 0);
    for path in paths {
        for file in sql_files(path)? {
            files += 1;
            let text = fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            let pieces = split_statements(&text).map_err(|error| {
                anyhow::anyhow!("{}:{}: {error}", file.display(), line(&text, error.at()))
            })?;
            for piece in pieces {
                statements += 1;
                let padded = padded(&text, &piece);
                if let Err(refusal) = guard.check(&padded) {
                    refusals += 1;
                    report(
                        &refusal,
                        &padded,
                        &file,
                        line(&text, piece.start),
                        json,
                        out,
                    )?;
                }
            }
        }
    }
    if !json {
        writeln!(
            out,
            "{statements} statements in {files} files checked, {refusals} refused"
        )?;
    }
    Ok(Outcome::of(refusals))
}

/// A file itself; of a folder all files `*.sql`, at any depth, in the order of their names.
fn sql_files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let context = || format!("cannot read {}", path.display());
    if !fs::metadata(path).with_context(context)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(path).with_context(context)? {
        entries.push(entry.with_context(context)?);
    }
    entries.sort_by_key(fs::DirEntry::path);
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.path();
        // A link to a folder is not followed, so that there is no circle.
        if entry.file_type().with_context(context)?.is_dir() {
            files.extend(sql_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            files.push(path);
        }
    }
    Ok(files)
}

/// The statement at its line and column: blank lines stand for what is before it, so that places
/// in it are places in the file.
fn padded(text: &str, piece: &Range<usize>) -> String {
    let before = text.get(..piece.start).unwrap_or_default();
    let lines = before.matches('\n').count();
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let columns = before.get(line_start..).unwrap_or_default().chars().count();
    let statement = text.get(piece.clone()).unwrap_or_default();
    format!("{}{}{statement}", "\n".repeat(lines), " ".repeat(columns))
}

fn line(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or_default().matches('\n').count() + 1
}

fn report(
    refusal: &Refusal,
    padded: &str,
    file: &Path,
    statement_line: usize,
    json: bool,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let place = refusal
        .span()
        .map_or(statement_line, |span| line(padded, span.start));
    if json {
        let object = json!({
            "ok": false,
            "file": file.display().to_string(),
            "line": place,
            "code": refusal.code().as_str(),
            "message": refusal.message(),
            "hint": refusal.hint(),
        });
        writeln!(out, "{object}")?;
    } else {
        writeln!(
            out,
            "{}:{place}: {}\n",
            file.display(),
            refusal.render(padded)
        )?;
    }
    Ok(())
}
