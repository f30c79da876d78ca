//! Whether the tenancy and the database agree.

use std::collections::BTreeMap;

use super::{Subject, joined, part};
use crate::doctor::{CitusFacts, CitusTable, Code, Finding, Relation, RelationKind};
use crate::{Ident, Table, TableKind, TableName, TenantType};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let citus = subject.facts.citus.as_ref().map(placements);
    for table in subject.tenancy.tables() {
        let Some(relation) = subject.relations.get(table.name()) else {
            // Statements on these are refused; the tables of extensions are among them.
            if matches!(table.kind(), TableKind::Local | TableKind::Opaque { .. }) {
                continue;
            }
            findings.push(missing(table.name(), "the database has no such table"));
            continue;
        };
        findings.extend(columns(table, relation));
        findings.extend(tenant_type(table, relation));
        // A view is in no catalog of Citus; whose rows it holds was declared.
        if let Some(placements) = &citus
            && relation.kind == RelationKind::Table
        {
            findings.extend(placement(table, placements.get(table.name()).copied()));
        }
    }
    forgotten(subject, findings);
}

fn placements(citus: &CitusFacts) -> BTreeMap<&TableName, &CitusTable> {
    citus
        .tables
        .iter()
        .map(|table| (&table.table, table))
        .collect()
}

fn missing(object: impl std::fmt::Display, message: &str) -> Finding {
    Finding::new(
        Code::Missing,
        object,
        message,
        "run the migrations, or make the tenancy anew",
    )
}

fn columns(table: &Table, relation: &Relation) -> Option<Finding> {
    let gone: Vec<&Ident> = table
        .column_list()
        .iter()
        .map(|column| &column.name)
        .filter(|name| relation.column(name).is_none())
        .collect();
    if gone.is_empty() {
        return None;
    }
    let message = format!("the table has no column {}", joined(gone));
    Some(missing(table.name(), &message))
}

fn disagreement(object: impl std::fmt::Display, message: String) -> Finding {
    Finding::new(
        Code::Disagreement,
        object,
        message,
        "make the tenancy anew from this database, or correct the database",
    )
}

fn tenant_type(table: &Table, relation: &Relation) -> Option<Finding> {
    let distribution = table.distribution()?;
    let column = relation.column(&distribution.column)?;
    // A type that the tenancy has no name for is compared by no one.
    if column.domain_over.is_some() || matches!(distribution.tenant_type, TenantType::Other(_)) {
        return None;
    }
    if TenantType::from_sql(&column.data_type) == distribution.tenant_type {
        return None;
    }
    let message = format!(
        "the tenancy takes it for {}, and it is {}",
        distribution.tenant_type, column.data_type
    );
    Some(disagreement(part(relation, &column.name), message))
}

/// What Citus says against what the tenancy says. A table that the tenancy takes for a local one is
/// refused by the guard, whatever it is.
fn placement(table: &Table, found: Option<&CitusTable>) -> Option<Finding> {
    let is = |found: Option<&CitusTable>| match found {
        None => "local to the coordinator".to_owned(),
        Some(found) if found.is_reference() => "a reference table".to_owned(),
        Some(CitusTable {
            column: Some(column),
            ..
        }) => format!("distributed by {column}"),
        Some(_) => "distributed by no column".to_owned(),
    };
    if table.is_read_only() {
        // A view that was declared: Citus knows nothing of it.
        return None;
    }
    let believed = match table.kind() {
        TableKind::Distributed(distribution) => {
            let by = found
                .filter(|found| !found.is_reference())
                .and_then(|found| found.column.as_ref());
            if by == Some(&distribution.column) {
                return None;
            }
            format!("distributed by {}", distribution.column)
        }
        TableKind::Reference => {
            if found.is_some_and(CitusTable::is_reference) {
                return None;
            }
            "a reference table".to_owned()
        }
        TableKind::TenantSchema | TableKind::Local | TableKind::Opaque { .. } => return None,
    };
    let message = format!(
        "the tenancy takes it for {believed}, and it is {}",
        is(found)
    );
    Some(disagreement(table.name(), message))
}

/// Tables with a column that is called like a tenant column.
fn forgotten(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let tenant_columns = subject.tenant_columns();
    for relation in &subject.facts.relations {
        let is_table = matches!(
            relation.kind,
            RelationKind::Table | RelationKind::ForeignTable
        );
        let mut above = subject
            .ancestors(relation)
            .into_iter()
            .chain([&relation.table]);
        if !is_table || above.any(|name| subject.distribution(name).is_some()) {
            continue;
        }
        let found = relation
            .columns
            .iter()
            .find(|column| tenant_columns.contains(&column.name));
        let Some(column) = found else { continue };
        let finding = if subject.is_for_all(&relation.table) {
            Finding::new(
                Code::ReferenceWithTenants,
                &relation.table,
                format!("every tenant reads it, and it has a column {}", column.name),
                "distribute it by the tenant column, or rename the column if it holds no tenant",
            )
        } else {
            Finding::new(
                Code::TenantColumnElsewhere,
                &relation.table,
                format!("it has a column {}", column.name),
                "distribute it by the tenant column, or allow it",
            )
        };
        findings.push(finding);
    }
}
