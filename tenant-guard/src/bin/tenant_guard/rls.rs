//! `tenant-guard rls`

use std::io::Write;

use clap::Args;
use serde_json::json;
use tenant_guard::{Tenancy, rls};

use crate::{Outcome, SchemaArgs};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    schema: SchemaArgs,
    /// The role of tenants' sessions, as its name is stored. The script makes it if it is not there.
    #[arg(long, value_name = "NAME", default_value = "app_tenant")]
    role: String,
    /// The setting by which a session says who the tenant is.
    #[arg(long, value_name = "NAME", default_value = "app.tenant_id")]
    setting: String,
    /// Print an object with the script, its tables and its names.
    #[arg(long)]
    json: bool,
}

/// Prints the script.
pub(crate) fn run(arguments: &Arguments, out: &mut impl Write) -> anyhow::Result<Outcome> {
    let options = rls::Options::default()
        .role(arguments.role.as_str())
        .setting(&arguments.setting)?;
    let tenancy = arguments.schema.tenancy()?;
    let tables = tenant_tables(&tenancy);
    if tables.is_empty() {
        anyhow::bail!("no table is distributed, so there is nothing to hold apart");
    }
    let script = rls::script(&tenancy, &options);
    if arguments.json {
        let object = json!({
            "role": arguments.role,
            "setting": arguments.setting,
            "tables": tables,
            "sql": script,
        });
        writeln!(out, "{object:#}")?;
    } else {
        write!(out, "{script}")?;
    }
    Ok(Outcome::Accepted)
}

fn tenant_tables(tenancy: &Tenancy) -> Vec<String> {
    tenancy
        .tables()
        .filter(|table| table.distribution().is_some())
        .map(|table| table.name().to_string())
        .collect()
}
