//! The page of refusals keeps its word: what it says is refused is, and what it says to write
//! instead is accepted.

use tenant_guard::{Code, Guard, Policy, Tenancy};

const PAGE: &str = include_str!("../../docs/refusals.md");

#[test]
fn each_code_has_its_section() {
    let headings: Vec<&str> = PAGE
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect();
    let codes: Vec<String> = Code::ALL
        .iter()
        .map(|code| format!("{code} {}", code.explanation()))
        .collect();
    assert_eq!(headings, codes);
}

#[test]
fn the_examples_are_answered_as_they_say() {
    let mut sections = PAGE.split("\n## ");
    let schema = blocks(sections.next().unwrap());
    let policy = Policy::default().refuse_unknown_columns();
    let guard = Guard::new(Tenancy::from_sql(schema[0]).unwrap(), policy);
    for section in sections {
        let code = &section[..5];
        let Some((_, examples)) = section.split_once("\nRefused:\n") else {
            // Then it says why, and for how many codes that is so is not to grow unnoticed.
            assert!(section.contains("\nNo example: "), "{code} has no example");
            assert!(matches!(code, "TG004" | "TG022"), "{code} has no example");
            continue;
        };
        let (refused, instead) = examples
            .split_once("\nInstead:\n")
            .unwrap_or_else(|| panic!("{code} says not what to write instead"));
        assert!(
            section
                .split("\n\n")
                .nth(1)
                .is_some_and(|text| text.len() > 40),
            "{code} is not explained"
        );
        for sql in blocks(refused) {
            match guard.check(sql) {
                Ok(guarded) => panic!("{code}: accepted as {}", guarded.text()),
                Err(refusal) => assert_eq!(refusal.code().as_str(), code, "{sql}"),
            }
        }
        for sql in blocks(instead) {
            if let Err(refusal) = guard.check(sql) {
                panic!("{code}: {sql} is refused: {refusal}");
            }
        }
    }
}

/// The blocks of SQL in a part of the page; there is at least one.
fn blocks(part: &str) -> Vec<&str> {
    let blocks: Vec<&str> = part
        .split("```sql\n")
        .skip(1)
        .map(|block| block.split_once("\n```").unwrap().0)
        .collect();
    assert!(!blocks.is_empty(), "{part}");
    blocks
}
