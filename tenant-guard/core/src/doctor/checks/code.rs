//! Code that runs with statements on a tenant table: triggers, rules, expressions, policies.

use super::{Subject, TenantTable, joined};
use crate::builtin::is_safe_function;
use crate::doctor::{Code, Expression, Finding, Place, Routine};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for table in subject.tenant_tables() {
        for trigger in &table.relation.triggers {
            findings.push(Finding::new(
                Code::Trigger,
                table.part(&trigger.name),
                format!("it runs {}", trigger.function),
                "read its function; if it meets only the rows of the tenant whose row it is given, allow it",
            ));
        }
        for rule in &table.relation.rules {
            findings.push(Finding::new(
                Code::Rule,
                table.part(rule),
                "it rewrites statements on the table",
                "drop it; a trigger can do the same and is given the row",
            ));
        }
        for expression in &table.relation.expressions {
            findings.extend(unsafe_calls(subject, &table, expression));
        }
        findings.extend(row_security(&table));
        if subject.facts.citus.is_some() {
            findings.extend(restrictive_policies(&table));
        }
    }
}

fn unsafe_calls(
    subject: &Subject<'_>,
    table: &TenantTable<'_>,
    expression: &Expression,
) -> Option<Finding> {
    let unknown: Vec<&Routine> = expression
        .calls
        .iter()
        .filter(|function| !is_safe(subject, expression.place, function))
        .collect();
    if unknown.is_empty() {
        return None;
    }
    let place = match expression.place {
        Place::Check => "a check constraint",
        Place::Default => "a default",
        Place::Domain => "a column's domain",
        Place::Generated => "a generated column",
        Place::Index => "an index",
        Place::Policy => "a policy",
    };
    Some(Finding::new(
        Code::UnsafeExpression,
        table.part(&expression.name),
        format!("{place} calls {}", joined(unknown)),
        "read the function; if what it returns depends on nothing but its arguments, allow the function",
    ))
}

fn is_safe(subject: &Subject<'_>, place: Place, function: &Routine) -> bool {
    let is_builtin = match &function.schema {
        Some(schema) => schema.as_str() == "pg_catalog",
        None => !subject.tenancy.is_user_function(function.name.as_str()),
    };
    // A policy compares with a setting of the session; that is what policies are for.
    let of_policy = place == Place::Policy && function.name.as_str() == "current_setting";
    (is_builtin && (of_policy || is_safe_function(function.name.as_str())))
        || subject.exceptions.is_safe_function(&function.name)
}

fn restrictive_policies(table: &TenantTable<'_>) -> impl Iterator<Item = Finding> {
    let restrictive = table
        .relation
        .policies
        .iter()
        .filter(|policy| !policy.permissive);
    restrictive.map(|policy| {
        Finding::new(
            Code::RestrictivePolicy,
            table.part(&policy.name),
            "it is RESTRICTIVE on the coordinator alone",
            "put its condition into each permissive policy of the table, and drop it",
        )
    })
}

fn row_security(table: &TenantTable<'_>) -> Option<Finding> {
    let relation = table.relation;
    if !relation.row_security && relation.policies.is_empty() {
        return None;
    }
    let state = match (relation.row_security, relation.row_security_forced) {
        (false, _) => "it is off, so that its policies do nothing",
        (true, false) => "it is on, but not for the owner of the table",
        (true, true) => "it is on, for the owner of the table, too",
    };
    let policies = if relation.policies.is_empty() {
        "no policy, so that no row is seen".to_owned()
    } else {
        let shown = relation.policies.iter().map(|policy| {
            let kind = if policy.permissive {
                ""
            } else {
                " (restrictive)"
            };
            format!("{}{kind}", policy.name)
        });
        format!("policies {}", joined(shown))
    };
    Some(Finding::new(
        Code::RowSecurity,
        &relation.table,
        format!("{state}; {policies}"),
        "have `tenant-guard rls` write policies that say the same as the guard, or allow it",
    ))
}
