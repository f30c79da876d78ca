//! `tenant-guard check`: the linter.

mod comments;
mod config;
mod directive;
mod files;
pub(crate) mod finding;
mod report;
mod review;
mod rust;
mod source;
mod sql;
mod sql_text;
mod statement;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tenant_guard::{Guard, MigrationFile, Tenancy, migration_files};

use self::config::{Config, FILE_NAME};
use self::files::{Excluded, Files, Kind};
use self::finding::{Denied, Finding, OwnRule, Rule};
use self::report::{Format, Report};
use self::source::Source;
use crate::Outcome;
use crate::allowed::Allowed;

/// What the command line says. Each flag takes the place of its key in the file.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A file of SQL, or a folder of migrations (sqlx, refinery, Flyway, diesel, Prisma, goose,
    /// dbmate or numbered files). Its files are not checked themselves.
    #[arg(long, value_name = "DIR_OR_FILE")]
    schema: Option<PathBuf>,
    #[command(flatten)]
    allowed: Allowed,
    /// Leave out files and folders, by a pattern as in .gitignore; may be repeated.
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
    /// Make notes of this kind errors; may be repeated.
    #[arg(long, value_name = "KIND", value_enum)]
    deny: Vec<Denied>,
    /// How to print what is found.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The same as `--format json`.
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// End with 2 at a file that cannot be read or parsed, instead of reporting it as an error.
    #[arg(long)]
    fail_on_unreadable: bool,
    /// Read this file instead of the first tenant-guard.toml in the working directory and above.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Files, and folders in which all .sql and .rs files are checked.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// Files above this size are no sources that a person wrote.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Parsers of Rust call themselves for what is nested; `rust::tokens` bounds how deep. Memory that
/// is not touched is not used.
const STACK: usize = 256 * 1024 * 1024;

/// Checks all files and prints what was found.
pub(crate) fn run(arguments: Arguments, out: &mut impl Write) -> anyhow::Result<Outcome> {
    let format = if arguments.json {
        Format::Json
    } else {
        arguments.format
    };
    let work = std::thread::Builder::new().stack_size(STACK);
    let report = work
        .spawn(move || Check::new(arguments)?.run())
        .context("cannot start a thread")?
        .join()
        .map_err(|_| anyhow::anyhow!("the check has failed; please report it"))??;
    report.write(format, out)?;
    Ok(Outcome::of(report.errors()))
}

/// What is checked, against what.
struct Check {
    guard: Guard,
    files: Files,
    excluded: Excluded,
    deny: Vec<Denied>,
    fail_on_unreadable: bool,
}

impl Check {
    fn new(arguments: Arguments) -> anyhow::Result<Self> {
        let config = Config::find(arguments.config.as_deref())?;
        let schema = arguments.schema.or(config.schema).with_context(|| {
            format!("what is the schema? Give --schema, or the key `schema` in {FILE_NAME}")
        })?;
        let paths = given_or(arguments.paths, config.paths);
        anyhow::ensure!(
            !paths.is_empty(),
            "what is to be checked? Give a path, or the key `paths` in {FILE_NAME}"
        );
        // Patterns of the command line begin where it was written.
        let excluded_in = if arguments.exclude.is_empty() {
            &*config.folder
        } else {
            Path::new("")
        };
        let patterns = given_or(arguments.exclude, config.exclude);
        let allowed = Allowed {
            functions: given_or(arguments.allowed.functions, config.allow_functions),
            operators: given_or(arguments.allowed.operators, config.allow_operators),
            types: given_or(arguments.allowed.types, config.allow_types),
            extensions: given_or(arguments.allowed.extensions, config.allow_extensions),
        };

        let schema_files = migration_files(&schema)?;
        let tenancy = Tenancy::from_migrations(&schema)?;
        let policy = allowed.policy()?.refuse_unknown_columns();
        let schema_paths = schema_files.iter().map(MigrationFile::path);
        let excluded = Excluded::new(excluded_in, &patterns, schema_paths.map(Path::to_owned))?;
        Ok(Self {
            guard: Guard::new(tenancy, policy),
            files: files::find(&paths, &excluded)?,
            excluded,
            deny: given_or(arguments.deny, config.deny),
            fail_on_unreadable: arguments.fail_on_unreadable,
        })
    }

    fn run(self) -> anyhow::Result<Report> {
        let mut waiting = self.files.paths.clone();
        let mut done = BTreeSet::new();
        let mut report = Report::default();
        let mut found: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
        for (path, error) in &self.files.errors {
            let name = name(path);
            let finding = self.unreadable(&name, error.clone());
            found.entry(name).or_default().push(finding);
        }
        let progress = progress(waiting.len());
        // Rust files name files of SQL, which are checked as well.
        while let Some(path) = waiting.pop_first() {
            progress.set_message(name(&path));
            let checked = self.file(&path);
            report.files += 1;
            report.statements += checked.statements;
            waiting.extend(
                checked
                    .named
                    .into_iter()
                    .map(|named| files::tidy(&named))
                    .filter(|named| !done.contains(named) && *named != path)
                    .filter(|named| !self.excluded.contains(named)),
            );
            if self.fail_on_unreadable {
                refuse_unreadable(&checked.findings)?;
            }
            found
                .entry(name(&path))
                .or_default()
                .extend(checked.findings);
            done.insert(path);
            progress.set_length((done.len() + waiting.len()) as u64);
            progress.inc(1);
        }
        progress.finish_and_clear();
        report.findings = found.into_values().flatten().collect();
        Ok(report)
    }

    fn file(&self, path: &Path) -> Checked {
        let name = name(path);
        let source = match read(path) {
            Ok(source) => source,
            Err(error) => {
                return Checked {
                    findings: vec![self.unreadable(&name, format!("{error:#}"))],
                    ..Checked::default()
                };
            }
        };
        let (found, named) = match Kind::of(path) {
            Some(Kind::Rust) => rust::check(&self.guard, &source, path),
            Some(Kind::Sql) | None => (sql::check(&self.guard, &source), Vec::new()),
        };
        Checked {
            statements: found.statements,
            findings: review::findings(&name, &source, found.hits, &found.comments, &self.deny),
            named,
        }
    }

    fn unreadable(&self, name: &str, message: String) -> Finding {
        let rule = Rule::Own(OwnRule::Unreadable);
        Finding {
            file: name.to_owned(),
            place: None,
            rule,
            level: rule.level(&self.deny),
            message,
            hint: "mend the file, or leave it out with --exclude".to_owned(),
            allowed: None,
        }
    }
}

/// What came of one file.
#[derive(Default)]
struct Checked {
    statements: usize,
    findings: Vec<Finding>,
    named: Vec<PathBuf>,
}

fn refuse_unreadable(findings: &[Finding]) -> anyhow::Result<()> {
    let unreadable = Rule::Own(OwnRule::Unreadable);
    match findings.iter().find(|found| found.rule == unreadable) {
        Some(found) => {
            let line = found.place.as_ref().map(|place| place.start.line);
            let line = line.map(|line| format!(":{line}")).unwrap_or_default();
            anyhow::bail!("{}{line}: {}", found.file, found.message)
        }
        None => Ok(()),
    }
}

fn given_or<T>(given: Vec<T>, configured: Vec<T>) -> Vec<T> {
    if given.is_empty() { configured } else { given }
}

fn read(path: &Path) -> anyhow::Result<Source> {
    let size = fs::metadata(path).context("cannot read the file")?.len();
    anyhow::ensure!(
        size <= LARGEST,
        "the file is larger than {} MiB",
        LARGEST / 1024 / 1024
    );
    let bytes = fs::read(path).context("cannot read the file")?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        // What is before it is whole characters.
        let before = String::from_utf8_lossy(&error.as_bytes()[..valid]);
        let line = before.matches('\n').count() + 1;
        anyhow::anyhow!("the file is not UTF-8: line {line}")
    })?;
    Ok(Source::new(&text))
}

/// The path as it is printed, on each system with the same character between folders.
fn name(path: &Path) -> String {
    path.display()
        .to_string()
        .replace(std::path::MAIN_SEPARATOR, "/")
}

/// On standard error, and only where that is a terminal.
fn progress(files: usize) -> ProgressBar {
    let bar = ProgressBar::new(files as u64);
    if let Ok(style) = ProgressStyle::with_template("{pos}/{len} {wide_msg}") {
        bar.set_style(style);
    }
    bar
}
