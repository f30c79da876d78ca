//! What a compiler says where `tenancy!` cannot expand.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// The compiler's messages for a source, which has to be refused.
fn errors(source: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("main.rs");
    fs::write(&file, source).unwrap();
    // Beside this test lies the macro that it was built with.
    let dependencies = env::current_exe().unwrap().parent().unwrap().to_owned();
    let output = Command::new(env::var_os("RUSTC").unwrap_or("rustc".into()))
        .args([
            "--edition",
            "2024",
            "--emit",
            "metadata",
            "--crate-type",
            "bin",
        ])
        .arg("-L")
        .arg(format!("dependency={}", dependencies.display()))
        .arg("--extern")
        .arg(format!(
            "tenant_guard_macros={}",
            newest_macro(&dependencies)
        ))
        .arg("--out-dir")
        .arg(folder.path())
        .arg(&file)
        .env("CARGO_MANIFEST_DIR", env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(!output.status.success(), "it was compiled");
    String::from_utf8(output.stderr).unwrap()
}

fn newest_macro(folder: &Path) -> String {
    let newest = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| {
            let name = entry.file_name().into_string().unwrap();
            let ending = Path::new(&name)
                .extension()
                .and_then(|ending| ending.to_str());
            name.contains("tenant_guard_macros-") && matches!(ending, Some("so" | "dylib" | "dll"))
        })
        .max_by_key(|entry| entry.metadata().unwrap().modified().unwrap())
        .unwrap();
    newest.path().display().to_string()
}

#[test]
fn errors_stand_at_the_literal() {
    let error = errors(
        "fn main() {\n    let _ = tenant_guard_macros::tenancy!(\"tests/not_understood.sql\");\n}\n",
    );
    assert!(
        error.contains("tests/not_understood.sql:2: what function my_setup does"),
        "{error}"
    );
    assert!(error.contains("main.rs:2:43"), "{error}");
}

#[test]
fn a_missing_folder_is_an_error() {
    let error = errors("fn main() { let _ = tenant_guard_macros::tenancy!(\"nothing\"); }");
    assert!(error.contains("cannot read"), "{error}");
    assert!(error.contains("No such file"), "{error}");
}

#[test]
fn the_path_is_a_literal() {
    let error = errors("fn main() { let _ = tenant_guard_macros::tenancy!(PATH); }");
    assert!(error.contains("expected string literal"), "{error}");
}
