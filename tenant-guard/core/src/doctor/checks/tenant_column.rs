//! The tenant column itself, and the groups that it makes.

use std::collections::BTreeMap;

use super::{Subject, TenantTable, joined};
use crate::doctor::{Code, Column, Finding};
use crate::{Distribution, Ident, Table, TenantType};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for table in subject.tenant_tables() {
        if let Some(column) = table.relation.column(&table.distribution.column) {
            column_itself(&table, column, findings);
        }
    }
    groups(subject, findings);
}

fn column_itself(table: &TenantTable<'_>, column: &Column, findings: &mut Vec<Finding>) {
    let mut find = |code, message: String, fix: String| {
        findings.push(Finding::new(code, table.part(&column.name), message, fix));
    };
    let name = column.name.quoted();
    if !column.not_null {
        let fix =
            format!("ALTER TABLE … ALTER COLUMN {name} SET NOT NULL, after its nulls are gone");
        find(Code::NullableTenantColumn, "it takes nulls".to_owned(), fix);
    }
    if let Some(base) = &column.domain_over {
        let message = format!("{} is a domain over {base}", column.data_type);
        find(
            Code::TenantDomain,
            message,
            format!("give it the type {base}"),
        );
    } else if let TenantType::Other(other) = TenantType::from_sql(&column.data_type) {
        let message = format!("its type is {other}");
        let fix = "use bigint, integer, smallint, uuid, text, varchar, bytea, date, timestamptz or boolean";
        find(Code::UnhashedTenantType, message, fix.to_owned());
    }
    if column.nondeterministic {
        let collation = column.collation.as_deref().unwrap_or("its type's");
        let message = format!("its collation {collation} is not deterministic");
        find(
            Code::TenantCollation,
            message,
            "give it a deterministic collation, such as \"C\"".to_owned(),
        );
    }
}

/// Each table outside of the group that holds most tables.
fn groups(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let mut groups: BTreeMap<&Ident, Vec<(&Table, &Distribution)>> = BTreeMap::new();
    for table in subject.tenancy.tables() {
        if let Some(distribution) = table.distribution() {
            groups
                .entry(&distribution.colocation)
                .or_default()
                .push((table, distribution));
        }
    }
    // Of several that are as large, the first by its name.
    let largest = groups
        .iter()
        .max_by(|(a, of_a), (b, of_b)| of_a.len().cmp(&of_b.len()).then_with(|| b.cmp(a)));
    let Some((main, members)) = largest.map(|(group, members)| (*group, members.clone())) else {
        return;
    };
    let Some((_, of_main)) = members.first() else {
        return;
    };
    for (group, tables) in groups {
        if group == main {
            continue;
        }
        for (table, distribution) in tables {
            let why = if distribution.tenant_type == of_main.tenant_type {
                String::new()
            } else {
                format!(
                    "; its tenant column is {}, theirs {}",
                    distribution.tenant_type, of_main.tenant_type
                )
            };
            findings.push(Finding::new(
                Code::SeveralGroups,
                table.name(),
                format!("it is not colocated with {}{why}", some(&members)),
                "distribute it with colocate_with => 'another tenant table', by a column of the same type \
                 and collation",
            ));
        }
    }
}

fn some(members: &[(&Table, &Distribution)]) -> String {
    const SHOWN: usize = 3;
    let names = joined(members.iter().take(SHOWN).map(|(table, _)| table.name()));
    match members.len().checked_sub(SHOWN) {
        Some(more) if more > 0 => format!("{names} and {more} more"),
        _ => names,
    }
}
