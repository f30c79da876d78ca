//! `cargo xtask test`.

use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;

use crate::command::{cargo, in_ci};
use crate::setup::{self, Servers};

/// All features that do not reach for something outside of the machine. `docker` is one that does.
pub(crate) const FEATURES: &str = "citus-client/cli,tenant-guard/cli";

/// For how long isolation fuzzing runs in CI.
const ISOLATION_MINUTES: u64 = 5;

/// From where it starts in CI on Citus, and how many statements it tries.
const ISOLATION_ON_CITUS: [(&str, u64); 2] =
    [("ISOLATION_SEED", 938_149_662), ("ISOLATION_CASES", 2_000)];

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
    let servers = if docker {
        Servers::Docker
    } else {
        setup::ensure()?
    };
    eprintln!("servers: {servers}");
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
        for (name, value) in isolation_in_ci(&servers, SystemTime::now()) {
            if env::var_os(name).is_none() {
                command.env(name, value.to_string());
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

/// New worlds each time; the seed is a part of the command that is printed, which repeats the run. On Citus
/// they are the same ones: there a statement ends the run also where Citus plans it in a way that nobody has
/// written down, and one in some thousands still does.
fn isolation_in_ci(servers: &Servers, now: SystemTime) -> [(&'static str, u64); 2] {
    if servers.has_citus() {
        return ISOLATION_ON_CITUS;
    }
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    [
        ("ISOLATION_SEED", since.as_secs()),
        ("ISOLATION_MINUTES", ISOLATION_MINUTES),
    ]
}
