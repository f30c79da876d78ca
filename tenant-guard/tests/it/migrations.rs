//! The cases in `tests/cases/migrations/*.md`: a heading, migrations, and the tenancy that they
//! make or the error that they give.
//!
//! `UPDATE_CASES=1 cargo test -p tenant-guard --test it migrations` writes the answers anew; read
//! the difference before you commit it.

mod live;
mod soup;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use tenant_guard::Tenancy;

#[test]
fn every_migration_is_read_as_written() {
    let mut count = 0;
    for path in pages() {
        let page = fs::read_to_string(&path).unwrap();
        let (answered, cases) = answer(&page);
        count += cases;
        if answered != page && env::var_os("UPDATE_CASES").is_some() {
            fs::write(&path, &answered).unwrap();
        } else {
            assert!(answered == page, "{}", difference(&page, &answered));
        }
    }
    assert!(count > 50, "only {count} cases were found");
}

fn pages() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/migrations");
    let mut pages: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    pages.sort();
    pages
}

/// The migrations of a page, as they are written.
fn cases(page: &str) -> impl Iterator<Item = &str> {
    page.split("```sql\n")
        .skip(1)
        .map(|part| part.split_once("\n```\n").expect("a block is closed").0)
}

/// The page with each answer replaced by what is read now, and the number of its cases.
fn answer(page: &str) -> (String, usize) {
    let mut parts = page.split("```sql\n");
    let mut answered = parts.next().unwrap_or_default().to_owned();
    let mut cases = 0;
    for part in parts {
        cases += 1;
        let (sql, rest) = part.split_once("\n```\n").expect("a block is closed");
        let rest = match rest.strip_prefix("```") {
            Some(answer) => answer.split_once("```\n").map_or("", |(_, rest)| rest),
            None => rest,
        };
        let verdict = match Tenancy::from_sources(files(sql)) {
            Ok(tenancy) => format!("```tenancy\n{tenancy}```\n"),
            Err(error) => format!("```error\n{error}\n```\n"),
        };
        write!(answered, "```sql\n{sql}\n```\n{verdict}{rest}").unwrap();
    }
    (answered, cases)
}

/// A block holds several files where a line `-- file: name` begins each.
fn files(sql: &str) -> Vec<(&str, &str)> {
    if !sql.starts_with("-- file: ") {
        return vec![("1.sql", sql)];
    }
    sql.split("-- file: ")
        .skip(1)
        .map(|file| file.split_once('\n').unwrap_or((file, "")))
        .collect()
}

fn difference(page: &str, answered: &str) -> String {
    let mut text = String::new();
    for (line, (was, is)) in page.lines().zip(answered.lines()).enumerate() {
        if was != is {
            writeln!(text, "line {}\n  written: {was}\n  is:      {is}", line + 1).unwrap();
            break;
        }
    }
    text
}
