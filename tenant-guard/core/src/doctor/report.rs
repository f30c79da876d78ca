//! What was found.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::{Aspect, Code, Exceptions, SchemaFacts, Severity};

/// Something in the schema that lets tenants meet each other, or may.
///
/// It names objects of the schema and never a value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    code: Code,
    object: String,
    message: String,
    fix: String,
}

impl Finding {
    pub(super) fn new(
        code: Code,
        object: impl fmt::Display,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            code,
            object: object.to_string(),
            message: message.into(),
            fix: fix.into(),
        }
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// How much it matters.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// What it is about: `public.tasks`, `public.tasks.tasks_pkey`.
    pub fn object(&self) -> &str {
        &self.object
    }

    /// What is so, in one sentence.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What can happen.
    pub fn consequence(&self) -> &'static str {
        self.code.consequence()
    }

    /// How to fix it.
    pub fn fix(&self) -> &str {
        &self.fix
    }
}

/// Code, severity, object and message on the first line, then what can happen and how to fix it.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} {}: {}: {}",
            self.severity(),
            self.code,
            self.object,
            self.message
        )?;
        writeln!(f, "  so:   {}", self.consequence())?;
        write!(f, "  help: {}", self.fix)
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Finding", 6)?;
        object.serialize_field("code", &self.code)?;
        object.serialize_field("severity", &self.severity())?;
        object.serialize_field("object", &self.object)?;
        object.serialize_field("message", &self.message)?;
        object.serialize_field("consequence", self.consequence())?;
        object.serialize_field("fix", &self.fix)?;
        object.end()
    }
}

/// A finding that an exception covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Allowed {
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// Why it is fine.
    pub reason: String,
}

/// What [`examine`](super::examine) found, the worst first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    findings: Vec<Finding>,
    allowed: Vec<Allowed>,
    unused_exceptions: Vec<String>,
    unchecked: Vec<&'static str>,
}

impl Report {
    pub(super) fn new(
        mut found: Vec<Finding>,
        facts: &SchemaFacts,
        exceptions: &Exceptions,
    ) -> Self {
        found.sort_by(|a, b| {
            let rank = |finding: &Finding| (finding.severity(), finding.code);
            rank(a).cmp(&rank(b)).then_with(|| a.object.cmp(&b.object))
        });
        let mut used = vec![false; exceptions.all().len()];
        let (mut findings, mut allowed) = (Vec::new(), Vec::new());
        for finding in found {
            match exceptions.for_finding(&finding) {
                Some(place) => {
                    used[place] = true;
                    let reason = exceptions.all()[place].reason.clone();
                    allowed.push(Allowed { finding, reason });
                }
                None => findings.push(finding),
            }
        }
        let unused = exceptions.all().iter().zip(used);
        Self {
            findings,
            allowed,
            unused_exceptions: unused
                .filter(|(_, used)| !used)
                .map(|(exception, _)| exception.to_string())
                .collect(),
            unchecked: facts
                .untold
                .iter()
                .map(|aspect| aspect.sentence())
                .collect(),
        }
    }

    /// What no exception covers.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What an exception covers.
    pub fn allowed(&self) -> &[Allowed] {
        &self.allowed
    }

    /// The exceptions that cover nothing, as they were written.
    pub fn unused_exceptions(&self) -> &[String] {
        &self.unused_exceptions
    }

    /// What the facts did not tell, one sentence each.
    pub fn unchecked(&self) -> &[&'static str] {
        &self.unchecked
    }

    /// How many findings of a severity there are.
    pub fn count(&self, severity: Severity) -> usize {
        let of = |finding: &&Finding| finding.severity() == severity;
        self.findings.iter().filter(of).count()
    }
}

/// For people: the form may change.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}\n")?;
        }
        for allowed in &self.allowed {
            let Allowed { finding, reason } = allowed;
            writeln!(f, "allowed {}: {}: {reason}", finding.code, finding.object)?;
        }
        for exception in &self.unused_exceptions {
            writeln!(
                f,
                "unused exception {exception}: nothing of the kind was found"
            )?;
        }
        for sentence in &self.unchecked {
            writeln!(f, "not checked: {sentence}")?;
        }
        let count = |severity| self.count(severity);
        write!(
            f,
            "{} errors, {} warnings, {} notes, {} allowed",
            count(Severity::Error),
            count(Severity::Warning),
            count(Severity::Note),
            self.allowed.len()
        )
    }
}

impl Aspect {
    fn sentence(self) -> &'static str {
        match self {
            Self::Collations => "whether a collation takes different texts for equal",
            Self::Domains => "whether a type is a domain, and what its checks call",
            Self::Operators => "operators and casts",
            Self::Privileges => "who may create objects in the schemas of the search path",
            Self::Strays => {
                "what no migration makes: objects of extensions, those made by hand, and what is left \
                 out by a comment"
            }
            Self::Unread => "a default, a constraint, a trigger or a policy that could not be read",
            Self::Views => "what views read",
        }
    }
}
