//! Names as PostgreSQL stores them.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// One identifier as PostgreSQL stores it: already case-folded or unquoted, already truncated.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ident(String);

impl Ident {
    /// Takes a stored name as it is; nothing is folded here.
    pub fn new(stored: impl Into<String>) -> Self {
        Self(stored.into())
    }

    /// The stored name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as it can stand in SQL: always in double quotes, so that keywords and capitals
    /// need no thought (`quote_identifier`, PostgreSQL `src/backend/utils/adt/ruleutils.c`).
    ///
    /// ```
    /// use tenant_guard::Ident;
    /// assert_eq!(Ident::new("or\"der").quoted(), "\"or\"\"der\"");
    /// ```
    pub fn quoted(&self) -> String {
        let mut quoted = String::with_capacity(self.0.len() + 2);
        quoted.push('"');
        for character in self.0.chars() {
            if character == '"' {
                quoted.push('"');
            }
            quoted.push(character);
        }
        quoted.push('"');
        quoted
    }
}

impl Borrow<str> for Ident {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Ident {
    fn from(stored: &str) -> Self {
        Self::new(stored)
    }
}

impl From<String> for Ident {
    fn from(stored: String) -> Self {
        Self(stored)
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A table's full name: schema and relation. There is no unqualified [`TableName`]: whoever makes
/// one has resolved it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TableName {
    /// The schema, for example `public`.
    pub schema: Ident,
    /// The relation, for example `projects`.
    pub name: Ident,
}

impl TableName {
    /// Puts a stored schema name and a stored relation name together.
    pub fn new(schema: impl Into<Ident>, name: impl Into<Ident>) -> Self {
        Self {
            schema: schema.into(),
            name: name.into(),
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}
