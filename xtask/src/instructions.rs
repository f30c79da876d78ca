//! `cargo xtask instructions`: what the guard costs, without a clock.
//!
//! Valgrind counts the instructions that one piece of work executes; the count is the same on a busy
//! machine. Checking a new statement is held against two bare parses of it in the same run, so that
//! neither the compiler nor the processor decides. What is remembered takes so few instructions that
//! their number itself is the budget.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use clap::Args;

use crate::command::{built, cargo, in_ci, line, root, run as run_command};
use crate::setup;

const BUDGETS: &str = "benches/instructions/budgets.csv";

/// The function whose instructions are counted, in any way of writing its full name.
const MEASURED: &str = "*measured*";

#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// Print an object for each budget on a line of its own, instead of a table.
    #[arg(long)]
    json: bool,
}

/// A line of the file of budgets.
#[derive(Debug, PartialEq)]
struct Budget {
    work: String,
    size: String,
    at_most: f64,
    of: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Unit {
    Instructions,
    /// Two bare parses, of the statement as written and as sent.
    Parses,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Instructions => "instructions",
            Self::Parses => "times two bare parses",
        }
    }
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    if !cfg!(target_os = "linux") {
        eprintln!("counting instructions needs valgrind, which is for Linux: skipped");
        return Ok(());
    }
    setup::ensure_valgrind()?;
    let budgets = parse(&fs::read_to_string(root().join(BUDGETS)).context(BUDGETS)?)?;
    let mut build = cargo([
        "build",
        "--profile",
        "bench",
        "--package",
        "guard-instructions",
    ]);
    if in_ci() {
        build.arg("--locked");
    }
    run_command(&mut build)?;
    let program = built("guard-instructions")?;

    let mut broken = 0;
    for budget in &budgets {
        let mut found = count(&program, &budget.work, &budget.size)?;
        if budget.of == Unit::Parses {
            found /= count(&program, "parses", &budget.size)?;
        }
        let kept = found <= budget.at_most;
        broken += usize::from(!kept);
        print(budget, found, kept, options.json);
    }
    if broken > 0 {
        bail!(
            "{broken} of {} budgets are broken. `valgrind --tool=callgrind --toggle-collect='{MEASURED}' \
             {} WORK SIZE` and `callgrind_annotate` show where the instructions go. A budget is raised \
             in {BUDGETS}, with the reason in the commit",
            budgets.len(),
            program.display()
        );
    }
    Ok(())
}

fn print(budget: &Budget, found: f64, kept: bool, json: bool) {
    let Budget {
        work,
        size,
        at_most,
        of,
    } = budget;
    if json {
        println!(
            r#"{{"work":"{work}","size":"{size}","found":{found:.2},"at_most":{at_most},"of":"{}","kept":{kept}}}"#,
            of.name()
        );
    } else {
        let verdict = if kept { "" } else { "  <-- too much" };
        println!(
            "{work:>7} {size:>6}: {found:8.2} of at most {at_most:5} {}{verdict}",
            of.name()
        );
    }
}

/// The instructions of doing one work once.
fn count(program: &Path, work: &str, size: &str) -> anyhow::Result<f64> {
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(format!("--toggle-collect={MEASURED}"))
        .arg(program)
        .args([work, size]);
    let shown = line(&valgrind);
    let output = valgrind
        .output()
        .with_context(|| format!("cannot run `{shown}`"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("`{shown}` failed: {}\n{said}", output.status);
    }
    let times: f64 = String::from_utf8_lossy(&output.stdout)
        .trim()
        .parse()
        .with_context(|| format!("`{shown}` did not print how often it worked"))?;
    match collected(&said) {
        Some(instructions) if instructions > 0.0 => Ok(instructions / times),
        _ => bail!("`{shown}` counted nothing: is there a function {MEASURED}?\n{said}"),
    }
}

/// From valgrind's `==123== Collected : 456`.
fn collected(said: &str) -> Option<f64> {
    let (_, count) = said
        .lines()
        .find_map(|line| line.split_once("Collected :"))?;
    count.trim().parse().ok()
}

fn parse(text: &str) -> anyhow::Result<Vec<Budget>> {
    let lines = text.lines().enumerate().skip(1);
    let budgets = lines.map(|(index, line)| {
        let wrong = || {
            format!(
                "{BUDGETS}:{}: `{line}` is not work,size,at most,of",
                index + 1
            )
        };
        let [work, size, at_most, of] = line.split(',').collect::<Vec<_>>()[..] else {
            bail!(wrong());
        };
        let of = match of {
            "instructions" => Unit::Instructions,
            "parses" => Unit::Parses,
            _ => bail!(wrong()),
        };
        let at_most = at_most.parse().with_context(wrong)?;
        Ok(Budget {
            work: work.to_owned(),
            size: size.to_owned(),
            at_most,
            of,
        })
    });
    budgets.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_read() {
        let budgets = parse("work,size,at most,of\ncheck,60 B,3,parses\n").unwrap();
        let expected = Budget {
            work: "check".to_owned(),
            size: "60 B".to_owned(),
            at_most: 3.0,
            of: Unit::Parses,
        };
        assert_eq!(budgets, [expected]);
        let error = parse("work,size,at most,of\ncheck,60 B,3,seconds\n").unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("benches/instructions/budgets.csv:2: ")
        );
    }

    #[test]
    fn the_checked_in_budgets_are_read() {
        let text = fs::read_to_string(root().join(BUDGETS)).unwrap();
        assert!(!parse(&text).unwrap().is_empty());
    }

    #[test]
    fn what_valgrind_says_is_read() {
        let said = "==1== Events    : Ir\n==1== Collected : 5069976\n==1== \n";
        assert_eq!(collected(said), Some(5_069_976.0));
        assert_eq!(collected("==1== nothing"), None);
    }
}
