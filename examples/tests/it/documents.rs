//! Statements in the documents, checked against the guard.

use std::path::Path;

use citus_examples::MIGRATIONS;
use tenant_guard::{Guard, Policy, Tenancy};

/// Each `sql` block that is followed by a `rewritten` or a `refused` block has to be answered so.
#[test]
fn statements_become_what_the_page_says() {
    let guard = Guard::new(
        Tenancy::from_migrations(MIGRATIONS).unwrap(),
        Policy::default(),
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/statements.md");
    let page = std::fs::read_to_string(path).unwrap();
    let blocks = blocks(&page);
    let mut checked = 0;
    for pair in blocks.windows(2) {
        let [("sql", sql), (kind, said)] = *pair else {
            continue;
        };
        let (answered, answer) = match guard.check(sql) {
            Ok(guarded) => ("rewritten", guarded.text().to_owned()),
            Err(refusal) => ("refused", refusal.render(sql)),
        };
        if kind == "rewritten" || kind == "refused" {
            assert_eq!((answered, answer.as_str()), (kind, said), "{sql}");
            checked += 1;
        }
    }
    assert!(checked >= 8, "only {checked} statements were found");
}

/// The fenced blocks: language and text.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    page.split("\n```")
        .skip(1)
        .step_by(2)
        .filter_map(|block| block.split_once('\n'))
        .collect()
}
