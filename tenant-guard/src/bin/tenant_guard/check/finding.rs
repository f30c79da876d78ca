//! What the linter has to say, and of what kind it is.

use std::fmt;

use clap::ValueEnum;
use serde::Deserialize;
use tenant_guard::Code;

use super::source::Place;

/// Why there is a finding: a refusal of the guard, or one of the linter's own rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    Refused(Code),
    Own(OwnRule),
}

macro_rules! own_rules {
    ($($name:ident = $id:literal, $level:ident, $doc:literal;)*) => {
        /// What the linter finds itself. A rule's name keeps its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum OwnRule {
            $(#[doc = $doc] $name,)*
        }

        impl OwnRule {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name),*];

            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            pub(crate) fn explanation(self) -> &'static str {
                match self { $(Self::$name => $doc,)* }
            }

            fn level(self) -> Level {
                match self { $(Self::$name => Level::$level,)* }
            }
        }
    };
}

own_rules! {
    AllowMalformed = "allow-malformed", Error, "A comment for the linter that it does not understand.";
    AllowUnused = "allow-unused", Error, "A comment allows what does not occur.";
    AllowWithoutReason = "allow-without-reason", Error, "A comment allows something and gives no reason.";
    Unchecked = "unchecked", Note, "SQL that is known at run time only.";
    Unreadable = "unreadable", Error, "A file that cannot be read, or is not what its name says.";
    Unscoped = "unscoped", Note, "SQL over all tenants, with its reason.";
    UnscopedWithoutReason = "unscoped-without-reason", Error, "SQL over all tenants without a reason.";
}

/// The notes that can be made errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Denied {
    /// SQL that is known at run time only.
    Unchecked,
    /// SQL over all tenants.
    Unscoped,
}

/// How bad it is. An error fails the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Error,
    Note,
}

impl Level {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Note => "note",
        }
    }
}

impl Rule {
    /// All rules, those of the guard first.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let refusals = Code::ALL.iter().map(|code| Self::Refused(*code));
        refusals.chain(OwnRule::ALL.iter().map(|rule| Self::Own(*rule)))
    }

    /// The rule with this name: `TG006` in any case, or one such as `unchecked`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::all().find(|rule| rule.as_str().eq_ignore_ascii_case(name))
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Refused(code) => code.as_str(),
            Self::Own(rule) => rule.as_str(),
        }
    }

    pub(crate) fn explanation(self) -> &'static str {
        match self {
            Self::Refused(code) => code.explanation(),
            Self::Own(rule) => rule.explanation(),
        }
    }

    pub(crate) fn level(self, denied: &[Denied]) -> Level {
        match self {
            Self::Own(OwnRule::Unchecked) if denied.contains(&Denied::Unchecked) => Level::Error,
            Self::Own(OwnRule::Unscoped) if denied.contains(&Denied::Unscoped) => Level::Error,
            Self::Own(rule) => rule.level(),
            Self::Refused(_) => Level::Error,
        }
    }

    /// Whether a comment can allow it. What is wrong with a comment or a file cannot be.
    pub(crate) fn can_be_allowed(self) -> bool {
        match self {
            Self::Refused(_) | Self::Own(OwnRule::Unchecked | OwnRule::Unscoped) => true,
            Self::Own(
                OwnRule::AllowMalformed
                | OwnRule::AllowUnused
                | OwnRule::AllowWithoutReason
                | OwnRule::Unreadable
                | OwnRule::UnscopedWithoutReason,
            ) => false,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing to report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// With `/` between folders.
    pub(crate) file: String,
    /// `None` where the file has no text.
    pub(crate) place: Option<Place>,
    pub(crate) rule: Rule,
    pub(crate) level: Level,
    pub(crate) message: String,
    pub(crate) hint: String,
    /// The reason of the comment that allows it.
    pub(crate) allowed: Option<String>,
}

impl Finding {
    pub(crate) fn fails(&self) -> bool {
        self.level == Level::Error && self.allowed.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_names() {
        assert_eq!(
            Rule::named("tg006"),
            Some(Rule::Refused(Code::UnknownTable))
        );
        assert_eq!(
            Rule::named("unchecked"),
            Some(Rule::Own(OwnRule::Unchecked))
        );
        assert_eq!(Rule::named("TG999"), None);
        let mut names: Vec<&str> = Rule::all().map(Rule::as_str).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn notes_can_be_denied() {
        let unchecked = Rule::Own(OwnRule::Unchecked);
        assert_eq!(unchecked.level(&[Denied::Unscoped]), Level::Note);
        assert_eq!(unchecked.level(&[Denied::Unchecked]), Level::Error);
    }
}
