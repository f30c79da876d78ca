//! `cargo xtask bench`.

use std::process::Command;

use clap::Args;

use crate::command::{built, cargo, run as run_command};
use crate::setup;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only the criterion benches, which need no server.
    #[arg(long, conflicts_with = "only_cluster")]
    only_criterion: bool,
    /// Only the comparison on a real cluster.
    #[arg(long)]
    only_cluster: bool,
    /// Arguments for the comparison, such as `--clients 32`; `--only-cluster -- --help` lists them.
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
        // Together with the criterion benches, although they do not run here: alone it would get
        // other features of its dependencies, and all of them would be built a second time.
        let mut build = cargo(["build", "--profile", "bench", "--package", "citus-benches"]);
        run_command(build.args(["--benches", "--bin", "side_by_side"]))?;
        run_command(Command::new(built("side_by_side")?).args(&options.rest))?;
    }
    Ok(())
}
