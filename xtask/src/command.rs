//! Running other programs.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// Whether a machine rather than a person runs this.
pub(crate) fn in_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

/// The cargo that runs this program, with these arguments. In CI nothing is kept for an
/// incremental build that never comes.
pub(crate) fn cargo<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(arguments);
    if in_ci() {
        command.env("CARGO_INCREMENTAL", "0");
    }
    command
}

/// Prints the command, so that it can be repeated by hand, and runs it to its end.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let line = line(command);
    eprintln!("$ {line}");
    let status = command
        .status()
        .with_context(|| format!("cannot run `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed: {status}");
    }
    Ok(())
}

/// What a program prints, or `None` when it is not there or fails.
pub(crate) fn output(program: impl AsRef<OsStr>, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether a program of this name stands in `PATH`.
pub(crate) fn is_in_path(program: &str) -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

/// Whether a program like `cargo-fuzz` is installed, by cargo or in `PATH`.
pub(crate) fn has_cargo_command(name: &str) -> bool {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    is_in_path(name) || home.is_some_and(|home| home.join("bin").join(name).is_file())
}

/// An optimised program, beside the unoptimised ones of which this is one.
pub(crate) fn built(program: &str) -> anyhow::Result<PathBuf> {
    let own = env::current_exe()?;
    let target = own.parent().and_then(Path::parent);
    let target = target.context("xtask is not in a folder of cargo's")?;
    Ok(target.join("release").join(program))
}

/// The command as one would type it.
pub(crate) fn line(command: &Command) -> String {
    // A URL can hold a password.
    let shown = |name: &OsStr, value: &OsStr| {
        if name.to_string_lossy().ends_with("_URL") {
            "…".to_owned()
        } else {
            quoted(value)
        }
    };
    let set = command
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}={}", name.display(), shown(name, value?))));
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words = [name].into_iter().chain(command.get_args()).map(quoted);
    set.chain(words).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    if word.is_empty() || word.contains([' ', '\'', '"', '$', '*']) {
        format!("'{}'", word.replace('\'', r"'\''"))
    } else {
        word.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_printed_as_one_would_type_it() {
        let mut command = Command::new("/usr/bin/cargo");
        command.arg("doc").env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(line(&command), "RUSTDOCFLAGS='-D warnings' cargo doc");
    }

    #[test]
    fn a_url_is_not_printed() {
        let mut command = Command::new("cargo");
        command.env("CITUS_TEST_URL", "postgresql://me:secret@host/db");
        assert_eq!(line(&command), "CITUS_TEST_URL=… cargo");
    }

    #[test]
    fn the_root_holds_the_workspace() {
        assert!(root().join("Cargo.lock").is_file());
    }
}
