//! Other names under which a tenant table's rows can be reached: partitions, children, parents, views.

use super::{Subject, joined};
use crate::doctor::{Code, Finding, Relation, RelationKind};
use crate::{Ident, TableName};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for relation in &subject.facts.relations {
        match relation.kind {
            RelationKind::Table | RelationKind::ForeignTable => {
                findings.extend(family(subject, relation));
                findings.extend(inheritance(subject, relation));
            }
            RelationKind::View | RelationKind::MaterializedView => {
                findings.extend(view(subject, relation));
            }
        }
    }
}

fn family(subject: &Subject<'_>, relation: &Relation) -> Vec<Finding> {
    let own = column(subject, &relation.table);
    let mut findings = Vec::new();
    for ancestor in subject.ancestors(relation) {
        let above = column(subject, ancestor);
        let (object, message) = match (above, own) {
            (Some(above), Some(own)) if own != above => (
                &relation.table,
                format!("it is restricted by {own}, and {ancestor} above it by {above}"),
            ),
            (Some(_), None) if subject.is_for_all(&relation.table) => (
                &relation.table,
                format!(
                    "it holds rows of the tenant table {ancestor} and is known as a table for all"
                ),
            ),
            (None, Some(_)) if subject.is_for_all(ancestor) => (
                ancestor,
                format!(
                    "it gives the rows of the tenant table {} and is known as a table for all",
                    relation.table
                ),
            ),
            _ => continue,
        };
        findings.push(Finding::new(
            Code::RelativeOfTenantTable,
            object,
            message,
            "let the tenancy know it as a tenant table by the same column, or not at all",
        ));
    }
    findings
}

fn column<'a>(subject: &Subject<'a>, name: &TableName) -> Option<&'a Ident> {
    subject
        .distribution(name)
        .map(|distribution| &distribution.column)
}

/// Inheritance as it was before there were partitions.
fn inheritance(subject: &Subject<'_>, relation: &Relation) -> Option<Finding> {
    let parent = relation
        .parents
        .iter()
        .find(|parent| !parent.partition && subject.distribution(&parent.table).is_some())?;
    Some(Finding::new(
        Code::Inheritance,
        &relation.table,
        format!("it inherits from the tenant table {}", parent.table),
        "use a partitioned table, or give it keys of its own and allow it",
    ))
}

fn view(subject: &Subject<'_>, relation: &Relation) -> Option<Finding> {
    let sources = subject.sources(relation);
    let is_tenants = |name: &&&TableName| subject.distribution(name).is_some();
    let tenants: Vec<&&TableName> = sources.iter().filter(is_tenants).collect();
    if tenants.is_empty() {
        return None;
    }
    let message = format!("it reads {}", joined(tenants));
    let finding = if subject.is_for_all(&relation.table) {
        Finding::new(
            Code::ViewForAll,
            &relation.table,
            message,
            "take it out of the tenancy: statements read the tables themselves",
        )
    } else {
        Finding::new(
            Code::ViewOverTenants,
            &relation.table,
            message,
            "grant it to nobody who is held back by the guard, or allow it",
        )
    };
    Some(finding)
}
