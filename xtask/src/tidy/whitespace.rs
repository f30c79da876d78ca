//! Whitespace that no formatter looks at.

use std::path::Path;

use super::has_extension;

const TEXT: [&str; 7] = ["md", "toml", "yml", "sql", "sh", "rs", "txt"];

/// Folders of statements as they come, whose whitespace is part of what is tested.
const DATA: [&str; 2] = ["tests/cases", "fuzz/seeds"];

pub(super) fn check(file: &Path, text: &str) -> Vec<String> {
    let name = file.to_string_lossy();
    let is_text = TEXT.iter().any(|extension| has_extension(file, extension));
    if !is_text || DATA.iter().any(|folder| name.contains(folder)) {
        return Vec::new();
    }
    let mut findings: Vec<String> = text
        .split('\n')
        .enumerate()
        .filter(|(_, line)| line.ends_with([' ', '\t', '\r']))
        .map(|(index, _)| format!("{name}:{}: whitespace at the end of the line", index + 1))
        .collect();
    if !text.is_empty() && !text.ends_with('\n') {
        findings.push(format!("{name}: no newline at the end of the file"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stray_whitespace_is_found() {
        let found = |text| check(Path::new("a.md"), text);
        assert!(found("one\ntwo\n").is_empty());
        assert_eq!(found("one \n").len(), 1);
        assert_eq!(found("one").len(), 1);
        for data in ["a.snap", "a/tests/cases/b.md"] {
            assert!(check(Path::new(data), "one ").is_empty(), "{data}");
        }
    }
}
