//! The `tenant-guard` command: what the guard makes of SQL, for people, scripts and CI.

mod allowed;
mod check;
mod database;
mod doctor;
mod explain;
mod rewrite;
mod rls;
mod schema;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tenant_guard::{Guard, Tenancy};

use allowed::Allowed;

/// Restricts SQL to one tenant, or says why it cannot be.
///
/// The schema comes from SQL migrations: CREATE TABLE and its kin, and Citus' calls such as
/// `SELECT create_distributed_table('tasks', 'tenant_id')`.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 all statements were accepted, 1 some were refused, \
    2 wrong use, an unreadable file or a schema that is not understood.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Reads statements from standard input and answers each, in order: the statement restricted
    /// to one tenant, or the refusal.
    ///
    /// Without --json a refusal is an SQL comment: `-- TG006: …`. With --json each answer is an
    /// object on a line of its own:
    /// `{"ok":true,"sql":…,"tenant_param":n,"access":"tenant|reference|none","writes":…}` or
    /// `{"ok":false,"code":…,"message":…,"hint":…}`.
    /// Each answer is written out at once.
    #[command(after_help = EXIT_CODES)]
    Rewrite {
        #[command(flatten)]
        guard: GuardArgs,
        /// Answer with one JSON object a line.
        #[arg(long)]
        json: bool,
        /// Statements are separated by NUL instead of the end of a line, and may span lines;
        /// answers without --json are too.
        #[arg(long)]
        null: bool,
    },
    /// Checks the SQL of .sql files and of Rust sources, for CI.
    ///
    /// In Rust it finds the literals that are given to the drivers' methods (`query`, `execute`,
    /// `prepare`, …), to sqlx and to `diesel::sql_query`, and the files of SQL that macros name.
    /// What is known at run time only is noted. What is meant as it is can be allowed, with a
    /// reason, in a comment before it: `// tenant-guard: allow(TG006) reason: …`.
    /// docs/linter.md says more.
    #[command(after_help = EXIT_CODES)]
    Check(check::Arguments),
    /// Checks the schema, once: keys, foreign keys, triggers, privileges and all else that the guard
    /// cannot see in a statement.
    ///
    /// With --database alone the cluster tells which tables are the tenants' (Citus); with both, the
    /// migrations do, and the database is compared with them. With --schema alone no server is asked,
    /// and the report says what could not be checked.
    #[command(after_help = doctor::EXIT_CODES)]
    Doctor(doctor::Arguments),
    /// Explains a refusal's or a finding's code, or lists all codes.
    Explain {
        /// A code such as TG006 or TD001, or a rule of `check` such as unchecked.
        code: Option<String>,
    },
    /// Prints SQL for a second line behind the guard: row-level security on each tenant table, and a
    /// role that it holds for.
    ///
    /// The script is one transaction and can be run again. A session of the role says who the tenant is
    /// by `SET LOCAL app.tenant_id = '…'` in each transaction; without, it meets no row of any tenant.
    #[command(
        after_help = "Exit codes: 0 the script is printed, 2 wrong use, an unreadable file or a \
        schema that is not understood."
    )]
    Rls(rls::Arguments),
    /// Prints the schema as it was understood from the migrations.
    #[command(after_help = EXIT_CODES)]
    Schema {
        #[command(flatten)]
        schema: SchemaArgs,
        /// Print it as JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
struct SchemaArgs {
    /// A file of SQL, or a folder of migrations (sqlx, refinery, Flyway, diesel, Prisma, goose,
    /// dbmate or numbered files).
    #[arg(long, value_name = "DIR_OR_FILE")]
    schema: PathBuf,
}

#[derive(Debug, Args)]
struct GuardArgs {
    #[command(flatten)]
    schema: SchemaArgs,
    #[command(flatten)]
    allowed: Allowed,
}

impl SchemaArgs {
    fn tenancy(&self) -> anyhow::Result<Tenancy> {
        Ok(Tenancy::from_migrations(&self.schema)?)
    }
}

impl GuardArgs {
    fn guard(&self) -> anyhow::Result<Guard> {
        Ok(Guard::new(self.schema.tenancy()?, self.allowed.policy()?))
    }
}

/// How a command ended that could do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Accepted,
    Refused,
}

impl Outcome {
    fn of(refusals: usize) -> Self {
        if refusals == 0 {
            Self::Accepted
        } else {
            Self::Refused
        }
    }
}

fn main() -> ExitCode {
    // clap itself exits with 2 on wrong use.
    match run(Cli::parse().command) {
        Ok(Outcome::Accepted) => ExitCode::SUCCESS,
        Ok(Outcome::Refused) => ExitCode::from(1),
        Err(error) if reader_is_gone(&error) => ExitCode::from(2),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> anyhow::Result<Outcome> {
    let mut out = io::stdout().lock();
    match command {
        Command::Rewrite { guard, json, null } => {
            let format = rewrite::Format { json, null };
            rewrite::run(&guard.guard()?, format, io::stdin().lock(), &mut out)
        }
        Command::Check(arguments) => check::run(arguments, &mut out),
        Command::Doctor(arguments) => doctor::run(&arguments, &mut out),
        Command::Explain { code } => explain::run(code.as_deref(), &mut out),
        Command::Rls(arguments) => rls::run(&arguments, &mut out),
        Command::Schema { schema, json } => schema::run(&schema.tenancy()?, json, &mut out),
    }
}

/// Whether whoever read the answers has closed the pipe, which is no error to report.
fn reader_is_gone(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
