//! `cargo xtask functions`: a server's own functions against the list that the guard knows.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::process::Stdio;

use anyhow::{Context as _, bail, ensure};
use clap::Args;

use crate::command::{cargo, root};
use crate::setup;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Change nothing; fail where the list lacks or contradicts what the server says. What a newer
    /// PostgreSQL than the list is about has besides is only reported: the guard refuses it.
    #[arg(long)]
    pub(crate) check: bool,
}

const LIST: &str = "tenant-guard/core/src/builtin/functions.txt";
const QUERY: &str = "tenant-guard/data/functions.sql";

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    setup::ensure()?;
    let server = Server::parse(&ask()?)?;
    let path = root().join(LIST);
    let text = fs::read_to_string(&path)?;
    let mut list = List::parse(&text)?;

    let wrong = list.contradictions(&server);
    for line in &wrong {
        eprintln!("{LIST}: {line}");
    }
    let missing = list.missing(&server);
    if !options.check {
        for (name, function) in &missing {
            eprintln!("{name}: added as {}", function.line());
        }
        list.add(&missing, server.release);
        fs::write(&path, list.print())?;
    } else if server.release > list.newest() {
        for name in missing.keys() {
            eprintln!("{name}: new in PostgreSQL {}, refused", server.release);
        }
    } else if !missing.is_empty() {
        for name in missing.keys() {
            eprintln!("{name}: not in {LIST}");
        }
        bail!("run `cargo xtask functions`, and read what these do");
    }
    ensure!(wrong.is_empty(), "{LIST} says what is not so");
    println!(
        "{} functions of PostgreSQL {} compared",
        server.functions.len(),
        server.release
    );
    Ok(())
}

/// What the query prints. The testkit starts the server; this crate has to build without it.
fn ask() -> anyhow::Result<String> {
    let mut command = cargo([
        "run",
        "--quiet",
        "-p",
        "citus-testkit",
        "--example",
        "query",
    ]);
    let output = command
        .stdin(File::open(root().join(QUERY))?)
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "the server cannot be asked");
    Ok(String::from_utf8(output.stdout)?)
}

/// What a server says of its functions.
#[derive(Debug)]
struct Server {
    release: u32,
    functions: BTreeMap<String, Function>,
}

#[derive(Clone, Debug)]
struct Function {
    volatility: String,
    kind: String,
}

impl Server {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut lines = text.lines();
        let release = lines.next().context("the server says nothing")?.parse()?;
        let functions = lines
            .map(|line| match line.split(' ').collect::<Vec<_>>()[..] {
                [name, volatility, kind] => Ok((
                    name.to_owned(),
                    Function {
                        volatility: volatility.to_owned(),
                        kind: kind.to_owned(),
                    },
                )),
                _ => bail!("the server says `{line}`"),
            })
            .collect::<Result<BTreeMap<_, _>, _>>()?;
        ensure!(!functions.is_empty(), "the server has no functions");
        Ok(Self { release, functions })
    }
}

impl Function {
    /// The class as far as the catalog tells it.
    fn line(&self) -> &'static str {
        match (self.volatility.as_str(), self.kind.as_str()) {
            ("immutable", "plain") => "safe immutable",
            (_, "internal") => "refused internal",
            _ => "refused unread",
        }
    }
}

/// The file: its head, and for each name the rest of its line.
#[derive(Debug)]
struct List {
    head: String,
    lines: BTreeMap<String, String>,
}

impl List {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut list = Self {
            head: String::new(),
            lines: BTreeMap::new(),
        };
        for line in text.lines() {
            if line.starts_with('#') {
                list.head.push_str(line);
                list.head.push('\n');
            } else {
                let (name, rest) = line
                    .split_once(' ')
                    .with_context(|| format!("{LIST} has the line `{line}`"))?;
                list.lines.insert(name.to_owned(), rest.to_owned());
            }
        }
        Ok(list)
    }

    fn print(&self) -> String {
        let mut text = self.head.clone();
        for (name, rest) in &self.lines {
            text.push_str(name);
            text.push(' ');
            text.push_str(rest);
            text.push('\n');
        }
        text
    }

    /// The newest release that it is about.
    fn newest(&self) -> u32 {
        let releases = self.lines.values().filter_map(|rest| release(rest));
        releases.max().unwrap_or(OLDEST)
    }

    fn missing(&self, server: &Server) -> BTreeMap<String, Function> {
        server
            .functions
            .iter()
            .filter(|(name, _)| !self.lines.contains_key(*name))
            .map(|(name, function)| (name.clone(), function.clone()))
            .collect()
    }

    /// Lines that promise more than the server says, and those that nobody has read.
    fn contradictions(&self, server: &Server) -> Vec<String> {
        let mut wrong = Vec::new();
        for (name, rest) in &self.lines {
            if rest.starts_with("refused unread") {
                wrong.push(format!("{name} waits to be read"));
            }
            let Some(function) = server.functions.get(name) else {
                continue;
            };
            if rest.starts_with("safe immutable") && function.volatility != "immutable" {
                wrong.push(format!("{name} is {} on the server", function.volatility));
            }
        }
        wrong
    }

    fn add(&mut self, missing: &BTreeMap<String, Function>, release: u32) {
        for (name, function) in missing {
            let line = match release {
                OLDEST => function.line().to_owned(),
                _ => format!("{} {release}", function.line()),
            };
            self.lines.insert(name.clone(), line);
        }
    }
}

/// The release whose functions carry no number in the list.
const OLDEST: u32 = 15;

fn release(rest: &str) -> Option<u32> {
    rest.split(' ').nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# head\nabs safe immutable\nnow safe clock\nuuidv7 safe clock 18\n";

    fn server(functions: &str) -> Server {
        Server::parse(&format!("18\n{functions}")).unwrap()
    }

    #[test]
    fn a_list_is_printed_as_it_was_read() {
        assert_eq!(List::parse(TEXT).unwrap().print(), TEXT);
    }

    #[test]
    fn what_is_missing_is_added_with_what_the_catalog_tells() {
        let mut list = List::parse(TEXT).unwrap();
        let server = server(
            "abs immutable plain\nbit_in immutable internal\nleak volatile plain\nneg immutable plain",
        );
        list.add(&list.missing(&server), server.release);
        assert_eq!(
            list.print(),
            "# head\nabs safe immutable\nbit_in refused internal 18\nleak refused unread 18\n\
             neg safe immutable 18\nnow safe clock\nuuidv7 safe clock 18\n"
        );
        assert_eq!(list.contradictions(&server), ["leak waits to be read"]);
    }

    #[test]
    fn a_promise_that_the_server_does_not_keep_is_found() {
        let list = List::parse(TEXT).unwrap();
        let server = server("abs stable plain\nnow stable plain");
        assert_eq!(
            list.contradictions(&server),
            ["abs is stable on the server"]
        );
        assert_eq!(list.newest(), 18);
    }
}
