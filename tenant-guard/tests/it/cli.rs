//! The `tenant-guard` command as it is run.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const SCHEMA: &str =
    "CREATE TABLE tasks (tenant_id bigint, id bigint, title text, PRIMARY KEY (tenant_id, id));
SELECT create_distributed_table('tasks', 'tenant_id');
CREATE FUNCTION slug(text) RETURNS text LANGUAGE sql AS 'SELECT $1';";

/// A folder with a migration and the given files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("migrations/1_schema.sql", SCHEMA)].iter().chain(files) {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenant-guard"));
    command.current_dir(folder).args(arguments);
    command
}

fn run(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = command(folder, arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that fails at once does not read.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn statements_are_answered_in_order() {
    let folder = folder(&[]);
    let arguments = ["rewrite", "--schema", "migrations", "--json"];
    let input = b"SELECT title FROM tasks\n\nUPDATE tasks SET title = $1\nSELECT slug('a')\n\xff\xfe\nSELECT 1";
    let output = run(folder.path(), &arguments, input);
    let answers: Vec<Value> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), 6);
    assert_eq!(
        answers[0],
        serde_json::json!({
            "ok": true,
            "sql": "SELECT title FROM public.tasks WHERE tasks.tenant_id = $1",
            "tenant_param": 1,
            "access": "tenant",
            "writes": false,
        })
    );
    assert_eq!(answers[1]["code"], "TG002");
    assert_eq!(answers[2]["writes"], true);
    assert_eq!(answers[2]["tenant_param"], 2);
    assert_eq!(answers[3]["code"], "TG009");
    assert_eq!(answers[4]["code"], "TG001");
    assert_eq!(answers[5]["access"], "none");
    assert_eq!(output.status.code(), Some(1));

    let arguments = [
        "rewrite",
        "--schema",
        "migrations",
        "--allow-function",
        "slug(text)",
        "--allow-operator",
        "<=>",
        "--allow-type",
        "vector",
        "--allow-extension",
        "pg_trgm",
    ];
    let allowed = "SELECT slug('a'), similarity('a', 'b'), '[1]'::vector <=> $1\n";
    let output = run(folder.path(), &arguments, allowed.as_bytes());
    assert_eq!(text(&output.stdout), allowed);
    assert_eq!(output.status.code(), Some(0));

    for (option, value, message) in [
        (
            "--allow-function",
            "slug",
            "write it as `slugify(text, integer)`",
        ),
        ("--allow-operator", "like", "write it as `<=>`"),
        ("--allow-type", "a.b.c", "write it as `vector`"),
        (
            "--allow-extension",
            "dblink",
            "is no extension that is known",
        ),
    ] {
        let arguments = ["rewrite", "--schema", "migrations", option, value];
        let output = run(folder.path(), &arguments, b"");
        assert_eq!(output.status.code(), Some(2), "{option}");
        assert!(text(&output.stderr).contains(message), "{option}");
    }
}

#[test]
fn another_process_can_take_turns() {
    let folder = folder(&[]);
    let mut child = command(
        folder.path(),
        &["rewrite", "--schema", "migrations", "--null", "--json"],
    )
    .stdin(Stdio::piped())
    .stdout(Stdio::piped())
    .spawn()
    .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    for turn in 0..3 {
        write!(input, "SELECT {turn}\nFROM tasks\0").unwrap();
        input.flush().unwrap();
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        let start = format!("SELECT {turn}\nFROM public.tasks");
        assert!(
            answer["sql"].as_str().unwrap().starts_with(&start),
            "{line}"
        );
    }
    drop(input);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_cannot_be_done_ends_with_2() {
    let folder = folder(&[("bad.sql", "CREATE TABLE a (id int);\nSELECT my_setup('x');")]);
    for (arguments, message) in [
        (&["rewrite"][..], "--schema"),
        (&["rewrite", "--schema", "nothing"], "cannot read nothing"),
        (
            &["schema", "--schema", "bad.sql"],
            "bad.sql:2: what function my_setup",
        ),
        (
            &["check", "--schema", "migrations", "nothing.sql"],
            "cannot read nothing.sql",
        ),
        (&["explain", "TG999"], "there is no code TG999"),
        (&["frobnicate"], "frobnicate"),
    ] {
        let output = run(folder.path(), arguments, b"");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let error = text(&output.stderr);
        assert!(error.contains(message), "{arguments:?}: {error}");
    }
}

#[test]
fn codes_and_schemas_are_shown() {
    let folder = folder(&[]);
    let output = run(folder.path(), &["explain", "tg006"], b"");
    assert!(text(&output.stdout).starts_with("TG006 The table is not in the tenancy."));
    let output = run(folder.path(), &["explain"], b"");
    // The last are the linter's own.
    assert_eq!(
        text(&output.stdout).lines().count(),
        tenant_guard::Code::ALL.len() + tenant_guard::doctor::Code::ALL.len() + 7
    );
    let output = run(folder.path(), &["explain", "td001"], b"");
    assert!(text(&output.stdout).starts_with("TD001 A unique key of a tenant table lacks"));

    let output = run(folder.path(), &["schema", "--schema", "migrations"], b"");
    assert!(text(&output.stdout).contains("public.tasks: by tenant_id bigint, group default\n"));
    let output = run(
        folder.path(),
        &["schema", "--schema", "migrations", "--json"],
        b"",
    );
    let schema: Value = serde_json::from_str(text(&output.stdout)).unwrap();
    assert_eq!(schema["tables"][0]["name"]["name"], "tasks");
    assert_eq!(
        schema["tables"][0]["kind"]["distributed"]["column"],
        "tenant_id"
    );
    assert_eq!(schema["user_functions"][0], "slug");
}

#[test]
fn a_script_of_row_level_security_is_printed() {
    let folder = folder(&[]);
    let arguments = [
        "rls",
        "--schema",
        "migrations",
        "--role",
        "Shop",
        "--setting",
        "shop.tenant",
    ];
    let output = run(folder.path(), &arguments, b"");
    assert_eq!(output.status.code(), Some(0));
    let script = text(&output.stdout).to_owned();
    assert!(script.contains("ON public.tasks TO \"Shop\";"), "{script}");
    assert!(
        script.contains("tenant_id = pg_catalog.current_setting('shop.tenant')::bigint"),
        "{script}"
    );
    let output = run(folder.path(), &[&arguments[..], &["--json"]].concat(), b"");
    let object: Value = serde_json::from_str(text(&output.stdout)).unwrap();
    assert_eq!(object["sql"], script);
    assert_eq!(object["tables"], serde_json::json!(["public.tasks"]));

    let output = run(
        folder.path(),
        &["rls", "--schema", "migrations", "--setting", "tenant"],
        b"",
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("\"tenant\" cannot be a setting"));
}
