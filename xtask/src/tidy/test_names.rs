//! Tests that Markdown names and that are no more.

use std::collections::BTreeSet;
use std::path::Path;

/// The functions that a Rust file defines.
pub(super) fn defined(text: &str) -> impl Iterator<Item = &str> {
    text.split("fn ")
        .skip(1)
        .filter_map(|rest| rest.split(['(', '<']).next())
}

/// What stands in backticks and reads like the name of a test has to be one.
pub(super) fn check(file: &Path, text: &str, defined: &BTreeSet<String>) -> Vec<String> {
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for word in line.split('`').skip(1).step_by(2) {
            if is_sentence(word) && !defined.contains(word) {
                let name = file.display();
                findings.push(format!("{name}:{}: there is no test {word}", index + 1));
            }
        }
    }
    findings
}

/// Four words or more: other names in prose are shorter, or no functions.
fn is_sentence(word: &str) -> bool {
    word.matches('_').count() >= 3
        && word
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_is_gone_is_found() {
        let code = "fn one_two_three_four() {}\nasync fn five_six_seven_eight<T>() {}";
        let defined: BTreeSet<String> = defined(code).map(str::to_owned).collect();
        let found = |text| check(Path::new("a.md"), text, &defined).len();
        assert_eq!(
            found("`one_two_three_four`, `five_six_seven_eight`, `short_name`"),
            0
        );
        assert_eq!(found("`one_two_three_five`"), 1);
    }
}
