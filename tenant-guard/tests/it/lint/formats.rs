//! What is printed, in each format.

use insta::assert_snapshot;
use serde_json::Value;
use tempfile::TempDir;

use super::{check, folder, stdout};

/// A finding of each kind, in an odd folder.
fn odd() -> TempDir {
    folder(&[
        (
            "odd, %: ä/a.rs",
            "async fn f(c: &Client) {
    c.query(
        r#\"SELECT 'ä表', title
\tFROM täsks t,
        tasks\"#,
        &[],
    );
    c.query(&format!(\"SELECT {x}\"), &[]);
    cluster.unscoped(\"nightly: 100%, all\").query(\"SELECT 1\", &[]);
    // tenant-guard: allow(TG006) reason: a table of the framework
    c.query(\"SELECT id FROM migrations\", &[]);
}
",
        ),
        (
            "b.sql",
            "-- tenant-guard: allow(TG009)\nUPDATE tasks\n  SET tenant_id = 6;\nTRUNCATE\n  tasks;\n",
        ),
    ])
}

fn printed(format: &str) -> String {
    let folder = odd();
    let output = check(
        folder.path(),
        &["--schema", "schema.sql", "--format", format, "."],
    );
    assert_eq!(output.status.code(), Some(1));
    stdout(&output).to_owned()
}

#[test]
fn text() {
    assert_snapshot!(printed("text"));
}

#[test]
fn json() {
    assert_snapshot!(printed("json"));
    let folder = odd();
    let short = check(folder.path(), &["--schema", "schema.sql", "--json", "."]);
    assert_eq!(stdout(&short), printed("json"));
}

#[test]
fn github() {
    assert_snapshot!(printed("github"));
}

#[test]
fn sarif() {
    let printed = printed("sarif");
    let mut log: Value = serde_json::from_str(&printed).unwrap();
    assert_is_sarif(&log);
    let mut results = log["runs"][0]["results"].take();
    for result in results.as_array_mut().unwrap() {
        // It changes with each new code.
        result.as_object_mut().unwrap().remove("ruleIndex");
    }
    assert_snapshot!(serde_json::to_string_pretty(&results).unwrap());
}

#[test]
fn sarif_of_nothing_is_a_log_as_well() {
    let folder = folder(&[]);
    let output = check(
        folder.path(),
        &["--schema", "schema.sql", "--format", "sarif", "."],
    );
    let log: Value = serde_json::from_str(stdout(&output)).unwrap();
    assert_is_sarif(&log);
    assert_eq!(log["runs"][0]["results"], Value::Array(Vec::new()));
}

/// What SARIF 2.1.0 asks of a log, as far as this one has it: sections 3.13, 3.14, 3.19, 3.27,
/// 3.28, 3.30, 3.35 and 3.49 of the standard.
fn assert_is_sarif(log: &Value) {
    assert_eq!(log["version"], "2.1.0");
    assert!(
        log["$schema"]
            .as_str()
            .unwrap()
            .ends_with("sarif-schema-2.1.0.json")
    );
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "tenant-guard");
    let rules = driver["rules"].as_array().unwrap();
    for rule in rules {
        assert!(!rule["id"].as_str().unwrap().is_empty());
        assert!(
            rule["shortDescription"]["text"]
                .as_str()
                .unwrap()
                .ends_with('.')
        );
        let level = rule["defaultConfiguration"]["level"].as_str().unwrap();
        assert!(["error", "note"].contains(&level));
    }
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        assert!(["error", "note"].contains(&result["level"].as_str().unwrap()));
        let location = &result["locations"][0]["physicalLocation"];
        let uri = location["artifactLocation"]["uri"].as_str().unwrap();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte);
        assert!(uri.bytes().all(allowed), "{uri}");
        let number = |key: &str| location["region"][key].as_u64().unwrap();
        assert!(number("startLine") >= 1 && number("startColumn") >= 1);
        let (start, end) = (
            (number("startLine"), number("startColumn")),
            (number("endLine"), number("endColumn")),
        );
        assert!(start <= end, "{location}");
        for suppression in result["suppressions"].as_array().into_iter().flatten() {
            assert_eq!(suppression["kind"], "inSource");
        }
    }
}
