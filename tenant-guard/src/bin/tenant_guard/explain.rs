//! `tenant-guard explain`

use std::io::Write;

use tenant_guard::{Code, doctor};

use crate::Outcome;
use crate::check::finding::{OwnRule, Rule};

/// The page of all refusals.
const REFUSALS: &str = include_str!("../../../docs/refusals.md");
/// The page of all findings.
const FINDINGS: &str = include_str!("../../../docs/doctor.md");

/// Prints what a code means, or all codes with a sentence each.
pub(crate) fn run(code: Option<&str>, out: &mut impl Write) -> anyhow::Result<Outcome> {
    let Some(wanted) = code else {
        for code in Code::ALL {
            writeln!(out, "{code}  {}", code.explanation())?;
        }
        for code in doctor::Code::ALL {
            writeln!(out, "{code}  {}", code.explanation())?;
        }
        for rule in OwnRule::ALL {
            writeln!(out, "{}  {}", rule.as_str(), rule.explanation())?;
        }
        return Ok(Outcome::Accepted);
    };
    if let Some(Rule::Own(rule)) = Rule::named(wanted) {
        writeln!(out, "{} {}", rule.as_str(), rule.explanation())?;
        return Ok(Outcome::Accepted);
    }
    match section(wanted) {
        Some(section) => writeln!(out, "{}", section.trim_end())?,
        None => anyhow::bail!("there is no code {wanted}; `tenant-guard explain` lists all"),
    }
    Ok(Outcome::Accepted)
}

/// The part of its page below a code's heading.
fn section(wanted: &str) -> Option<&'static str> {
    let refusal = Code::ALL
        .iter()
        .map(|code| (code.as_str(), REFUSALS))
        .find(|(code, _)| code.eq_ignore_ascii_case(wanted));
    let (code, page) = match refusal {
        Some(found) => found,
        None => (wanted.parse::<doctor::Code>().ok()?.as_str(), FINDINGS),
    };
    page.split("\n## ")
        .find(|section| section.starts_with(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_explained() {
        let refusals = Code::ALL
            .iter()
            .map(|code| (code.as_str(), code.explanation()));
        let findings = doctor::Code::ALL
            .iter()
            .map(|code| (code.as_str(), code.explanation()));
        for (code, explanation) in refusals.chain(findings) {
            let section = section(code).unwrap_or_else(|| panic!("no section {code}"));
            let heading = section.lines().next().unwrap_or_default();
            assert_eq!(heading, format!("{code} {explanation}"));
        }
        assert_eq!(REFUSALS.matches("\n## ").count(), Code::ALL.len());
        assert_eq!(FINDINGS.matches("\n## ").count(), doctor::Code::ALL.len());
    }
}
