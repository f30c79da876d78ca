//! `cargo xtask bench`.

use clap::Args;

use crate::command::{cargo, run as run_command};
use crate::setup;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only the criterion benches, which need no server.
    #[arg(long, conflicts_with = "only_cluster")]
    only_criterion: bool,
    /// Only the comparison on a real cluster.
    #[arg(long)]
    only_cluster: bool,
    /// Arguments for the comparison; `--help` after `--only-cluster --` lists them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    eprintln!("servers: {}", setup::ensure()?);
    if !options.only_cluster {
        run_command(&mut cargo([
            "bench",
            "--package",
            "citus-benches",
            "--benches",
        ]))?;
    }
    if !options.only_criterion {
        // The profile of the criterion benches, so that everything is built once.
        let mut command = cargo(["run", "--profile", "bench", "--package", "citus-benches"]);
        command.args(["--bin", "side_by_side", "--"]);
        run_command(command.args(&options.rest))?;
    }
    Ok(())
}
