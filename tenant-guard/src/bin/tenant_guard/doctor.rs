//! `tenant-guard doctor`

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use tenant_guard::Tenancy;
use tenant_guard::doctor::{
    CATALOG_QUERY, CITUS_QUERY, Exceptions, Report, SchemaFacts, Severity, examine,
};

use crate::{Outcome, database};

pub(crate) const EXIT_CODES: &str = "Exit codes: 0 nothing of severity error was found, 1 something was \
    (with --deny warnings also a warning), 2 wrong use, an unreadable file, a server that does not answer.";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A file of SQL, or a folder of migrations: what the guard works with.
    #[arg(long, value_name = "DIR_OR_FILE")]
    schema: Option<PathBuf>,
    /// The URL of the database, best of the coordinator; it is only read, and its password is never
    /// shown. The connection is not encrypted: for a server that demands TLS see --answers.
    #[arg(long, value_name = "URL", conflicts_with = "answers")]
    database: Option<String>,
    /// A file with what the server answered to --queries, for servers that this command cannot reach:
    /// `tenant-guard doctor --queries | psql -XAtq URL > answers`.
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// Print the queries that --answers wants answered, and nothing else.
    #[arg(long, exclusive = true)]
    queries: bool,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// What else ends with exit code 1.
    #[arg(long, value_name = "WHAT")]
    deny: Option<Deny>,
    /// A finding that is fine, with its reason: `TD010:public.tasks.touch=reads nothing`. Without
    /// an object all findings of the code. May be repeated.
    #[arg(long, value_name = "CODE[:OBJECT]=REASON")]
    allow: Vec<String>,
    /// A file with findings that are fine, one a line: `TD010:public.tasks.touch reads nothing`.
    #[arg(long, value_name = "FILE")]
    exceptions: Option<PathBuf>,
    /// A function that depends on nothing but its arguments, wherever an expression calls it. May be
    /// repeated.
    #[arg(long, value_name = "NAME")]
    allow_function: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Deny {
    Warnings,
}

/// Examines the schema.
pub(crate) fn run(arguments: &Arguments, out: &mut impl Write) -> anyhow::Result<Outcome> {
    if arguments.queries {
        write!(out, "{CATALOG_QUERY};\n{CITUS_QUERY};\n")?;
        return Ok(Outcome::Accepted);
    }
    let exceptions = arguments.all_exceptions()?;
    let migrated = arguments.schema.as_ref().map(Tenancy::from_migrations);
    let migrated = migrated.transpose()?;
    let facts = arguments.facts()?;
    let tenancy = match migrated {
        Some(tenancy) => tenancy,
        None => facts.tenancy()?,
    };
    if tenancy.tables().all(|table| table.distribution().is_none()) {
        bail!(
            "no table is distributed, so nothing is known to belong to tenants; give the migrations by --schema"
        );
    }
    let report = examine(&facts, &tenancy, &exceptions);
    if arguments.json {
        serde_json::to_writer_pretty(&mut *out, &report)?;
        writeln!(out)?;
    } else {
        writeln!(out, "{report}")?;
    }
    Ok(outcome(&report, arguments.deny))
}

fn outcome(report: &Report, deny: Option<Deny>) -> Outcome {
    let warnings = match deny {
        Some(Deny::Warnings) => report.count(Severity::Warning),
        None => 0,
    };
    Outcome::of(report.count(Severity::Error) + warnings)
}

impl Arguments {
    fn facts(&self) -> anyhow::Result<SchemaFacts> {
        match (&self.database, &self.answers, &self.schema) {
            (Some(url), _, _) => database::facts(url),
            (None, Some(answers), _) => {
                let text = fs::read_to_string(answers)
                    .with_context(|| format!("cannot read {}", answers.display()))?;
                read_answers(&text).with_context(|| format!("{}", answers.display()))
            }
            (None, None, Some(schema)) => Ok(SchemaFacts::from_migrations(schema)?),
            (None, None, None) => bail!("give --schema, --database or --answers"),
        }
    }

    fn all_exceptions(&self) -> anyhow::Result<Exceptions> {
        let mut exceptions = match &self.exceptions {
            Some(file) => fs::read_to_string(file)
                .with_context(|| format!("cannot read {}", file.display()))?
                .parse()
                .with_context(|| file.display().to_string())?,
            None => Exceptions::default(),
        };
        for allowed in &self.allow {
            exceptions =
                exceptions.and(exception(allowed).with_context(|| format!("--allow '{allowed}'"))?);
        }
        Ok(self
            .allow_function
            .iter()
            .fold(exceptions, |exceptions, name| {
                exceptions.allow_function(name.as_str())
            }))
    }
}

/// Reads `CODE[:OBJECT]=REASON`.
fn exception(text: &str) -> anyhow::Result<Exceptions> {
    let Some((finding, reason)) = text.split_once('=') else {
        bail!("the reason is missing: write CODE[:OBJECT]=REASON");
    };
    let (code, object) = match finding.split_once(':') {
        Some((code, object)) => (code, Some(object)),
        None => (finding, None),
    };
    let Ok(code) = code.parse() else {
        bail!("there is no code {code}; `tenant-guard explain` lists all");
    };
    Ok(Exceptions::default().allow(code, object, reason))
}

/// The first document is the catalog's, the second, where there is one, is Citus'.
fn read_answers(text: &str) -> anyhow::Result<SchemaFacts> {
    let mut documents = serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>();
    let Some(catalog) = documents.next() else {
        bail!("it is empty");
    };
    let mut facts: SchemaFacts = serde_json::from_value(catalog?)?;
    if let Some(citus) = documents.next() {
        facts.citus = Some(serde_json::from_value(citus?)?);
    }
    Ok(facts)
}
