//! Comments that allow something: `tenant-guard: allow(TG006) reason: nightly report`.

use super::finding::{OwnRule, Rule};

/// What a comment for the linter says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Directive {
    pub(crate) rules: Vec<Rule>,
    pub(crate) reason: String,
    pub(crate) reach: Reach,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The statement below.
    Next,
    /// The whole file.
    File,
}

/// Why a comment for the linter has no effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(crate) rule: OwnRule,
    pub(crate) message: String,
}

/// How a directive is written.
pub(crate) const FORM: &str = "write `tenant-guard: allow(TG006) reason: why it is right`, or \
    allow-file(…) for the whole file, in a comment on lines of its own before the statement";

/// Reads a comment, without the characters that make it one. `None` where it is not for the linter.
pub(crate) fn parse(comment: &str) -> Option<Result<Directive, Malformed>> {
    let rest = comment.trim().strip_prefix("tenant-guard:")?.trim_start();
    Some(directive(rest))
}

fn directive(text: &str) -> Result<Directive, Malformed> {
    // The longer word first.
    let (reach, rest) = if let Some(rest) = text.strip_prefix("allow-file") {
        (Reach::File, rest)
    } else if let Some(rest) = text.strip_prefix("allow") {
        (Reach::Next, rest)
    } else if text.starts_with("ignore") {
        return Err(malformed(
            "`ignore` is for statements of a migration".to_owned(),
        ));
    } else {
        return Err(malformed("neither `allow` nor `allow-file`".to_owned()));
    };
    let list = rest.trim_start().strip_prefix('(');
    let Some((names, rest)) = list.and_then(|rest| rest.split_once(')')) else {
        return Err(malformed(
            "no list of rules in parentheses after `allow`".to_owned(),
        ));
    };
    let rules = names
        .split(',')
        .map(|name| rule(name.trim()))
        .collect::<Result<Vec<Rule>, Malformed>>()?;
    let reason = rest.trim_start().strip_prefix("reason:").map(str::trim);
    match reason {
        Some(reason) if !reason.is_empty() => Ok(Directive {
            rules,
            reason: reason.to_owned(),
            reach,
        }),
        Some(_) | None => Err(Malformed {
            rule: OwnRule::AllowWithoutReason,
            message: format!("allow({}) gives no reason", names.trim()),
        }),
    }
}

fn rule(name: &str) -> Result<Rule, Malformed> {
    match Rule::named(name) {
        Some(rule) if rule.can_be_allowed() => Ok(rule),
        Some(rule) => Err(malformed(format!("{rule} cannot be allowed"))),
        None if name.is_empty() => Err(malformed("an empty place in the list of rules".to_owned())),
        None => Err(malformed(format!("there is no rule {name}"))),
    }
}

fn malformed(message: String) -> Malformed {
    Malformed {
        rule: OwnRule::AllowMalformed,
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenant_guard::Code;

    #[test]
    fn rules_and_reason_are_read() {
        let read = parse(" tenant-guard: allow(TG006, unchecked) reason: nightly: all tenants ");
        assert_eq!(
            read,
            Some(Ok(Directive {
                rules: vec![
                    Rule::Refused(Code::UnknownTable),
                    Rule::Own(OwnRule::Unchecked)
                ],
                reason: "nightly: all tenants".to_owned(),
                reach: Reach::Next,
            }))
        );
        let read = parse("tenant-guard: allow-file (tg003) reason: x").unwrap();
        assert_eq!(read.unwrap().reach, Reach::File);
        assert_eq!(parse(" tenant-guard is nice"), None);
        assert_eq!(parse(" see tenant-guard: allow(TG006)"), None);
    }

    #[test]
    fn what_has_no_effect_says_why() {
        for (comment, rule, message) in [
            (
                "allow(TG006)",
                OwnRule::AllowWithoutReason,
                "gives no reason",
            ),
            (
                "allow(TG006) reason: ",
                OwnRule::AllowWithoutReason,
                "gives no reason",
            ),
            (
                "allow(TG006) nightly",
                OwnRule::AllowWithoutReason,
                "gives no reason",
            ),
            (
                "allow(TG999) reason: x",
                OwnRule::AllowMalformed,
                "there is no rule TG999",
            ),
            (
                "allow(allow-unused) reason: x",
                OwnRule::AllowMalformed,
                "cannot be allowed",
            ),
            ("allow() reason: x", OwnRule::AllowMalformed, "empty place"),
            (
                "allow TG006 reason: x",
                OwnRule::AllowMalformed,
                "parentheses",
            ),
            ("ignore (by hand)", OwnRule::AllowMalformed, "migration"),
            ("alow(TG006) reason: x", OwnRule::AllowMalformed, "neither"),
        ] {
            let found = parse(&format!(" tenant-guard: {comment}"))
                .unwrap()
                .unwrap_err();
            assert_eq!(found.rule, rule, "{comment}");
            assert!(found.message.contains(message), "{comment}: {found:?}");
        }
    }
}
