//! What the compiler says where a statement or the project is not good, and that it is silent where they
//! are.
//!
//! Each folder in `tests/ui` is a project: its `manifest.toml` stands in for `Cargo.toml`. Of its programs
//! those that begin with `fail` do not build, and their `.stderr` says why; the others run.
//! `TRYBUILD=overwrite cargo test -p tenant-guard-macros` writes the messages anew; read the difference.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The project that [`of_one_project`] is about.
const MANIFEST: &str = "TENANT_GUARD_MANIFEST";

fn projects() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui");
    let mut projects: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    projects.sort();
    projects
}

#[test]
fn what_the_compiler_says() {
    let projects = projects();
    assert!(projects.len() > 4);
    for project in projects {
        // In a process of its own, because the project is named by its environment.
        let status = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "messages::of_one_project",
                "--ignored",
                "--nocapture",
            ])
            .env(MANIFEST, project.join("manifest.toml"))
            .status()
            .unwrap();
        assert!(status.success(), "{}", project.display());
    }
}

#[test]
#[ignore = "run by what_the_compiler_says"]
fn of_one_project() {
    let manifest = PathBuf::from(env::var_os(MANIFEST).unwrap());
    let tests = trybuild::TestCases::new();
    let mut found = 0;
    for entry in fs::read_dir(manifest.parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        found += 1;
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.starts_with("fail") {
            tests.compile_fail(&path);
        } else {
            tests.pass(&path);
        }
    }
    assert!(found > 0);
}
