//! `cargo xtask mutants`: the proof and the rewriter with one thing wrong at a time.
//!
//! cargo-mutants changes one operator, arm or result and runs the tests; what no test notices, it lists.
//! Which files, and which changes cannot matter and why, stands in `.cargo/mutants.toml`.

use anyhow::bail;
use clap::Args;

use crate::command::{cargo, has_cargo_command, run as run_command};
use crate::setup;

/// The tests that have to notice: those beside the code, and all written cases.
const TESTS: [&str; 7] = ["--", "--lib", "--test", "it", "--", "tests::", "cases::"];

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only these files, as globs: `tenant-guard/core/src/certify/*.rs`.
    files: Vec<String>,
    /// One of several parts, from 0: `3/8`.
    #[arg(long)]
    shard: Option<String>,
    /// How many at a time, each with a copy of the repository.
    #[arg(long, default_value_t = 1)]
    jobs: u32,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    if !has_cargo_command("cargo-mutants") {
        bail!("cargo-mutants is not installed: cargo install --locked cargo-mutants");
    }
    setup::ensure_build()?;
    let mut command = cargo(["mutants", "--package", "tenant-guard-core"]);
    command.args(["--test-package", "tenant-guard-core,tenant-guard"]);
    command.arg(format!("--jobs={}", options.jobs));
    command.arg("--output=target");
    for file in &options.files {
        command.args(["--file", file]);
    }
    if let Some(shard) = &options.shard {
        command.args(["--shard", shard]);
    }
    run_command(command.args(TESTS))
}
