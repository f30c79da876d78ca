//! `tenant-guard schema`

use std::io::Write;

use tenant_guard::Tenancy;

use crate::Outcome;

/// Prints the tenancy.
pub(crate) fn run(tenancy: &Tenancy, json: bool, out: &mut impl Write) -> anyhow::Result<Outcome> {
    if json {
        serde_json::to_writer_pretty(&mut *out, tenancy)?;
        writeln!(out)?;
    } else {
        write!(out, "{tenancy}")?;
    }
    Ok(Outcome::Accepted)
}
