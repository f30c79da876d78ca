//! The cases in `tests/cases/*.md`: a heading, the statement, and what the guard makes of it.
//!
//! `UPDATE_CASES=1 cargo test -p tenant-guard --test it cases` writes the answers anew; read the
//! difference before you commit it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use tenant_guard::Guard;

use crate::schema::{guard, guard_of_schemas};

#[test]
fn every_case_is_answered_as_written() {
    let (by_column, by_schema) = (guard(), guard_of_schemas());
    let update = env::var_os("UPDATE_CASES").is_some();
    let mut wrong = String::new();
    let mut count = 0;
    for path in pages() {
        let page = fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let guard = match name.as_str() {
            "h_schemas.md" => &by_schema,
            _ => &by_column,
        };
        let (answered, cases) = answer(&page, guard);
        count += cases;
        if answered != page && update {
            fs::write(&path, &answered).unwrap();
        } else if answered != page {
            for (line, (is, was)) in answered.lines().zip(page.lines()).enumerate() {
                if is != was {
                    writeln!(
                        wrong,
                        "{name}:{}\n  written: {was}\n  is:      {is}",
                        line + 1
                    )
                    .unwrap();
                }
            }
        }
    }
    assert!(count > 100, "only {count} cases were found");
    assert!(wrong.is_empty(), "{wrong}");
}

fn pages() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut pages: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();
    pages
}

/// The page with each answer replaced by the guard's own, and the number of its cases.
fn answer(page: &str, guard: &Guard) -> (String, usize) {
    let mut answered = String::new();
    let mut cases = 0;
    let mut parts = page.split("```sql\n");
    answered.push_str(parts.next().unwrap_or_default());
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        cases += 1;
        let (sql, rest) = part
            .split_once("\n```\n")
            .expect("a statement's block is closed");
        // The old answer, if there is one, ends at the next heading or statement.
        let rest = rest.trim_start();
        let rest = match rest.strip_prefix("```") {
            Some(answer) => answer.split_once("\n```\n").map_or("", |(_, rest)| rest),
            None => rest,
        };
        let verdict = match guard.check(sql) {
            Ok(guarded) => format!("```rewritten\n{}\n```\n", guarded.text()),
            Err(refusal) => format!("```refused\n{refusal}\n```\n"),
        };
        write!(answered, "```sql\n{sql}\n```\n{verdict}").unwrap();
        if !rest.is_empty() || parts.peek().is_some() {
            answered.push('\n');
            answered.push_str(rest.trim_start_matches('\n'));
        }
    }
    (answered, cases)
}
