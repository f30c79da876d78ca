//! The developers' commands: `cargo xtask setup`, `test`, `demo`, `bench`, `instructions`, `fuzz`,
//! `soak`, `mutants`, `ci`, `tidy`, `functions`.
//!
//! This crate builds without libclang and without PostgreSQL, because it is what installs or names
//! them.

mod bench;
mod ci;
mod command;
mod demo;
mod functions;
mod fuzz;
mod instructions;
mod mutants;
mod setup;
mod soak;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The developers' commands of this repository.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Install what building and testing need, or name it where that may not be done.
    Setup,
    /// Run the whole test suite against real servers.
    Test(test::Options),
    /// Show the product on the terminal: a real cluster, 1,000 tenants, guarded and routed SQL.
    Demo(demo::Options),
    /// Measure: criterion benches, and coordinator against routed on a real cluster.
    Bench(bench::Options),
    /// Count the instructions of the guard's work with valgrind, and hold them against the budgets.
    Instructions(instructions::Options),
    /// Try to break the guard, for minutes: `isolation` on real servers, or a target of cargo-fuzz.
    Fuzz(fuzz::Options),
    /// The driver under load while nodes die, the network fails and shards move; then every write is
    /// looked for.
    Soak(soak::Options),
    /// Change the guard's proof and rewriter in one place at a time, and list what no test notices.
    Mutants(mutants::Options),
    /// All that a change has to pass: formatting, tidiness, lints, docs, licences, lean builds, budgets,
    /// fuzzing, a soak, tests.
    Ci(ci::Options),
    /// Compare the list of PostgreSQL's functions with a real server, and add what it lacks.
    Functions(functions::Options),
    /// Check what the compiler does not: forgotten test files, dead links, stray whitespace.
    Tidy,
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<()> {
    std::env::set_current_dir(command::root())?;
    match task {
        Task::Setup => setup::ensure().map(|servers| println!("everything is there: {servers}")),
        Task::Test(options) => test::run(&options),
        Task::Demo(options) => demo::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Instructions(options) => instructions::run(&options),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Soak(options) => soak::run(&options),
        Task::Mutants(options) => mutants::run(&options),
        Task::Ci(options) => ci::run(&options),
        Task::Functions(options) => functions::run(&options),
        Task::Tidy => tidy::run(),
    }
}
