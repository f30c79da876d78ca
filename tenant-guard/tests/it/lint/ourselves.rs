//! The linter on this repository, as `tenant-guard.toml` at its root says.

use std::path::Path;

use super::{check, json, stdout};

#[test]
fn our_own_statements_are_checked() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = check(&root, &["--json"]);
    let (_, summary) = json(&output);
    assert_eq!(summary["errors"], 0, "{}", stdout(&output));
    assert!(summary["statements"].as_u64() >= Some(20), "{summary}");
    assert_eq!(output.status.code(), Some(0));
}
