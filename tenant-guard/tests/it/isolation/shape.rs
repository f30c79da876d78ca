//! What a statement's tree shows of it: what it writes, and features by name.

use std::collections::BTreeSet;

use pg_query::protobuf::OnConflictAction;
use serde_json::Value;

/// The tables that a statement writes, and what else is in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    writes: Vec<Write>,
    features: BTreeSet<&'static str>,
}

#[derive(Clone, Debug)]
struct Write {
    table: String,
    /// Whether it changes rows that are there.
    meets_rows: bool,
}

/// What an exception can ask for.
const FEATURES: &[&str] = &[
    "group by",
    "insert",
    "insert in with",
    "insert of a query",
    "merge",
    "on conflict update",
    "recursive",
    "returning",
    "sample",
    "search or cycle",
    "sub-query",
    "update or delete",
    "with",
    "write",
    "write in with",
];

impl Shape {
    /// Of what PostgreSQL's grammar takes.
    pub(crate) fn of(sql: &str) -> Option<Self> {
        let mut shape = Self::default();
        shape.add(&tree(sql)?, false);
        Some(shape)
    }

    fn add(&mut self, tree: &Value, in_with: bool) {
        match tree {
            Value::Array(parts) => parts.iter().for_each(|part| self.add(part, in_with)),
            Value::Object(fields) => {
                for (name, part) in fields {
                    match name.as_str() {
                        "InsertStmt" => self.add_write("insert", part, in_with),
                        "UpdateStmt" | "DeleteStmt" => {
                            self.add_write("update or delete", part, in_with);
                        }
                        "MergeStmt" => self.add_write("merge", part, in_with),
                        "RangeTableSample" => self.note("sample", !is_whole(part)),
                        "SubLink" => self.note("sub-query", true),
                        "CommonTableExpr" => self.note("with", true),
                        "recursive" => self.note("recursive", part == true),
                        "search_clause" | "cycle_clause" => {
                            self.note("search or cycle", part.is_object());
                        }
                        "group_clause" => self.note("group by", has_parts(part)),
                        _ => {}
                    }
                    self.add(part, in_with || name == "CommonTableExpr");
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn add_write(&mut self, kind: &'static str, tree: &Value, in_with: bool) {
        let relation = &tree["relation"];
        let action = &tree["on_conflict_clause"]["action"];
        let updates = *action == OnConflictAction::OnconflictUpdate as i32;
        self.writes.push(Write {
            table: format!("{}.{}", relation["schemaname"], relation["relname"]),
            meets_rows: kind != "insert" || updates,
        });
        self.note("write", true);
        self.note(kind, true);
        self.note("write in with", in_with);
        self.note("insert in with", in_with && kind == "insert");
        let source = &tree["select_stmt"]["node"]["SelectStmt"];
        let is_query = source.is_object() && !has_parts(&source["values_lists"]);
        self.note("insert of a query", kind == "insert" && is_query);
        self.note("on conflict update", updates);
        self.note("returning", has_parts(&tree["returning_clause"]["exprs"]));
    }

    fn note(&mut self, feature: &'static str, is_there: bool) {
        if is_there {
            self.features.insert(feature);
        }
    }

    /// Whether it has this one of the features.
    pub(crate) fn has(&self, feature: &str) -> bool {
        assert!(
            FEATURES.contains(&feature),
            "no feature is called {feature}"
        );
        self.features.contains(feature)
    }

    /// Whether one table is written by several queries of which one can meet what another has changed.
    /// Only one of the changes is then made to a row, and which one cannot be predicted (PostgreSQL's
    /// manual, 7.8.4).
    pub(crate) fn writes_rows_twice(&self) -> bool {
        self.writes.iter().enumerate().any(|(place, one)| {
            let mut others = self.writes[place + 1..].iter();
            others.any(|two| one.table == two.table && (one.meets_rows || two.meets_rows))
        })
    }
}

/// The strings and names in a statement, whatever their spelling.
pub(crate) fn strings(sql: &str) -> Vec<String> {
    fn add(tree: &Value, strings: &mut Vec<String>) {
        match tree {
            Value::String(text) => strings.push(text.clone()),
            Value::Array(parts) => parts.iter().for_each(|part| add(part, strings)),
            Value::Object(fields) => fields.values().for_each(|part| add(part, strings)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut strings = Vec::new();
    if let Some(tree) = tree(sql) {
        add(&tree, &mut strings);
    }
    strings
}

fn tree(sql: &str) -> Option<Value> {
    let parsed = pg_query::parse(sql, 0).ok()?;
    serde_json::to_value(&parsed.protobuf).ok()
}

/// Whether a sample takes 100 percent.
fn is_whole(sample: &Value) -> bool {
    let percent = &sample["args"][0]["node"]["AConst"]["val"];
    percent["Ival"]["ival"] == 100
}

fn has_parts(list: &Value) -> bool {
    list.as_array().is_some_and(|parts| !parts.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(sql: &str) -> Vec<&'static str> {
        let shape = Shape::of(sql).expect("a statement");
        shape.features.into_iter().collect()
    }

    #[test]
    fn features_are_found_wherever_they_stand() {
        assert!(features("SELECT a FROM b").is_empty());
        assert_eq!(
            features("INSERT INTO a VALUES ((SELECT 1)) ON CONFLICT (x) DO UPDATE SET y = 1"),
            ["insert", "on conflict update", "sub-query", "write"]
        );
        assert_eq!(
            features("WITH i AS (INSERT INTO a SELECT 1 RETURNING x) UPDATE b SET y = 1"),
            [
                "insert",
                "insert in with",
                "insert of a query",
                "returning",
                "update or delete",
                "with",
                "write",
                "write in with"
            ]
        );
        assert_eq!(
            features(
                "SELECT * FROM (WITH RECURSIVE r (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) \
                 SEARCH DEPTH FIRST BY i SET p SELECT i FROM r GROUP BY i) AS q"
            ),
            ["group by", "recursive", "search or cycle", "with"]
        );
    }

    #[test]
    fn a_sample_of_all_rows_is_none() {
        assert!(features("SELECT a FROM b TABLESAMPLE BERNOULLI (100)").is_empty());
        for part in ["4", "99.9", "10 * 10", "$1"] {
            let sql = format!("SELECT a FROM b TABLESAMPLE SYSTEM ({part}) REPEATABLE (1)");
            assert_eq!(features(&sql), ["sample"], "{part}");
        }
    }

    #[test]
    fn a_string_is_found_in_any_spelling() {
        for spelt in [
            "'leak_0_1'",
            r"E'\x6ceak_0_1'",
            r"U&'\006ceak_0_1'",
            "$x$leak_0_1$x$",
        ] {
            assert!(strings(&format!("SELECT {spelt}")).contains(&"leak_0_1".to_owned()));
        }
    }

    #[test]
    fn only_two_queries_of_one_table_can_meet() {
        let twice = |sql| Shape::of(sql).expect("a statement").writes_rows_twice();
        assert!(twice(
            "WITH u AS (UPDATE s.a SET x = 1 RETURNING y) DELETE FROM s.a USING u"
        ));
        assert!(!twice(
            "WITH u AS (UPDATE s.a SET x = 1 RETURNING y) DELETE FROM s.b USING u"
        ));
        assert!(!twice(
            "WITH u AS (INSERT INTO s.a SELECT 1) INSERT INTO s.a SELECT 2"
        ));
        assert!(twice(
            "WITH u AS (INSERT INTO s.a SELECT 1) \
             INSERT INTO s.a SELECT 2 ON CONFLICT (x) DO UPDATE SET y = 1"
        ));
    }
}
