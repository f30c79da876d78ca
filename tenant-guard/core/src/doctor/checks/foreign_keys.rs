//! Foreign keys between tables of which at least one is the tenants'.

use super::{Subject, part};
use crate::Distribution;
use crate::doctor::{Action, Code, Finding, ForeignKey, Relation};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for relation in &subject.facts.relations {
        let own = subject.distribution(&relation.table);
        for key in &relation.foreign_keys {
            let target = subject.distribution(&key.target);
            match (own, target) {
                (Some(own), Some(target)) => findings.extend(pairing(relation, key, own, target)),
                (None, Some(_)) => findings.extend(from_no_tenant(subject, relation, key)),
                (Some(_) | None, None) => {}
            }
            if let Some(own) = own {
                findings.extend(action(relation, key, own));
            }
        }
    }
}

fn pairing(
    relation: &Relation,
    key: &ForeignKey,
    own: &Distribution,
    target: &Distribution,
) -> Option<Finding> {
    let mut pairs = key.columns.iter().zip(&key.target_columns);
    if pairs.any(|(from, to)| *from == own.column && *to == target.column) {
        return None;
    }
    let reach = match (key.on_delete, key.on_update) {
        (Action::Refuse, Action::Refuse) => "",
        _ => ", and what happens to a row of another tenant is carried over",
    };
    Some(Finding::new(
        Code::ForeignKeyAcrossTenants,
        part(relation, &key.name),
        format!(
            "it points at {} without pairing {} with {}{reach}",
            key.target, own.column, target.column
        ),
        format!(
            "make it FOREIGN KEY ({}, …) REFERENCES {} ({}, …)",
            own.column, key.target, target.column
        ),
    ))
}

fn from_no_tenant(subject: &Subject<'_>, relation: &Relation, key: &ForeignKey) -> Option<Finding> {
    // A partition that the tenancy does not name is the tenants' all the same.
    let is_tenants = |name| subject.distribution(name).is_some();
    if subject.ancestors(relation).into_iter().any(is_tenants) {
        return None;
    }
    Some(Finding::new(
        Code::ForeignKeyToTenants,
        part(relation, &key.name),
        format!("it points at the tenant table {}", key.target),
        "drop the foreign key, or make the table a tenant table with the tenant column in the key",
    ))
}

/// `SET NULL` and `SET DEFAULT` overwrite all columns of the key, unless they are named.
fn action(relation: &Relation, key: &ForeignKey, own: &Distribution) -> Option<Finding> {
    let sets = |action| matches!(action, Action::SetNull | Action::SetDefault);
    let has_tenant = key.columns.contains(&own.column);
    let spared = !key.delete_sets.is_empty() && !key.delete_sets.contains(&own.column);
    let on_delete = sets(key.on_delete) && !spared;
    if !has_tenant || !(on_delete || sets(key.on_update)) {
        return None;
    }
    let (event, fix) = if on_delete {
        (
            "DELETE",
            "name the other columns: ON DELETE SET NULL (column, …)",
        )
    } else {
        ("UPDATE", "use ON UPDATE CASCADE or NO ACTION")
    };
    Some(Finding::new(
        Code::ActionOnTenantColumn,
        part(relation, &key.name),
        format!("ON {event} overwrites {}", own.column),
        fix,
    ))
}
