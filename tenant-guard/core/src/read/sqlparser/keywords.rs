//! PostgreSQL's keywords and the places in which they can be names.
//!
//! From PostgreSQL 18, `src/include/parser/kwlist.h`. Later releases made no reserved word free, and
//! whoever adds one makes statements fail, not mean something else.

/// A place in which the grammar has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// `ColId`: a table, an alias, the first part of a column's name.
    Column,
    /// `ColLabel`: behind a dot or `AS`.
    Label,
    /// `BareColLabel`: an alias without `AS`.
    BareLabel,
    /// `type_function_name`: a function or type without its schema.
    Function,
}

impl Place {
    /// Whether a word without quotes is a name here.
    pub(super) fn takes(self, word: &str) -> bool {
        let word = word.to_ascii_lowercase();
        let is_in = |words: &[&str]| words.binary_search(&word.as_str()).is_ok();
        match self {
            Self::Column => !is_in(RESERVED) && !is_in(TYPE_OR_FUNCTION),
            Self::Label => true,
            Self::BareLabel => !is_in(NEEDS_AS),
            // `OPERATOR (` always begins an operator.
            Self::Function => !is_in(RESERVED) && !is_in(COLUMN) && word != "operator",
        }
    }
}

/// `RESERVED_KEYWORD`
#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "both",
    "case", "cast", "check", "collate", "column", "constraint", "create", "current_catalog",
    "current_date", "current_role", "current_time", "current_timestamp", "current_user",
    "default", "deferrable", "desc", "distinct", "do", "else", "end", "except", "false",
    "fetch", "for", "foreign", "from", "grant", "group", "having", "in", "initially",
    "intersect", "into", "lateral", "leading", "limit", "localtime", "localtimestamp", "not",
    "null", "offset", "on", "only", "or", "order", "placing", "primary", "references",
    "returning", "select", "session_user", "some", "symmetric", "system_user", "table", "then",
    "to", "trailing", "true", "union", "unique", "user", "using", "variadic", "when", "where",
    "window", "with",
];

/// `TYPE_FUNC_NAME_KEYWORD`
#[rustfmt::skip]
const TYPE_OR_FUNCTION: &[&str] = &[
    "authorization", "binary", "collation", "concurrently", "cross", "current_schema", "freeze",
    "full", "ilike", "inner", "is", "isnull", "join", "left", "like", "natural", "notnull",
    "outer", "overlaps", "right", "similar", "tablesample", "verbose",
];

/// `COL_NAME_KEYWORD`
#[rustfmt::skip]
const COLUMN: &[&str] = &[
    "between", "bigint", "bit", "boolean", "char", "character", "coalesce", "dec", "decimal",
    "exists", "extract", "float", "greatest", "grouping", "inout", "int", "integer", "interval",
    "json", "json_array", "json_arrayagg", "json_exists", "json_object", "json_objectagg",
    "json_query", "json_scalar", "json_serialize", "json_table", "json_value", "least",
    "merge_action", "national", "nchar", "none", "normalize", "nullif", "numeric", "out",
    "overlay", "position", "precision", "real", "row", "setof", "smallint", "substring", "time",
    "timestamp", "treat", "trim", "values", "varchar", "xmlattributes", "xmlconcat",
    "xmlelement", "xmlexists", "xmlforest", "xmlnamespaces", "xmlparse", "xmlpi", "xmlroot",
    "xmlserialize", "xmltable",
];

/// `AS_LABEL`
#[rustfmt::skip]
const NEEDS_AS: &[&str] = &[
    "array", "as", "char", "character", "create", "day", "except", "fetch", "filter", "for",
    "from", "grant", "group", "having", "hour", "intersect", "into", "isnull", "limit",
    "minute", "month", "notnull", "offset", "on", "order", "over", "overlaps", "precision",
    "returning", "second", "to", "union", "varying", "where", "window", "with", "within",
    "without", "year",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_can_be_searched() {
        for words in [RESERVED, TYPE_OR_FUNCTION, COLUMN, NEEDS_AS] {
            assert!(words.is_sorted());
        }
    }

    /// PostgreSQL's own grammar takes each word where the lists say, and nowhere else.
    #[cfg(feature = "pg-grammar")]
    #[test]
    fn the_lists_are_postgresql_s() {
        let words =
            pg_query::protobuf::Token::AbortP as i32..=pg_query::protobuf::Token::Zone as i32;
        let words: Vec<String> = words
            .filter_map(|token| pg_query::protobuf::Token::try_from(token).ok())
            .map(|token| token.as_str_name().trim_end_matches("_P").to_lowercase())
            .collect();
        assert!(words.len() > 450, "{}", words.len());
        for word in words {
            let parses = |sql: String| pg_query::parse(&sql, 0).is_ok();
            let column = parses(format!("SELECT 1 FROM x AS {word}"));
            // `1 ISNULL` parses, but as a test.
            let is_test = word == "isnull" || word == "notnull";
            let bare = !is_test && parses(format!("SELECT 1 {word}"));
            let function = parses(format!("SELECT {word}(VARIADIC b => 2)"));
            assert_eq!(Place::Column.takes(&word), column, "{word} as a column");
            assert_eq!(Place::BareLabel.takes(&word), bare, "{word} as a label");
            assert!(parses(format!("SELECT 1 AS {word}")), "{word}");
            assert_eq!(
                Place::Function.takes(&word),
                function,
                "{word} as a function"
            );
        }
    }
}
