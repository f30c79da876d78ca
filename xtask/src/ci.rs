//! `cargo xtask ci`: all that a change has to pass.

use std::env;
use std::path::Path;
use std::time::Instant;

use clap::Args;

use crate::command::{cargo, in_ci, is_in_path, output, run as run_command};
use crate::{functions, fuzz, instructions, setup, soak, test, tidy};

/// The library, with the reader that is Rust alone.
const WITHOUT_C: [&str; 2] = ["--lib", "--no-default-features"];

/// Each feature of the driver without the others that it can do without.
const DRIVER_FEATURES: [&str; 5] = [
    "deadpool",
    "bb8",
    "bb8,rustls-023",
    "deadpool,metrics-024",
    "deadpool,macros",
];

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Everything but the tests.
    #[arg(long)]
    skip_tests: bool,
}

/// The cheap ones first, the tests last, so that what a failure has to say stands at the end.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    eprintln!("servers: {}", setup::ensure()?);
    step("format", || {
        run_command(&mut cargo(["fmt", "--all", "--check"]))
    })?;
    step("tidy", tidy::run)?;
    step("clippy", || clippy(&["--workspace", "--all-features"]))?;
    step("docs", docs)?;
    step("licences and advisories", deny)?;
    step("tenant-guard without a C compiler", || {
        clippy(&[&["--package", "tenant-guard-core"], &WITHOUT_C[..]].concat())?;
        clippy(
            &[
                &["--package", "tenant-guard", "--features", "macros"],
                &WITHOUT_C[..],
            ]
            .concat(),
        )
    })?;
    step("tenant-guard for wasm32", wasm)?;
    step("citus-client with features of its own", || {
        DRIVER_FEATURES.into_iter().try_for_each(|features| {
            let features = ["--no-default-features", "--features", features];
            clippy(&[&["--package", "citus-client", "--lib"][..], &features].concat())
        })
    })?;
    step("instructions", || {
        instructions::run(&instructions::Options::default())
    })?;
    if options.skip_tests {
        return Ok(());
    }
    step("functions of the server", || {
        functions::run(&functions::Options { check: true })
    })?;
    step("fuzz", fuzz::run_all_shortly)?;
    step("soak", soak::run_shortly)?;
    // Nothing is printed after it: a run ends with the words of the test runner.
    eprintln!("\n== test");
    test::run(&test::Options::default())
}

fn step(name: &str, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    eprintln!("\n== {name}");
    let start = Instant::now();
    work()?;
    eprintln!("== {name}: {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

fn clippy(which: &[&str]) -> anyhow::Result<()> {
    let mut command = cargo(["clippy"]);
    command.args(which);
    if !which.contains(&"--lib") {
        command.arg("--all-targets");
    }
    if in_ci() {
        command.arg("--locked");
    }
    run_command(command.args(["--", "-D", "warnings"]))
}

/// Needs the target's standard library, which rustup alone installs: where it is missing, the workflow on
/// GitHub is what checks it.
fn wasm() -> anyhow::Result<()> {
    const TARGET: &str = "wasm32-unknown-unknown";
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let libraries = output(rustc, &["--print", "target-libdir", "--target", TARGET]);
    if !libraries.is_some_and(|folder| Path::new(&folder).exists()) {
        eprintln!("{TARGET} is not installed: skipped (rustup target add {TARGET})");
        return Ok(());
    }
    let mut command = cargo(["check", "--package", "tenant-guard", "--features", "macros"]);
    run_command(command.args(WITHOUT_C).args(["--target", TARGET]))
}

fn docs() -> anyhow::Result<()> {
    let mut command = cargo(["doc", "--workspace", "--all-features", "--no-deps"]);
    run_command(command.env("RUSTDOCFLAGS", "-D warnings"))
}

/// Needs cargo-deny, and for the advisories the network: only where it is installed.
fn deny() -> anyhow::Result<()> {
    if !is_in_path("cargo-deny") {
        eprintln!("cargo-deny is not installed: skipped (cargo install --locked cargo-deny)");
        return Ok(());
    }
    run_command(&mut cargo(["deny", "--all-features", "check"]))
}
