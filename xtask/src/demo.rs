//! `cargo xtask demo`.

use clap::Args;

use crate::command::{cargo, run as run_command};
use crate::setup;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// A running cluster to use instead of starting one: the coordinator's URL, as in
    /// `CITUS_TEST_URL`. The demo makes a database of its own there and removes it.
    #[arg(long)]
    url: Option<String>,
    /// Arguments of the demo itself; `--help` lists them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let mut command = cargo(["run", "--quiet", "--package", "citus-examples"]);
    match &options.url {
        Some(url) => {
            setup::ensure_build()?;
            command
                .env("CITUS_TEST_URL", url)
                .env("CITUS_TEST_BACKEND", "external");
        }
        None => drop(setup::ensure()?),
    }
    command.args(["--bin", "demo", "--"]).args(&options.rest);
    run_command(&mut command)
}
