//! What has to be on the machine, and how it gets there.

mod apt;
mod c_compiler;
mod libclang;
mod postgres;

use std::env;
use std::fmt;

use anyhow::bail;

use crate::command;
use postgres::Installation;

/// What the tests and the demo will run on, in the order in which `citus-testkit` looks.
#[derive(Debug)]
pub(crate) enum Servers {
    /// A running cluster, named by `CITUS_TEST_URL`.
    External,
    /// Containers, because `CITUS_TEST_BACKEND` says so.
    Docker,
    /// Processes of an installed PostgreSQL, with Citus where the extension is there.
    Local(Installation),
}

impl Servers {
    pub(crate) fn has_citus(&self) -> bool {
        match self {
            Self::External | Self::Docker => true,
            Self::Local(installation) => installation.has_citus(),
        }
    }
}

impl fmt::Display for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::External => f.write_str("the cluster that CITUS_TEST_URL names"),
            Self::Docker => f.write_str("Citus in Docker"),
            Self::Local(installation) => installation.fmt(f),
        }
    }
}

/// Something that is missing.
struct Missing {
    what: &'static str,
    why: &'static str,
    /// Debian's and Ubuntu's package.
    apt: &'static str,
    /// Fedora's.
    dnf: &'static str,
    /// Homebrew's.
    brew: &'static str,
}

/// Makes sure that all is there, and says what servers will be used.
///
/// What is missing is installed where this may be done without asking: as root and with apt, as in a
/// container. Everywhere else the error is the command to run.
pub(crate) fn ensure() -> anyhow::Result<Servers> {
    ensure_that_none_is(|| missing(needs_postgres()))?;
    servers()
}

/// Makes sure of what building needs, for those who bring their own servers.
pub(crate) fn ensure_build() -> anyhow::Result<()> {
    ensure_that_none_is(|| missing(false))
}

/// Makes sure of what building and counting instructions need.
pub(crate) fn ensure_valgrind() -> anyhow::Result<()> {
    ensure_that_none_is(|| {
        let mut missing = missing(false);
        if !command::is_in_path("valgrind") {
            missing.push(Missing {
                what: "valgrind",
                why: "it counts instructions",
                apt: "valgrind libc6-dbg",
                dnf: "valgrind",
                brew: "valgrind",
            });
        }
        missing
    })
}

fn ensure_that_none_is(look: impl Fn() -> Vec<Missing>) -> anyhow::Result<()> {
    let missing = look();
    if missing.is_empty() {
        return Ok(());
    }
    for need in &missing {
        eprintln!("missing: {} ({})", need.what, need.why);
    }
    if !apt::may_install() {
        bail!(
            "install what is missing, then run this again:\n\n    {}\n",
            advice(&missing)
        );
    }
    apt::install(missing.iter().map(|need| need.apt))?;

    let still = look();
    if !still.is_empty() {
        let names: Vec<_> = still.iter().map(|need| need.what).collect();
        let old_postgres = names.iter().any(|name| name.starts_with("PostgreSQL"));
        bail!(
            "apt installed its packages, and still missing: {}. {}",
            names.join(", "),
            if old_postgres { postgres::TOO_OLD } else { "" }
        );
    }
    Ok(())
}

fn missing(postgres: bool) -> Vec<Missing> {
    let mut missing = Vec::new();
    if !c_compiler::is_there() {
        missing.push(Missing {
            what: "a C compiler",
            why: "PostgreSQL's grammar is C",
            apt: "gcc libc6-dev",
            dnf: "gcc",
            brew: "llvm",
        });
    }
    if !libclang::is_there() {
        missing.push(Missing {
            what: "libclang",
            why: "the bindings to PostgreSQL's grammar are made with it",
            apt: "libclang-dev",
            dnf: "clang-devel",
            brew: "llvm",
        });
    }
    if postgres && Installation::find().is_none() {
        missing.push(Missing {
            what: "PostgreSQL 15 or newer",
            why: "the tests and the demo start real servers",
            apt: "postgresql",
            dnf: "postgresql-server postgresql-contrib",
            brew: "postgresql@18",
        });
    }
    // Without it the tests that need it say that they were left out.
    if postgres && apt::may_install() && !command::is_in_path("pgbouncer") {
        missing.push(Missing {
            what: "PgBouncer",
            why: "the tests with a pooler between driver and servers start one",
            apt: "pgbouncer",
            dnf: "pgbouncer",
            brew: "pgbouncer",
        });
    }
    missing
}

fn needs_postgres() -> bool {
    !is_set("CITUS_TEST_URL") && backend().as_deref() != Some("docker")
}

fn servers() -> anyhow::Result<Servers> {
    if backend().as_deref() == Some("docker") {
        return Ok(Servers::Docker);
    }
    if is_set("CITUS_TEST_URL") && backend().is_none_or(|name| name == "external") {
        return Ok(Servers::External);
    }
    match Installation::find() {
        Some(found) if backend().as_deref() == Some("postgres") => {
            Ok(Servers::Local(found.without_citus()))
        }
        Some(found) => Ok(Servers::Local(found)),
        None => bail!(
            "no PostgreSQL 15 or newer is installed. {}",
            postgres::TOO_OLD
        ),
    }
}

fn backend() -> Option<String> {
    env::var("CITUS_TEST_BACKEND")
        .ok()
        .filter(|name| !name.is_empty() && name != "auto")
}

fn is_set(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| !value.is_empty())
}

/// The one command for this machine.
fn advice(missing: &[Missing]) -> String {
    let packages = |name: fn(&Missing) -> &'static str| {
        let mut packages: Vec<_> = missing.iter().map(name).collect();
        packages.dedup();
        packages.join(" ")
    };
    if command::is_in_path("apt-get") {
        format!("sudo apt-get install -y {}", packages(|need| need.apt))
    } else if command::is_in_path("dnf") {
        format!("sudo dnf install -y {}", packages(|need| need.dnf))
    } else if command::is_in_path("brew") {
        format!("brew install {}", packages(|need| need.brew))
    } else {
        let whats: Vec<_> = missing.iter().map(|need| need.what).collect();
        format!("{} (with this system's package manager)", whats.join(", "))
    }
}
