//! `cargo xtask fuzz`: the machines that try to break the guard.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::command::{cargo, has_cargo_command, in_ci, root, run as run_command};
use crate::setup;

/// How long a target of cargo-fuzz runs in CI.
const SECONDS_IN_CI: u64 = 60;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// `isolation`, which needs servers, or a target of cargo-fuzz in `fuzz/fuzz_targets`.
    target: String,
    /// For how long.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: u64,
    /// The seed that a run of `isolation` printed, to repeat it from there on.
    #[arg(long)]
    seed: Option<u64>,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    if options.target == "isolation" {
        return isolation(options);
    }
    let targets = targets()?;
    if !targets.contains(&options.target) {
        let names = targets.join(", ");
        bail!("no target {}: there are isolation, {names}", options.target);
    }
    setup::ensure_build()?;
    if !has_cargo_command("cargo-fuzz") {
        bail!("cargo-fuzz is not installed: cargo install --locked cargo-fuzz");
    }
    run_target(&options.target, 60 * options.minutes)
}

/// Each target for a minute. CI installs cargo-fuzz; elsewhere nothing is installed unasked.
pub(crate) fn run_all_shortly() -> anyhow::Result<()> {
    if !has_cargo_command("cargo-fuzz") {
        if !in_ci() {
            eprintln!("cargo-fuzz is not installed: skipped (cargo install --locked cargo-fuzz)");
            return Ok(());
        }
        run_command(&mut cargo(["install", "--locked", "cargo-fuzz"]))?;
    }
    targets()?
        .iter()
        .try_for_each(|target| run_target(target, SECONDS_IN_CI))
}

/// The names of the files in `fuzz/fuzz_targets`.
fn targets() -> anyhow::Result<Vec<String>> {
    let mut targets = Vec::new();
    for entry in fs::read_dir(root().join("fuzz/fuzz_targets"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            targets.extend(
                path.file_stem()
                    .map(|stem| stem.to_string_lossy().into_owned()),
            );
        }
    }
    targets.sort();
    Ok(targets)
}

fn run_target(target: &str, seconds: u64) -> anyhow::Result<()> {
    // Found inputs go to the first folder, the seeds are only read.
    let corpus = format!("fuzz/corpus/{target}");
    fs::create_dir_all(root().join(&corpus))?;
    let own_seeds = format!("fuzz/seeds/{target}");
    let seeds = if Path::new(&own_seeds).is_dir() {
        own_seeds.as_str()
    } else {
        "fuzz/seeds/guard"
    };
    let mut command = cargo([
        "fuzz",
        "run",
        "--sanitizer",
        "none",
        target,
        &corpus,
        seeds,
        "--",
    ]);
    command
        .args(["-dict=fuzz/sql.dict", "-timeout=10", "-max_len=4096"])
        .arg(format!("-max_total_time={seconds}"))
        .args(in_ci().then_some("-seed=1"))
        // The coverage that libFuzzer needs is compiled in by flags that stable rustc accepts only so.
        // No sanitizer: there is no unsafe code to watch, and they need a nightly toolchain.
        .env("RUSTC_BOOTSTRAP", "1");
    run_command(&mut command)
}

/// The isolation test, for minutes instead of a number of statements.
fn isolation(options: &Options) -> anyhow::Result<()> {
    eprintln!("servers: {}", setup::ensure()?);
    let mut command = cargo(["test", "--package", "tenant-guard", "--features", "cli"]);
    command
        .args([
            "--test",
            "it",
            "a_guarded_statement_does_what_it_would_alone",
        ])
        .args(["--", "--nocapture"])
        .env("ISOLATION_MINUTES", options.minutes.to_string());
    if let Some(seed) = options.seed {
        command.env("ISOLATION_SEED", seed.to_string());
    }
    follow(&mut command, Duration::from_secs(60 * options.minutes))
}

/// Runs a command that prints how far it is in lines that start with `seed`.
fn follow(command: &mut Command, length: Duration) -> anyhow::Result<()> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run cargo")?;
    let output = child.stdout.take().context("no output")?;
    let style = ProgressStyle::with_template("{elapsed_precise} {bar:40} {msg}")?;
    let bar = ProgressBar::new(length.as_secs()).with_style(style);
    for line in BufReader::new(output).lines() {
        let line = line?;
        if line.starts_with("isolation fuzzing on") {
            // Until now it was built.
            bar.reset_elapsed();
        }
        bar.set_position(bar.elapsed().as_secs().min(length.as_secs()));
        if !line.starts_with("seed ") {
            bar.suspend(|| println!("{line}"));
        } else if bar.is_hidden() {
            println!("{line}");
        } else {
            bar.set_message(line);
        }
    }
    bar.finish_and_clear();
    let status = child.wait()?;
    if !status.success() {
        bail!("the law does not hold, or too little was tried: {status}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_targets_are_the_files() {
        assert!(targets().unwrap().contains(&"guard".to_owned()));
    }

    #[test]
    fn every_target_is_named_in_the_manifest() {
        let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
        for target in targets().unwrap() {
            assert!(
                manifest.contains(&format!("name = \"{target}\"")),
                "{target}"
            );
        }
    }
}
