//! `cargo xtask test`.

use std::env;

use clap::Args;

use crate::command::{cargo, in_ci};
use crate::setup;

/// All features that do not reach for something outside of the machine. `docker` is one that does.
pub(crate) const FEATURES: &str = "citus-client/cli,tenant-guard/cli";

/// From where isolation fuzzing starts in CI, and how many statements it tries.
const ISOLATION_IN_CI: [(&str, &str); 2] =
    [("ISOLATION_SEED", "938149662"), ("ISOLATION_CASES", "5000")];

#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// Start the servers as containers of the `citusdata/citus` image.
    #[arg(long)]
    docker: bool,
    /// Further arguments for `cargo test`, such as `-p tenant-guard` or a part of a test's name.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// Unit, integration and doc tests of all crates; the examples and the demo are among the
/// integration tests and run as programs.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let docker = options.docker;
    if docker {
        eprintln!("servers: Citus in Docker");
    } else {
        eprintln!("servers: {}", setup::ensure()?);
    }
    let features = if docker { ",citus-testkit/docker" } else { "" };
    let mut command = cargo(["test", "--no-fail-fast", "--features"]);
    command.arg(format!("{FEATURES}{features}"));
    if in_ci() {
        command.arg("--locked");
    }
    if docker {
        command.env("CITUS_TEST_BACKEND", "docker");
    }
    if in_ci() {
        // The same worlds each time: a change is judged by itself. New ones are for every night.
        for (name, value) in ISOLATION_IN_CI {
            if env::var_os(name).is_none() {
                command.env(name, value);
            }
        }
    }
    let picks_packages = options
        .rest
        .iter()
        .any(|word| word.starts_with("-p") || word.starts_with("--package"));
    if !picks_packages {
        command.arg("--workspace");
    }
    crate::command::run(command.args(&options.rest))
}
