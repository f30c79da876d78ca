//! Names as PostgreSQL stores them.

use std::borrow::{Borrow, Cow};
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

    /// The name as it can stand in SQL: in double quotes where it needs them
    /// (`quote_identifier`, PostgreSQL `src/backend/utils/adt/ruleutils.c`).
    ///
    /// ```
    /// use tenant_guard::Ident;
    /// assert_eq!(Ident::new("tasks").quoted(), "tasks");
    /// assert_eq!(Ident::new("Tasks").quoted(), "\"Tasks\"");
    /// assert_eq!(Ident::new("user").quoted(), "\"user\"");
    /// assert_eq!(Ident::new("or\"der").quoted(), "\"or\"\"der\"");
    /// ```
    pub fn quoted(&self) -> Cow<'_, str> {
        let plain_first = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        let plain = |byte: u8| plain_first(byte) || byte.is_ascii_digit();
        let is_plain = self.0.bytes().next().is_some_and(plain_first)
            && self.0.bytes().all(plain)
            && KEYWORDS.binary_search(&self.0.as_str()).is_err();
        if is_plain {
            return Cow::Borrowed(&self.0);
        }
        Cow::Owned(format!("\"{}\"", self.0.replace('"', "\"\"")))
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

/// All keywords that are not unreserved (PostgreSQL 18, `src/include/parser/kwlist.h`).
#[rustfmt::skip]
const KEYWORDS: &[&str] = &[
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric",
    "authorization", "between", "bigint", "binary", "bit", "boolean", "both", "case", "cast",
    "char", "character", "check", "coalesce", "collate", "collation", "column", "concurrently",
    "constraint", "create", "cross", "current_catalog", "current_date", "current_role",
    "current_schema", "current_time", "current_timestamp", "current_user", "dec", "decimal",
    "default", "deferrable", "desc", "distinct", "do", "else", "end", "except", "exists",
    "extract", "false", "fetch", "float", "for", "foreign", "freeze", "from", "full", "grant",
    "greatest", "group", "grouping", "having", "ilike", "in", "initially", "inner", "inout",
    "int", "integer", "intersect", "interval", "into", "is", "isnull", "join", "json",
    "json_array", "json_arrayagg", "json_exists", "json_object", "json_objectagg", "json_query",
    "json_scalar", "json_serialize", "json_table", "json_value", "lateral", "leading", "least",
    "left", "like", "limit", "localtime", "localtimestamp", "merge_action", "national", "natural",
    "nchar", "none", "normalize", "not", "notnull", "null", "nullif", "numeric", "offset", "on",
    "only", "or", "order", "out", "outer", "overlaps", "overlay", "placing", "position",
    "precision", "primary", "real", "references", "returning", "right", "row", "select",
    "session_user", "setof", "similar", "smallint", "some", "substring", "symmetric",
    "system_user", "table", "tablesample", "then", "time", "timestamp", "to", "trailing", "treat",
    "trim", "true", "union", "unique", "user", "using", "values", "varchar", "variadic",
    "verbose", "when", "where", "window", "with", "xmlattributes", "xmlconcat", "xmlelement",
    "xmlexists", "xmlforest", "xmlnamespaces", "xmlparse", "xmlpi", "xmlroot", "xmlserialize",
    "xmltable",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_can_be_searched() {
        assert!(KEYWORDS.is_sorted());
    }
}
