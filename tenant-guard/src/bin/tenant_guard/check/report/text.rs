//! For people.

use std::io::{self, Write};

use console::{Style, measure_text_width};

use super::Report;
use crate::check::finding::{Finding, Level};
use crate::check::source::Place;

/// Errors with their line and the way out, notes on a line each, a line that sums up.
pub(super) fn write(report: &Report, colours: bool, out: &mut impl Write) -> io::Result<()> {
    let styles = Styles::new(colours);
    for finding in &report.findings {
        if finding.allowed.is_none() {
            write_finding(finding, &styles, out)?;
        }
    }
    writeln!(out, "{}", report.summary())
}

struct Styles {
    error: Style,
    note: Style,
    strong: Style,
    faint: Style,
}

impl Styles {
    fn new(colours: bool) -> Self {
        let style = || Style::new().force_styling(colours);
        Self {
            error: style().red().bold(),
            note: style().cyan().bold(),
            strong: style().bold(),
            faint: style().blue().bold(),
        }
    }

    fn level(&self, level: Level) -> &Style {
        match level {
            Level::Error => &self.error,
            Level::Note => &self.note,
        }
    }
}

fn write_finding(finding: &Finding, styles: &Styles, out: &mut impl Write) -> io::Result<()> {
    let file = printable(&finding.file);
    let place = match &finding.place {
        Some(Place { start, .. }) => format!("{file}:{}:{}", start.line, start.column),
        None => file,
    };
    writeln!(
        out,
        "{}: {} {}: {}",
        styles.strong.apply_to(place),
        styles.level(finding.level).apply_to(finding.level.as_str()),
        styles.strong.apply_to(finding.rule),
        printable(&finding.message),
    )?;
    if finding.level == Level::Note {
        return Ok(());
    }
    if let Some(place) = &finding.place {
        write_excerpt(place, styles, out)?;
    }
    let help = styles.strong.apply_to("help:");
    writeln!(out, "{help} {}\n", printable(&finding.hint))
}

/// The line with carets below it.
fn write_excerpt(place: &Place, styles: &Styles, out: &mut impl Write) -> io::Result<()> {
    let number = place.start.line.to_string();
    let gutter = " ".repeat(number.len());
    let from = place.start.column - 1 - place.left_out;
    let marked = if place.end.line == place.start.line {
        place.end.column.saturating_sub(place.start.column)
    } else {
        usize::MAX
    };
    let part = |skip, take| -> String { place.line.chars().skip(skip).take(take).collect() };
    let before = measure_text_width(&printable(&part(0, from)));
    let width = measure_text_width(&printable(&part(from, marked))).max(1);
    let bar = styles.faint.apply_to("|");
    writeln!(out, "{gutter} {bar}")?;
    let number = styles.faint.apply_to(number);
    writeln!(out, "{number} {bar} {}", printable(&place.line))?;
    let carets = styles.error.apply_to("^".repeat(width));
    writeln!(out, "{gutter} {bar} {}{carets}", " ".repeat(before))
}

/// A terminal obeys control characters, and tabs have no width of their own.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' => ' ',
            c if c.is_control() => char::REPLACEMENT_CHARACTER,
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::finding::{OwnRule, Rule};
    use crate::check::source::Source;

    fn excerpt(line: &str, what: &str) -> String {
        let start = line.find(what).unwrap();
        let place = Source::new(line).place(start..start + what.len());
        let mut out = Vec::new();
        write_excerpt(&place, &Styles::new(false), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn carets_stand_below_what_is_wide_and_what_is_not() {
        assert_eq!(
            excerpt("\tä 表 x\u{1b}[2J tasks", "tasks"),
            "  |\n1 |  ä 表 x\u{fffd}[2J tasks\n  |             ^^^^^\n"
        );
    }

    #[test]
    fn colours_are_there_when_asked_for() {
        let report = Report {
            findings: vec![Finding {
                file: "a.rs".to_owned(),
                place: None,
                rule: Rule::Own(OwnRule::Unreadable),
                level: Level::Error,
                message: "x".to_owned(),
                hint: "y".to_owned(),
                allowed: None,
            }],
            ..Report::default()
        };
        let printed = |colours| {
            let mut out = Vec::new();
            write(&report, colours, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert!(printed(true).contains("\u{1b}[31m"), "{}", printed(true));
        assert!(!printed(false).contains('\u{1b}'));
    }
}
