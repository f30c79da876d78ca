//! The definitions for pre-commit and GitHub Actions at the root of the repository.

use std::collections::BTreeSet;
use std::env;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;
use yaml_rust2::{Yaml, YamlLoader};

use super::{folder, stderr, stdout};

const HOOKS: &str = include_str!("../../../../.pre-commit-hooks.yaml");
const ACTION: &str = include_str!("../../../../action.yml");

fn yaml(text: &str) -> Yaml {
    let mut documents = YamlLoader::load_from_str(text).unwrap();
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

/// `bash` with the command in its path, as a step of a workflow is run.
fn bash(folder: &Path, script: &str, variables: &[(&str, &str)]) -> Output {
    let command = Path::new(env!("CARGO_BIN_EXE_tenant-guard"));
    let others = env::var("PATH").unwrap_or_default();
    let path = format!("{}:{others}", command.parent().unwrap().display());
    Command::new("bash")
        .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
        .current_dir(folder)
        .env("PATH", path)
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

fn project() -> TempDir {
    folder(&[
        (
            "tenant-guard.toml",
            "schema = \"schema.sql\"\npaths = [\".\"]\n",
        ),
        ("a b.sql", "SELECT id FROM nope;\n"),
        ("fine/c.sql", "SELECT id FROM tasks;\n"),
    ])
}

#[test]
fn the_hook_checks_the_files_that_it_is_given() {
    let hooks = yaml(HOOKS);
    let hook = &hooks[0];
    let keys = ["id", "name", "description", "entry", "language"];
    for key in keys {
        assert!(
            hook[key].as_str().is_some_and(|text| !text.is_empty()),
            "{key}"
        );
    }
    assert_eq!(hook["language"].as_str(), Some("system"));
    let types: Vec<&str> = hook["types_or"]
        .as_vec()
        .unwrap()
        .iter()
        .filter_map(Yaml::as_str)
        .collect();
    assert_eq!(types, ["rust", "sql"]);
    let project = project();
    let entry = hook["entry"].as_str().unwrap();
    let output = bash(
        project.path(),
        &format!("{entry} 'a b.sql' schema.sql"),
        &[],
    );
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stdout(&output).starts_with("a b.sql:1:16: error TG006"));
    assert!(stdout(&output).ends_with("1 statement in 1 file checked: 1 error, 0 notes\n"));
}

#[test]
fn the_action_is_a_composite_one_and_uses_its_inputs() {
    let action = yaml(ACTION);
    assert_eq!(action["runs"]["using"].as_str(), Some("composite"));
    let inputs: BTreeSet<&str> = action["inputs"]
        .as_hash()
        .unwrap()
        .iter()
        .map(|(name, input)| {
            assert!(input["description"].as_str().is_some(), "{name:?}");
            assert!(input["default"].as_str().is_some(), "{name:?}");
            name.as_str().unwrap()
        })
        .collect();
    let used: BTreeSet<&str> = ACTION
        .split("inputs.")
        .skip(1)
        .map(|rest| rest.split([' ', '\n', '}']).next().unwrap())
        .collect();
    assert_eq!(inputs, used);
    for step in action["runs"]["steps"].as_vec().unwrap() {
        let runs = step["run"].as_str().is_some();
        assert!(runs != step["uses"].as_str().is_some(), "{step:?}");
        // A composite action has no default shell.
        assert_eq!(runs, step["shell"].as_str() == Some("bash"), "{step:?}");
        if let Some(script) = step["run"].as_str() {
            // What a workflow gives is no part of the script's text.
            assert!(!script.contains("${{"), "{script}");
        }
    }
}

#[test]
fn the_steps_of_the_action_run() {
    let action = yaml(ACTION);
    let step = |name: &str| {
        let steps = action["runs"]["steps"].as_vec().unwrap();
        let step = steps
            .iter()
            .find(|step| step["name"].as_str() == Some(name));
        step.unwrap_or_else(|| panic!("no step {name}"))["run"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let project = project();
    let run = |name: &str, arguments: &str| {
        let variables = [
            ("ARGUMENTS", arguments),
            ("SARIF_FILE", "found.sarif"),
            ("VERSION", ""),
        ];
        bash(project.path(), &step(name), &variables)
    };
    // The command is there.
    assert_eq!(run("Install tenant-guard", "").status.code(), Some(0));

    let output = run("Check", "");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stdout(&output).starts_with("::error file=a b.sql,line=1,"));
    assert_eq!(run("Check", "fine").status.code(), Some(0));
    assert_eq!(run("Check", "--exclude *.sql fine").status.code(), Some(0));
    assert_eq!(run("Check", "missing").status.code(), Some(2));

    // Refusals are no failure of this step, everything else is.
    assert_eq!(run("Check for code scanning", "").status.code(), Some(0));
    let sarif = std::fs::read_to_string(project.path().join("found.sarif")).unwrap();
    assert!(sarif.contains("\"a%20b.sql\""), "{sarif}");
    assert_eq!(
        run("Check for code scanning", "missing").status.code(),
        Some(1)
    );
}
