//! Flags, `tenant-guard.toml`, and which files are looked at.

use std::fs;

use super::{check, command, folder, places, stderr, stdout};

const REFUSED: &str = "SELECT id FROM nope";

#[test]
fn a_project_says_once_what_is_checked() {
    let folder = folder(&[
        (
            "tenant-guard.toml",
            "schema = \"schema.sql\"
             allow_functions = [\"slug(text)\"]
             allow_operators = [\"<=>\"]
             allow_types = [\"vector\"]
             allow_extensions = [\"pg_trgm\"]
             paths = [\"queries\"]
             exclude = [\"queries/old/\"]
             deny = [\"unchecked\"]",
        ),
        ("queries/a.sql", "SELECT slug(title) FROM tasks"),
        (
            "queries/c.sql",
            "SELECT similarity('a', $1), $2::vector <=> $3",
        ),
        ("queries/b.rs", "fn f(c: &C) { c.query(text(), &[]); }"),
        ("queries/old/c.sql", REFUSED),
        ("others/d.sql", REFUSED),
    ]);
    let output = check(folder.path(), &["--json"]);
    assert_eq!(places(&output), ["queries/b.rs:1:23 unchecked"]);
    assert_eq!(output.status.code(), Some(1));

    // From a folder below, and files are named from there.
    let output = check(&folder.path().join("others"), &["--json"]);
    assert_eq!(places(&output), ["../queries/b.rs:1:23 unchecked"]);

    // What is given takes the place of what is configured.
    let output = check(folder.path(), &["--json", "others", "queries/old"]);
    assert_eq!(places(&output), ["others/d.sql:1:16 TG006"]);
    let output = check(folder.path(), &["--json", "--exclude", "b.rs"]);
    assert_eq!(places(&output), ["queries/old/c.sql:1:16 TG006"]);
    let output = check(
        folder.path(),
        &["--json", "--allow-function", "other(text)"],
    );
    assert_eq!(
        places(&output),
        ["queries/a.sql:1:8 TG009", "queries/b.rs:1:23 unchecked"]
    );
    let output = check(folder.path(), &["--json", "--deny", "unscoped"]);
    assert_eq!(output.status.code(), Some(0));
    fs::write(folder.path().join("other.sql"), "CREATE TABLE x (id int);").unwrap();
    let output = check(folder.path(), &["--json", "--schema", "other.sql"]);
    assert_eq!(places(&output)[0], "queries/a.sql:1:25 TG006");
    fs::write(folder.path().join("other.toml"), "schema = \"schema.sql\"").unwrap();
    let output = check(
        folder.path(),
        &["--config", "other.toml", "--json", "others"],
    );
    assert_eq!(places(&output), ["others/d.sql:1:16 TG006"]);
}

#[test]
fn a_setting_that_is_not_understood_is_an_error_with_what_there_is() {
    for (text, messages) in [
        (
            "schemas = \"schema.sql\"",
            &[
                "tenant-guard.toml",
                "line 1",
                "unknown field `schemas`",
                "`schema`",
            ][..],
        ),
        ("schema = 7", &["invalid type"]),
        (
            "deny = [\"unscopped\"]",
            &["unknown variant `unscopped`", "`unscoped`"],
        ),
        ("schema = ", &["line 1"]),
        ("paths = [\".\"]", &["what is the schema?"]),
        ("schema = \"schema.sql\"", &["what is to be checked?"]),
        (
            "schema = \"schema.sql\"\npaths = [\"missing\"]",
            &["cannot read missing"],
        ),
        (
            "schema = \"missing\"\npaths = [\".\"]",
            &["cannot read missing"],
        ),
        (
            "schema = \"schema.sql\"\npaths = [\".\"]\nexclude = [\"[z-a]\"]",
            &["cannot exclude [z-a]"],
        ),
    ] {
        let folder = folder(&[("tenant-guard.toml", text)]);
        let output = check(folder.path(), &[]);
        assert_eq!(output.status.code(), Some(2), "{text}");
        for message in messages {
            assert!(
                stderr(&output).contains(message),
                "{text}: {}",
                stderr(&output)
            );
        }
    }
}

#[test]
fn what_is_built_hidden_or_ignored_is_left_out() {
    let folder = folder(&[
        (".gitignore", "ignored/\n"),
        ("a.sql", REFUSED),
        ("ignored/b.sql", REFUSED),
        (".hidden/c.sql", REFUSED),
        ("Cargo.toml", ""),
        ("target/d.sql", REFUSED),
        ("elsewhere/CACHEDIR.TAG", ""),
        ("elsewhere/e.sql", REFUSED),
        ("nested/target/f.sql", REFUSED),
        ("node/notes.md", REFUSED),
    ]);
    let found = |paths: &[&str]| {
        let arguments = [&["--schema", "schema.sql", "--json"], paths].concat();
        places(&check(folder.path(), &arguments))
    };
    assert_eq!(
        found(&["."]),
        ["a.sql:1:16 TG006", "nested/target/f.sql:1:16 TG006"]
    );
    // A file that is named is meant, and has one name.
    assert_eq!(
        found(&[
            "ignored/b.sql",
            "./a.sql",
            "nested/../a.sql",
            "node/notes.md"
        ]),
        [
            "a.sql:1:16 TG006",
            "ignored/b.sql:1:16 TG006",
            "node/notes.md:1:16 TG006"
        ]
    );
    // The schema is no query, however it is named.
    assert!(found(&["schema.sql"]).is_empty());
    // Exclusion holds for named files too: a hook names all that has changed.
    let excluded = ["--exclude", "*.sql", "a.sql", "node/notes.md"];
    assert_eq!(found(&excluded), ["node/notes.md:1:16 TG006"]);
}

#[test]
fn colours_are_for_terminals() {
    let folder = folder(&[("a.sql", REFUSED)]);
    let arguments = ["--schema", "schema.sql", "a.sql"];
    let output = check(folder.path(), &arguments);
    assert!(!stdout(&output).contains('\u{1b}'));
    let output = command(folder.path(), &arguments)
        .env("CLICOLOR_FORCE", "1")
        .output()
        .unwrap();
    assert!(
        stdout(&output).contains("\u{1b}[31m"),
        "{}",
        stdout(&output)
    );
    assert_eq!(stderr(&output), "", "progress is for terminals");
}

#[test]
fn denied_notes_fail() {
    let folder = folder(&[(
        "a.rs",
        "fn f(c: &C) { c.query(text(), &[]); c.unscoped(\"report\"); }",
    )]);
    for (deny, status) in [
        (&[][..], 0),
        (&["--deny", "unchecked"], 1),
        (&["--deny", "unscoped"], 1),
    ] {
        let arguments = [&["--schema", "schema.sql", "a.rs"], deny].concat();
        let output = check(folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(status), "{deny:?}");
    }
}
