//! SARIF 2.1.0, which code scanning reads
//! (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>).

use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::Report;
use crate::check::finding::{Finding, Level, Rule};
use crate::check::source::Place;

pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let rules: Vec<Rule> = Rule::all().collect();
    let results: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| result(finding, &rules))
        .collect();
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "tenant-guard",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|rule| describe(*rule)).collect::<Vec<Value>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &log)?;
    out.write_all(b"\n")
}

fn describe(rule: Rule) -> Value {
    json!({
        "id": rule.as_str(),
        "shortDescription": { "text": rule.explanation() },
        "help": { "text": format!("`tenant-guard explain {rule}` says more.") },
        "defaultConfiguration": { "level": rule.level(&[]).as_str() },
    })
}

fn result(finding: &Finding, rules: &[Rule]) -> Value {
    let mut result = json!({
        "ruleId": finding.rule.as_str(),
        "ruleIndex": rules.iter().position(|rule| *rule == finding.rule),
        "level": match finding.level {
            Level::Error => "error",
            Level::Note => "note",
        },
        "message": { "text": format!("{}\nhelp: {}", finding.message, finding.hint) },
        "locations": [{ "physicalLocation": location(finding) }],
    });
    if let Some(reason) = &finding.allowed {
        result["suppressions"] = json!([{ "kind": "inSource", "justification": reason }]);
    }
    result
}

fn location(finding: &Finding) -> Value {
    let mut location = json!({ "artifactLocation": artifact(&finding.file) });
    if let Some(Place { start, end, .. }) = &finding.place {
        location["region"] = json!({
            "startLine": start.line,
            "startColumn": start.column,
            "endLine": end.line,
            "endColumn": end.column,
        });
    }
    location
}

/// A file below the working directory is named relative to it: the root of the repository in CI.
fn artifact(file: &str) -> Value {
    if file.starts_with('/') {
        json!({ "uri": format!("file://{}", percent_encoded(file)) })
    } else {
        json!({ "uri": percent_encoded(file), "uriBaseId": "%SRCROOT%" })
    }
}

/// A path as a URI has it (RFC 3986): unreserved characters and `/` as they are.
fn percent_encoded(path: &str) -> String {
    let mut encoded = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing into a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        assert_eq!(percent_encoded("a b/ä%.rs"), "a%20b/%C3%A4%25.rs");
        assert_eq!(artifact("/a.rs")["uri"], "file:///a.rs");
        assert_eq!(artifact("a.rs")["uriBaseId"], "%SRCROOT%");
    }
}
