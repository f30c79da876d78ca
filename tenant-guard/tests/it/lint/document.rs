//! The page about the linter: its files, and what it says is printed.

use std::fs;

use super::{check, folder, stdout};

const PAGE: &str = include_str!("../../../../docs/linter.md");

#[test]
fn the_page_shows_what_is_printed() {
    let folder = folder(&[]);
    let mut files = 0;
    for part in PAGE.split("<!-- file: ").skip(1) {
        let (name, rest) = part.split_once(" -->\n```").unwrap();
        let (_, rest) = rest.split_once('\n').unwrap();
        let (text, _) = rest.split_once("\n```\n").unwrap();
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{text}\n")).unwrap();
        files += 1;
    }
    let mut commands = 0;
    for part in PAGE.split("```console\n$ tenant-guard check ").skip(1) {
        let (block, _) = part.split_once("\n```\n").unwrap();
        let (arguments, printed) = block.split_once('\n').unwrap();
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let output = check(folder.path(), &arguments);
        assert_eq!(stdout(&output).trim_end(), printed, "{arguments:?}");
        commands += 1;
    }
    assert!(
        files >= 5 && commands >= 4,
        "{files} files, {commands} commands"
    );
}

#[test]
fn the_page_has_the_rules_of_the_linter() {
    let folder = folder(&[]);
    let explain = |rule: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tenant-guard"));
        let output = command.args(["explain", rule]).output().unwrap();
        assert!(output.status.success(), "{rule}");
        stdout(&output).trim_end().to_owned()
    };
    let sarif = check(
        folder.path(),
        &["--schema", "schema.sql", "--format", "sarif", "."],
    );
    let log: serde_json::Value = serde_json::from_str(stdout(&sarif)).unwrap();
    let rules = log["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .unwrap();
    let own = rules
        .iter()
        .filter(|rule| !rule["id"].as_str().unwrap().starts_with("TG"));
    let mut count = 0;
    for rule in own {
        let (id, level) = (
            rule["id"].as_str().unwrap(),
            rule["defaultConfiguration"]["level"].as_str().unwrap(),
        );
        let what = rule["shortDescription"]["text"].as_str().unwrap();
        let row = format!("| `{id}` | {level} | {what} |");
        assert!(PAGE.contains(&row), "{row}");
        assert_eq!(explain(id), format!("{id} {what}"));
        count += 1;
    }
    assert_eq!(PAGE.matches("\n| `").count(), count);
}
