//! For programs.

use std::io::{self, Write};

use serde::Serialize;

use super::Report;
use crate::check::finding::Finding;

/// Grows when a key changes its meaning or goes away; new keys may come without.
const VERSION: u32 = 1;

/// An object on a line for each finding, and one at the end.
pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    for finding in &report.findings {
        write_line(&Line::of(finding), out)?;
    }
    let summary = Line::Summary {
        version: VERSION,
        files: report.files,
        statements: report.statements,
        errors: report.errors(),
        notes: report.notes(),
        allowed: report.allowed(),
    };
    write_line(&summary, out)
}

/// A line, with its keys in this order.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Line<'a> {
    Finding {
        version: u32,
        level: &'static str,
        code: &'static str,
        message: &'a str,
        hint: &'a str,
        file: &'a str,
        /// From 1; `null` where the file has no text.
        line: Option<usize>,
        /// From 1, in characters.
        column: Option<usize>,
        end_line: Option<usize>,
        /// Behind the last character.
        end_column: Option<usize>,
        /// The reason of the comment that allows it, or `null`.
        allowed: Option<&'a str>,
    },
    Summary {
        version: u32,
        files: usize,
        statements: usize,
        errors: usize,
        notes: usize,
        allowed: usize,
    },
}

impl<'a> Line<'a> {
    fn of(finding: &'a Finding) -> Self {
        let start = finding.place.as_ref().map(|place| place.start);
        let end = finding.place.as_ref().map(|place| place.end);
        Self::Finding {
            version: VERSION,
            level: finding.level.as_str(),
            code: finding.rule.as_str(),
            message: &finding.message,
            hint: &finding.hint,
            file: &finding.file,
            line: start.map(|start| start.line),
            column: start.map(|start| start.column),
            end_line: end.map(|end| end.line),
            end_column: end.map(|end| end.column),
            allowed: finding.allowed.as_deref(),
        }
    }
}

fn write_line(line: &Line<'_>, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}
