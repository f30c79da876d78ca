//! The ways to print what was found.

mod github;
mod json;
mod sarif;
mod text;

use std::io::{self, Write};

use clap::ValueEnum;

use super::finding::{Finding, Level};

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people: the place, the line with carets, the way out.
    Text,
    /// An object on a line for each finding, and one at the end that sums up.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
}

/// All that was found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) files: usize,
    pub(crate) statements: usize,
    /// By file and place.
    pub(crate) findings: Vec<Finding>,
}

impl Report {
    pub(crate) fn errors(&self) -> usize {
        self.findings.iter().filter(|found| found.fails()).count()
    }

    fn notes(&self) -> usize {
        let is_note = |found: &&Finding| found.level == Level::Note && found.allowed.is_none();
        self.findings.iter().filter(is_note).count()
    }

    fn allowed(&self) -> usize {
        let is_allowed = |found: &&Finding| found.allowed.is_some();
        self.findings.iter().filter(is_allowed).count()
    }

    /// One line: `12 statements in 3 files checked: 1 error, 2 notes`.
    fn summary(&self) -> String {
        let allowed = match self.allowed() {
            0 => String::new(),
            count => format!(", {count} allowed"),
        };
        format!(
            "{} in {} checked: {}, {}{allowed}",
            counted(self.statements, "statement"),
            counted(self.files, "file"),
            counted(self.errors(), "error"),
            counted(self.notes(), "note"),
        )
    }

    pub(crate) fn write(&self, format: Format, out: &mut impl Write) -> io::Result<()> {
        match format {
            Format::Text => text::write(self, console::colors_enabled(), out),
            Format::Json => json::write(self, out),
            Format::Sarif => sarif::write(self, out),
            Format::Github => github::write(self, out),
        }
    }
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
