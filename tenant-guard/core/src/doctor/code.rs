//! The codes of findings.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// An accepted statement can do something else than on a database with one tenant's rows alone.
    Error,
    /// It can, if code that cannot be looked into does what it may do; or something is out of date or
    /// costs speed.
    Warning,
    /// Worth knowing.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

macro_rules! codes {
    ($($name:ident = $number:literal, $severity:ident, $doc:literal, $consequence:literal;)*) => {
        /// The stable codes of findings. A code keeps its meaning for ever.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $doc] $name,)*
        }

        impl Code {
            /// All codes, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code as it is written: `TD001`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $number,)* }
            }

            /// How much its findings matter.
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// What the code stands for, in one sentence.
            pub fn explanation(self) -> &'static str {
                match self { $(Self::$name => $doc,)* }
            }

            /// What can happen.
            pub fn consequence(self) -> &'static str {
                match self { $(Self::$name => $consequence,)* }
            }
        }
    };
}

codes! {
    KeyWithoutTenant = "TD001", Error, "A unique key of a tenant table lacks the tenant column.",
        "tenants collide in it: an insert fails because another tenant has the value, which shows that he has it";
    ForeignKeyAcrossTenants = "TD002", Error, "A foreign key between tenant tables does not pair their tenant columns.",
        "a row can point at another tenant's row, and deleting or changing that one reaches across";
    ForeignKeyToTenants = "TD003", Error, "A foreign key leads from a table of no tenant to a tenant table.",
        "a row that no tenant owns decides what a tenant can delete or change";
    ActionOnTenantColumn = "TD004", Error, "A foreign key's action overwrites the tenant column.",
        "when the row it points at goes, the row leaves its tenant";
    NullableTenantColumn = "TD005", Warning, "The tenant column may be null.",
        "a row without a tenant is nobody's: no tenant sees it, and keys and foreign keys do not hold it";
    UnhashedTenantType = "TD006", Warning, "The driver cannot hash values of the tenant column's type.",
        "each statement takes the way over the coordinator";
    TenantDomain = "TD007", Error, "The tenant column's type is a domain.",
        "Citus 13.2 loses rows of a domain over an integer, and no client can compute where a row lies";
    TenantCollation = "TD008", Error, "Under its collation, the tenant column takes different values for equal.",
        "two tenants whose names differ in case or accents alone are one";
    SeveralGroups = "TD009", Warning, "The tenant tables are not all in one colocation group.",
        "a statement that joins tables of two groups is refused";
    Trigger = "TD010", Warning, "A tenant table has a trigger.",
        "its function runs with the statement and may read and write every tenant's rows";
    Rule = "TD011", Error, "A tenant table has a rewrite rule.",
        "it puts other statements beside or in the place of the one that was guarded";
    UnsafeExpression = "TD012", Warning, "An expression of a tenant table calls a function that is not known to be safe.",
        "the function runs with each statement that meets the expression, and may read anything";
    RowSecurity = "TD013", Note, "A tenant table has row-level security.",
        "its policies restrict statements beside the guard, and can make them give less";
    RelativeOfTenantTable = "TD014", Error, "A partition, a child or a parent of a tenant table is known as something else.",
        "the rows can be reached under a name that is not restricted";
    Inheritance = "TD015", Warning, "A table inherits from a tenant table.",
        "its rows are read with the tenant table's, and the tenant table's keys do not hold for them";
    ViewForAll = "TD016", Error, "A view that reads tenant tables is known as a table for all.",
        "each tenant reads every tenant's rows through it";
    ViewOverTenants = "TD017", Note, "A view reads tenant tables.",
        "whoever reads it without the guard reads every tenant's rows";
    Shadowing = "TD018", Error, "An object of the schema may be taken for one of PostgreSQL's own.",
        "a guarded statement that names PostgreSQL's own runs this one, which may read anything";
    RefusedName = "TD019", Note, "A function has the name of one of PostgreSQL's own.",
        "calls of that name are refused, because it is not known which of the two runs";
    PublicCreate = "TD020", Error, "Everyone may create objects in a schema of the search path.",
        "whoever can connect can put a function or an operator in the way of guarded statements";
    TenantColumnElsewhere = "TD021", Warning, "A table has the tenant column and is no tenant table.",
        "it looks like a tenant table that was forgotten: statements of tenants are refused";
    ReferenceWithTenants = "TD022", Error, "A table for all has the tenant column.",
        "every tenant reads the rows of all";
    Disagreement = "TD023", Error, "The tenancy and the database disagree about a table.",
        "the guard restricts by what is not so";
    Missing = "TD024", Warning, "The tenancy knows something that the database does not have.",
        "statements that are accepted fail on the server";
    SharedSequence = "TD025", Note, "Tenants draw numbers from one sequence.",
        "the gaps tell a tenant how much the others insert";
    RestrictivePolicy = "TD026", Error, "A distributed table has a restrictive policy.",
        "Citus 13.2 carries it to the shards as a permissive one, so that it widens what it was to narrow";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The text is none of [`Code::ALL`].
impl FromStr for Code {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let known = |code: &&Self| code.as_str().eq_ignore_ascii_case(text);
        Self::ALL.iter().find(known).copied().ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_numbered_without_gaps() {
        for (index, code) in Code::ALL.iter().enumerate() {
            assert_eq!(code.as_str(), format!("TD{:03}", index + 1));
            assert_eq!(code.as_str().to_lowercase().parse(), Ok(*code));
        }
        assert_eq!("TD000".parse::<Code>(), Err(()));
    }
}
