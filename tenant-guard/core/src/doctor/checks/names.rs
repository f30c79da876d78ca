//! Who may put something in the way of PostgreSQL's own names, and who has.

use super::Subject;
use crate::Ident;
use crate::builtin::{is_operator, is_safe_function, is_safe_type};
use crate::doctor::{Code, Finding, Routine};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for schema in &subject.facts.schemas {
        if schema.public_create && is_on_path(subject, &schema.name) {
            findings.push(Finding::new(
                Code::PublicCreate,
                &schema.name,
                "PUBLIC has the privilege CREATE on it",
                format!(
                    "REVOKE CREATE ON SCHEMA {} FROM PUBLIC, on every node",
                    schema.name.quoted()
                ),
            ));
        }
    }
    for function in &subject.facts.functions {
        findings.extend(self::function(subject, function));
    }
    for operator in &subject.facts.operators {
        if found_unqualified(subject, operator) && is_operator(operator.name.as_str()) {
            findings.push(shadows(
                format!("operator {operator}"),
                "its operands' types can fit a guarded statement better than those of PostgreSQL's own",
            ));
        }
    }
    for name in &subject.facts.types {
        let before = name
            .schema
            .as_ref()
            .is_some_and(|schema| is_before_builtins(subject, schema));
        if before && is_safe_type(name.name.as_str()) {
            findings.push(shadows(
                format!("type {name}"),
                "its schema comes before pg_catalog in the search path",
            ));
        }
    }
    for cast in &subject.facts.casts {
        if let Some(function) = &cast.function
            && !subject.exceptions.is_safe_function(&function.name)
        {
            findings.push(shadows(
                format!("cast {} -> {}", cast.source, cast.target),
                &format!("it runs {function} wherever such a value is converted"),
            ));
        }
    }
}

fn function(subject: &Subject<'_>, function: &Routine) -> Option<Finding> {
    let name = function.name.as_str();
    if !is_safe_function(name) || !found_unqualified(subject, function) {
        return None;
    }
    if !subject.tenancy.is_user_function(name) {
        return Some(shadows(
            format!("function {function}"),
            "the tenancy does not know it, so that the guard takes its calls for the built-in's",
        ));
    }
    Some(Finding::new(
        Code::RefusedName,
        format!("function {function}"),
        "the built-in function of this name is known to be safe, this one is not",
        "rename it, or allow the function in the guard's policy if both are safe",
    ))
}

fn shadows(object: String, message: &str) -> Finding {
    Finding::new(
        Code::Shadowing,
        object,
        message,
        "rename it or move it to a schema outside of the search path; if it depends on nothing but its \
         operands, allow it",
    )
}

fn found_unqualified(subject: &Subject<'_>, routine: &Routine) -> bool {
    let on_path = |schema| is_on_path(subject, schema);
    routine.schema.as_ref().is_none_or(on_path)
}

/// On the tenancy's path, which a driver sets, or on the one that a session has by itself.
fn is_on_path(subject: &Subject<'_>, schema: &Ident) -> bool {
    subject.tenancy.search_path().contains(schema) || subject.facts.search_path.contains(schema)
}

/// `pg_catalog` is looked through first, unless the path names it.
fn is_before_builtins(subject: &Subject<'_>, schema: &Ident) -> bool {
    [subject.tenancy.search_path(), &subject.facts.search_path]
        .iter()
        .any(|path| {
            let place = |name: &str| path.iter().position(|known| known.as_str() == name);
            match (place("pg_catalog"), place(schema.as_str())) {
                (Some(builtins), Some(own)) => own < builtins,
                _ => false,
            }
        })
}
