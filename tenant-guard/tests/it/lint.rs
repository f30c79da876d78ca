//! `tenant-guard check`.

mod document;
mod fixtures;
mod formats;
mod inputs;
mod integrations;
mod ourselves;
mod settings;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const SCHEMA: &str =
    "CREATE TABLE tasks (tenant_id bigint, id bigint, title text, PRIMARY KEY (tenant_id, id));
SELECT create_distributed_table('tasks', 'tenant_id');
";

/// A folder with a schema and these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("schema.sql", SCHEMA)].iter().chain(files) {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// The command in a folder, without what the environment says of colours.
fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenant-guard"));
    command.current_dir(folder).arg("check").args(arguments);
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command
}

fn check(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// The findings of a run with `--json`, and its summary.
fn json(output: &Output) -> (Vec<Value>, Value) {
    let mut lines: Vec<Value> = stdout(output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let summary = lines.pop().unwrap_or_else(|| panic!("{}", stderr(output)));
    assert_eq!(summary["kind"], "summary");
    (lines, summary)
}

/// `file:line:column code` of each finding that is not allowed.
fn places(output: &Output) -> Vec<String> {
    let (findings, _) = json(output);
    findings
        .iter()
        .filter(|finding| finding["allowed"].is_null())
        .map(|finding| {
            let text = |key: &str| finding[key].as_str().unwrap().to_owned();
            let place = format!("{}:{}:{}", text("file"), finding["line"], finding["column"]);
            format!("{place} {}", text("code"))
        })
        .collect()
}
