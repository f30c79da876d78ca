//! Whatever the text, reading it ends with a tenancy or an error.

use proptest::prelude::*;
use tenant_guard::{Tenancy, split_statements};

/// Pieces of statements in any order: most texts are nonsense, some are nearly right.
fn soup() -> impl Strategy<Value = String> {
    let pieces = [
        "CREATE",
        "TABLE",
        "ALTER",
        "DROP",
        "SELECT",
        "INDEX",
        "UNIQUE",
        "PRIMARY KEY",
        "TYPE",
        "AS",
        "ENUM",
        "ON",
        "ADD",
        "COLUMN",
        "CONSTRAINT",
        "RENAME",
        "TO",
        "PARTITION OF",
        "ATTACH PARTITION",
        "DETACH PARTITION",
        "LIKE",
        "INCLUDING ALL",
        "IF NOT EXISTS",
        "IF EXISTS",
        "SET SCHEMA",
        "SET search_path =",
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "DO $$ BEGIN",
        "END $$",
        "EXCEPTION WHEN",
        "THEN NULL",
        "create_distributed_table",
        "create_reference_table",
        "undistribute_table",
        "EXCLUDE USING gist",
        "WITH =",
        "WHERE",
        "INCLUDE",
        "DOMAIN",
        "FUNCTION",
        "SCHEMA",
        "VIEW",
        "a",
        "b",
        "public.a",
        "app",
        "id",
        "tenant_id",
        "int",
        "bigint",
        "text[]",
        "numeric(1,2)",
        "\"A\"",
        "U&\"a\"",
        "'a'",
        "'tenant_id'",
        "'",
        "$$",
        "(",
        ")",
        "(",
        ")",
        ",",
        ";",
        ";",
        ".",
        "*",
        "=",
        "::",
        "1",
        "\\x",
        "--",
        "\n",
        "/*",
        "*/",
    ];
    proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..40)
        .prop_map(|pieces| pieces.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics(soup in soup()) {
        // A start that many pieces can build on.
        let sql = format!("CREATE TABLE a (id int, tenant_id bigint);{soup}");
        let _ = Tenancy::from_sql(&sql);
        if let Ok(statements) = split_statements(&sql) {
            for bytes in statements {
                prop_assert!(sql.get(bytes).is_some());
            }
        }
    }
}
