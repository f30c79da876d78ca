//! Statements that are written down. The tests of `tenant-guard-core` use them, too.

use std::fs;
use std::path::{Path, PathBuf};

/// Every statement of the cases and of the pages that hold some; `root` is the folder of `tenant-guard`.
pub(crate) fn written_statements(root: &Path) -> Vec<String> {
    let mut pages: Vec<PathBuf> = fs::read_dir(root.join("tests/cases"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();
    pages.push(root.join("docs/refusals.md"));
    pages.push(root.join("../docs/statements.md"));
    let mut statements = Vec::new();
    for page in pages {
        let page = fs::read_to_string(page).unwrap();
        for block in page.split("```sql\n").skip(1) {
            let (sql, _) = block.split_once("\n```").unwrap();
            statements.push(sql.to_owned());
        }
    }
    statements
}
