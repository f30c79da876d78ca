//! Every program of this crate, run as a person would run it.

use std::process::Command;

/// Runs it to its end and gives what it printed.
fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{program} failed: {errors}\n{printed}"
    );
    printed
}

#[test]
fn quickstart() {
    let printed = output(env!("CARGO_BIN_EXE_quickstart"), &[]);
    assert_eq!(
        printed,
        "Acme in Moon base\nGlobex in Moon base\n1 task done\n"
    );
}

#[test]
fn compile_time() {
    let printed = output(env!("CARGO_BIN_EXE_compile_time"), &[]);
    assert_eq!(
        printed,
        "Moon base: 2 open\nto do: pack (3 points)\nto do: fly (8 points)\n1 done\n"
    );
}

#[test]
fn transactions() {
    let printed = output(env!("CARGO_BIN_EXE_transactions"), &[]);
    assert!(printed.starts_with("refused by the server: "), "{printed}");
    assert!(printed.ends_with("\n1 project\n"), "{printed}");
}

#[test]
fn streaming() {
    // 100,000 tasks, of which the points 5, 6 and 7 go round: 12,500 of each.
    let printed = output(env!("CARGO_BIN_EXE_streaming"), &[]);
    assert_eq!(printed, "37500 tasks, 225000 points\n");
}

#[test]
fn unscoped_report() {
    let printed = output(env!("CARGO_BIN_EXE_unscoped_report"), &[]);
    assert!(
        printed.starts_with("tenant 1 sees 1 country\n"),
        "{printed}"
    );
    if !printed.contains("without Citus") {
        assert!(printed.ends_with("Brazil: 1\nIndia: 2\n"), "{printed}");
    }
}

#[test]
fn custom_tenancy() {
    let printed = output(env!("CARGO_BIN_EXE_custom_tenancy"), &[]);
    assert_eq!(
        printed.matches("touches one tenant's rows").count(),
        3,
        "{printed}"
    );
    assert_eq!(
        printed.matches("touches reference tables").count(),
        1,
        "{printed}"
    );
    assert!(
        printed.contains("TG017") && printed.contains("TG006"),
        "{printed}"
    );
}

#[test]
fn demo() {
    let printed = output(env!("CARGO_BIN_EXE_demo"), &["--tenants", "50"]);
    assert!(
        printed.contains("50 with 5 projects and 40 tasks each: 2300 rows"),
        "{printed}"
    );
    for code in ["TG006", "TG017", "TG009"] {
        assert!(printed.contains(code), "{code} is missing in {printed}");
    }
    assert!(!printed.contains('\u{1b}'), "colours went to a pipe");
}
