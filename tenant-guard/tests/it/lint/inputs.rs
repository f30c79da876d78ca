//! Files that are not as one would like them.

use std::fs;

use super::{check, folder, json, places, stderr, stdout};

#[test]
fn a_broken_rust_file_is_a_finding() {
    let folder = folder(&[
        ("src/a.rs", "fn main() {\n    let x = ;\n}\n"),
        (
            "src/b.rs",
            "fn f(c: &C) { c.query(\"SELECT id FROM nope\", &[]); }\n",
        ),
        ("src/c.rs", "fn main() {\n\n"),
        ("src/d.rs", "const A: &str = \"never closed;\n"),
    ]);
    let output = check(folder.path(), &["--schema", "schema.sql", "--json", "src"]);
    assert_eq!(
        places(&output),
        [
            "src/a.rs:2:13 unreadable",
            "src/b.rs:1:39 TG006",
            "src/c.rs:1:11 unreadable",
            "src/d.rs:1:17 unreadable",
        ]
    );
    assert_eq!(output.status.code(), Some(1));

    let strict = ["--schema", "schema.sql", "--fail-on-unreadable", "src"];
    let output = check(folder.path(), &strict);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("error: src/a.rs:2: the file is not Rust"));
}

#[test]
fn sql_that_cannot_be_cut_is_a_finding() {
    let folder = folder(&[("q.sql", "SELECT id FROM tasks;\nSELECT 'never closed;\n")]);
    let output = check(folder.path(), &["--schema", "schema.sql", "--json", "."]);
    assert_eq!(places(&output), ["q.sql:2:8 unreadable"]);
}

#[test]
fn a_file_that_is_not_utf_8_is_a_finding() {
    let folder = folder(&[]);
    fs::write(folder.path().join("a.sql"), b"SELECT 1;\nSELECT '\xff';").unwrap();
    fs::write(folder.path().join("b.rs"), b"\xff").unwrap();
    let output = check(folder.path(), &["--schema", "schema.sql", "."]);
    assert_eq!(
        stdout(&output),
        "a.sql: error unreadable: the file is not UTF-8: line 2
help: mend the file, or leave it out with --exclude

b.rs: error unreadable: the file is not UTF-8: line 1
help: mend the file, or leave it out with --exclude

0 statements in 2 files checked: 2 errors, 0 notes
"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn files_from_other_editors_have_their_places() {
    let folder = folder(&[
        (
            "a.sql",
            "\u{feff}SELECT id FROM nope;\r\nSELECT 'ä表',\tid FROM nope;\r\n",
        ),
        (
            "b.rs",
            "\u{feff}fn f(c: &C) {\r\n\tc.query(\"SELECT 'ä',\r\n\t\tid FROM nope\", &[]);\r\n}\r\n",
        ),
        (
            "c.rs",
            "#!/usr/bin/env cargo\nfn f(c: &C) { c.query(r\"SELECT id FROM nope\", &[]); }",
        ),
    ]);
    let output = check(folder.path(), &["--schema", "schema.sql", "--json", "."]);
    assert_eq!(
        places(&output),
        [
            "a.sql:1:16 TG006",
            "a.sql:2:22 TG006",
            "b.rs:3:11 TG006",
            "c.rs:2:40 TG006",
        ]
    );
}

#[cfg(unix)]
#[test]
fn links_lead_in_no_circle() {
    use std::os::unix::fs::symlink;

    let folder = folder(&[("q/a.sql", "SELECT id FROM nope")]);
    let queries = folder.path().join("q");
    symlink(&queries, queries.join("circle")).unwrap();
    symlink("missing.sql", queries.join("broken.sql")).unwrap();
    symlink("a.sql", queries.join("link.sql")).unwrap();
    symlink("self.sql", queries.join("self.sql")).unwrap();
    let output = check(folder.path(), &["--schema", "schema.sql", "--json", "q"]);
    assert_eq!(
        places(&output),
        ["q/a.sql:1:16 TG006", "q/link.sql:1:16 TG006"]
    );
}

#[test]
fn an_empty_folder_has_no_findings() {
    let folder = folder(&[]);
    fs::create_dir(folder.path().join("empty")).unwrap();
    let output = check(folder.path(), &["--schema", "schema.sql", "empty"]);
    assert_eq!(
        stdout(&output),
        "0 statements in 0 files checked: 0 errors, 0 notes\n"
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn huge_files_are_read_up_to_a_limit() {
    // As many statements as fit into 4 MiB, all refused in one line: each with its place.
    let statement = "SELECT id FROM nope; ";
    let many = statement.repeat(4 * 1024 * 1024 / statement.len() / 16);
    let folder = folder(&[
        ("many.sql", &many.replace("; ", ";\n")),
        ("huge.sql", &"-- nothing\n".repeat(17 * 1024 * 1024 / 11)),
    ]);
    let output = check(folder.path(), &["--schema", "schema.sql", "--json", "."]);
    let (findings, summary) = json(&output);
    assert_eq!(findings[0]["file"], "huge.sql");
    assert_eq!(findings[0]["code"], "unreadable");
    let refused = findings.len() - 1;
    assert_eq!(summary["statements"], refused);
    assert_eq!(findings[refused]["line"], refused);
}

#[test]
fn what_is_nested_too_deep_is_a_finding_and_no_crash() {
    let nested = |open: &str, close: &str, count: usize| {
        let (open, close) = (open.repeat(count), close.repeat(count));
        format!("fn f() {{ let x = {open}1{close}; }}\n")
    };
    let deep =
        |text: &str, count: usize| format!("fn f() {{ let x = a{}; }}\n", text.repeat(count));
    let folder = folder(&[
        ("a.rs", &nested("(", ")", 100_000)),
        ("b.rs", &nested("!", "", 300_000)),
        ("c.rs", &deep(".a()", 300_000)),
        ("d.rs", &deep(" + a", 300_000)),
        (
            "e.rs",
            &format!("fn f() {{ {} {{}} }}", "if a {} else ".repeat(100_000)),
        ),
        // Below the limits.
        ("f.rs", &nested("(", ")", 100)),
        ("g.rs", &nested("!", "", 10_000)),
        ("h.rs", &deep(".a()", 3_000)),
        ("i.rs", &deep(" + a", 7_000)),
        (
            "j.rs",
            &format!("fn f() {{ {} {{}} }}", "if a {} else ".repeat(3_000)),
        ),
        (
            "k.rs",
            &format!("const A: &[u8] = &[{}];", "1, ".repeat(20_000)),
        ),
        (
            "l.sql",
            &format!("SELECT {}1{}", "(".repeat(100_000), ")".repeat(100_000)),
        ),
    ]);
    let output = check(folder.path(), &["--schema", "schema.sql", "--json", "."]);
    let found: Vec<String> = places(&output)
        .iter()
        .map(|place| place.replace(":1:1", ""))
        .collect();
    assert_eq!(
        found,
        [
            "a.rs unreadable",
            "b.rs unreadable",
            "c.rs unreadable",
            "d.rs unreadable",
            "e.rs unreadable",
            "l.sql:1:72 TG004",
        ]
    );
}
