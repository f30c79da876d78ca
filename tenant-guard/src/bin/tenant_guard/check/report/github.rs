//! Annotations of GitHub Actions: workflow commands on lines of their own
//! (<https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>).

use std::io::{self, Write};

use super::Report;
use crate::check::finding::{Finding, Level};

pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    for finding in &report.findings {
        if finding.allowed.is_none() {
            writeln!(out, "{}", command(finding))?;
        }
    }
    writeln!(out, "{}", report.summary())
}

fn command(finding: &Finding) -> String {
    let name = match finding.level {
        Level::Error => "error",
        Level::Note => "notice",
    };
    let mut properties = vec![format!("file={}", property(&finding.file))];
    if let Some(place) = &finding.place {
        properties.push(format!("line={}", place.start.line));
        properties.push(format!("endLine={}", place.end.line));
        // Columns over several lines are not accepted.
        if place.start.line == place.end.line {
            properties.push(format!("col={}", place.start.column));
            properties.push(format!("endColumn={}", place.end.column));
        }
    }
    let title = format!("{}::{}", finding.rule, finding.rule.explanation());
    properties.push(format!("title={}", property(&title)));
    let message = format!("{}\nhelp: {}", finding.message, finding.hint);
    format!("::{name} {}::{}", properties.join(","), data(&message))
}

/// What may stand behind the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// What may stand in `key=value`.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_command_or_a_property_is_escaped() {
        assert_eq!(data("100%\r\n::error x"), "100%25%0D%0A::error x");
        assert_eq!(property("a,b:c%\n"), "a%2Cb%3Ac%25%0A");
    }
}
