//! Unique keys, and the sequences that fill them.

use super::{Subject, joined};
use crate::doctor::{Code, Finding};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for table in subject.tenant_tables() {
        let tenant = &table.distribution.column;
        for key in &table.relation.keys {
            if !key.columns.contains(tenant) {
                findings.push(Finding::new(
                    Code::KeyWithoutTenant,
                    table.part(&key.name),
                    format!("the key ({}) lacks {tenant}", joined(&key.columns)),
                    format!(
                        "put {tenant} into the key, as a plain column that is compared by equality"
                    ),
                ));
            }
        }
        for column in &table.relation.columns {
            if let Some(sequence) = &column.sequence {
                findings.push(Finding::new(
                    Code::SharedSequence,
                    table.part(&column.name),
                    format!("its numbers come from the sequence {sequence} for all tenants"),
                    "take random ids (uuid) where it is a secret how much is going on, or allow it",
                ));
            }
        }
    }
}
