//! `cargo xtask soak`.

use clap::Args;

use crate::command::{cargo, run as run_command};
use crate::setup;

/// In CI it stands before the tests, which need their time.
const MINUTES_IN_CI: u64 = 2;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// For how long.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: u64,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// Arguments of the soak itself, such as `--clients 32`; `-- --help` lists them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// Fails when something was lost, doubled, seen by another tenant, or leaked.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    eprintln!("servers: {}", setup::ensure()?);
    let mut command = cargo(["run", "--quiet", "--package", "citus-soak", "--"]);
    command.args(["--minutes", &options.minutes.to_string()]);
    command.args(options.json.then_some("--json"));
    run_command(command.args(&options.rest))
}

pub(crate) fn run_shortly() -> anyhow::Result<()> {
    run(&Options {
        minutes: MINUTES_IN_CI,
        json: false,
        rest: Vec::new(),
    })
}
