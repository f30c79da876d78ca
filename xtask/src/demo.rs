//! `cargo xtask demo`.

use clap::Args;

use crate::command::{cargo, run as run_command};
use crate::setup;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Arguments of the demo itself; `--help` lists them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    setup::ensure()?;
    let mut command = cargo([
        "run",
        "--quiet",
        "--package",
        "citus-examples",
        "--bin",
        "demo",
    ]);
    run_command(command.arg("--").args(&options.rest))
}
