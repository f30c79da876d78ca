//! `tenant-guard explain`

use std::io::Write;

use tenant_guard::Code;

use crate::Outcome;

/// The page of all codes.
const PAGE: &str = include_str!("../../../docs/refusals.md");

/// Prints what a code means, or all codes with a sentence each.
pub(crate) fn run(code: Option<&str>, out: &mut impl Write) -> anyhow::Result<Outcome> {
    let Some(wanted) = code else {
        for code in Code::ALL {
            writeln!(out, "{code}  {}", code.explanation())?;
        }
        return Ok(Outcome::Accepted);
    };
    let known = Code::ALL
        .iter()
        .find(|code| code.as_str().eq_ignore_ascii_case(wanted));
    match known.and_then(|code| section(*code)) {
        Some(section) => writeln!(out, "{}", section.trim_end())?,
        None => anyhow::bail!("there is no code {wanted}; `tenant-guard explain` lists all"),
    }
    Ok(Outcome::Accepted)
}

/// The part of the page below a code's heading.
fn section(code: Code) -> Option<&'static str> {
    PAGE.split("\n## ")
        .find(|section| section.starts_with(code.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_explained() {
        for code in Code::ALL {
            let section = section(*code).unwrap_or_else(|| panic!("no section {code}"));
            let heading = section.lines().next().unwrap_or_default();
            assert_eq!(heading, format!("{code} {}", code.explanation()));
        }
        assert_eq!(PAGE.matches("\n## ").count(), Code::ALL.len());
    }
}
