//! What a team has looked at and allows.

use std::collections::BTreeSet;
use std::str::FromStr;

use super::{Code, Finding};
use crate::{Ident, Policy};

/// Findings that were looked at and are fine, each with its reason.
///
/// ```
/// use tenant_guard::doctor::{Code, Exceptions};
///
/// let exceptions = Exceptions::default()
///     .allow(Code::Trigger, Some("public.tasks.touch"), "sets NEW.changed_at, reads nothing")
///     .allow_function("slugify");
/// # let _ = exceptions;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Exceptions {
    allowed: Vec<Exception>,
    functions: BTreeSet<Ident>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exception {
    pub(super) code: Code,
    pub(super) object: Option<String>,
    pub(super) reason: String,
}

impl Exceptions {
    /// Allows the findings of a code: of one object, written as a finding shows it
    /// (`public.tasks.touch`), or of all.
    pub fn allow(mut self, code: Code, object: Option<&str>, reason: impl Into<String>) -> Self {
        self.allowed.push(Exception {
            code,
            object: object.map(str::to_owned),
            reason: reason.into(),
        });
        self
    }

    /// Declares a function safe wherever an expression calls it: what it returns depends on nothing
    /// but its arguments. The name is as stored, without schema.
    pub fn allow_function(mut self, name: impl Into<Ident>) -> Self {
        self.functions.insert(name.into());
        self
    }

    /// Declares the functions safe that the guard's policy declares so.
    pub fn allow_functions_of(mut self, policy: &Policy) -> Self {
        self.functions.extend(policy.function_names().cloned());
        self
    }

    /// These and the others.
    pub fn and(mut self, other: Self) -> Self {
        self.allowed.extend(other.allowed);
        self.functions.extend(other.functions);
        self
    }

    pub(super) fn is_safe_function(&self, name: &Ident) -> bool {
        self.functions.contains(name)
    }

    /// The exception for a finding, by its place.
    pub(super) fn for_finding(&self, finding: &Finding) -> Option<usize> {
        self.allowed
            .iter()
            .position(|exception| exception.covers(finding))
    }

    pub(super) fn all(&self) -> &[Exception] {
        &self.allowed
    }
}

impl Exception {
    fn covers(&self, finding: &Finding) -> bool {
        let object = |object: &String| object == finding.object();
        self.code == finding.code() && self.object.as_ref().is_none_or(object)
    }
}

impl std::fmt::Display for Exception {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.object {
            Some(object) => write!(f, "{}:{object}", self.code),
            None => self.code.fmt(f),
        }
    }
}

/// Why a text is no list of exceptions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}; write `TD010:public.tasks.touch reads nothing`")]
pub struct ExceptionsError {
    line: usize,
    problem: &'static str,
}

/// One exception a line: a code, behind a colon the object unless all are meant, a blank, the reason.
/// Blank lines and those that begin with `#` are passed over. An object that holds a blank is written
/// in single quotes.
///
/// ```
/// use tenant_guard::doctor::Exceptions;
///
/// let exceptions: Exceptions = "
///     ## what we have looked at
///     TD010:public.tasks.touch  sets NEW.changed_at, reads nothing
///     TD025  bigserial ids are no secret here
/// ".parse()?;
/// # let _ = exceptions;
/// # Ok::<(), tenant_guard::doctor::ExceptionsError>(())
/// ```
impl FromStr for Exceptions {
    type Err = ExceptionsError;

    fn from_str(text: &str) -> Result<Self, ExceptionsError> {
        let mut exceptions = Self::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let error = |problem| ExceptionsError {
                line: index + 1,
                problem,
            };
            let (code, object, reason) = parts(line).ok_or(error("a quote is not closed"))?;
            let code = code.parse().map_err(|()| error("there is no such code"))?;
            if reason.is_empty() {
                return Err(error("the reason is missing"));
            }
            exceptions = exceptions.allow(code, object, reason);
        }
        Ok(exceptions)
    }
}

/// Code, object and reason of a line.
fn parts(line: &str) -> Option<(&str, Option<&str>, &str)> {
    let end = line
        .find(|character: char| character == ':' || character.is_whitespace())
        .unwrap_or(line.len());
    let (code, rest) = line.split_at(end);
    let Some(rest) = rest.strip_prefix(':') else {
        return Some((code, None, rest.trim()));
    };
    let (object, reason) = match rest.strip_prefix('\'') {
        Some(quoted) => quoted.split_once('\'')?,
        None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
    };
    Some((code, Some(object), reason.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_code_object_and_reason() {
        let read: Exceptions = "td010:public.tasks.touch  fine here\n\n# no\nTD025 all: fine\n\
            TD018:'cast bigint -> text' fine"
            .parse()
            .unwrap();
        let expected = Exceptions::default()
            .allow(Code::Trigger, Some("public.tasks.touch"), "fine here")
            .allow(Code::SharedSequence, None, "all: fine")
            .allow(Code::Shadowing, Some("cast bigint -> text"), "fine");
        assert_eq!(read, expected);
    }

    #[test]
    fn what_is_missing_is_said() {
        for (text, message) in [
            ("TD010", "line 1: the reason is missing"),
            ("\nTD010:public.t", "line 2: the reason is missing"),
            ("TD999 x", "line 1: there is no such code"),
            ("TD010:'public.t", "line 1: a quote is not closed"),
        ] {
            let error = text.parse::<Exceptions>().unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
