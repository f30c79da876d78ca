//! Functions, types, operators and columns: only names that are known to be safe.

use crate::builtin::{Basis, Class, Danger, function_class, is_operator, is_safe_type};
use crate::facts::{Call, ColumnName, Expressions, FieldName, QualifiedName, Span};
use crate::policy::Declared;
use crate::{Code, Ident, Refusal};

use super::Decider;
use super::scope::Scope;

impl Decider<'_> {
    pub(super) fn check_names(
        &mut self,
        expressions: &Expressions,
        scope: &Scope<'_>,
    ) -> Result<(), Refusal> {
        if expressions.assigns_element {
            return Err(assigned_element());
        }
        expressions
            .functions
            .iter()
            .try_for_each(|function| self.check_function(function))?;
        expressions
            .constructors
            .iter()
            .try_for_each(|name| self.check_constructor(name))?;
        expressions
            .casts
            .iter()
            .try_for_each(|cast| self.check_type(&cast.type_name))?;
        expressions
            .operators
            .iter()
            .try_for_each(|operator| self.check_operator(operator))?;
        expressions
            .fields
            .iter()
            .try_for_each(|field| self.check_field(field))?;
        expressions.columns.iter().try_for_each(|column| {
            check_column(column, scope)?;
            self.check_plain_name(column, scope)
        })
    }

    fn check_function(&mut self, call: &Call) -> Result<(), Refusal> {
        let name = call.name.name.as_str();
        if name == "nextval" && self.tenancy.is_schema_per_tenant() {
            return Err(Refusal::new(
                Code::UnknownFunction,
                "nextval finds a sequence by a name in a text, which may be another tenant's",
                "let the column's default call it: the default knows its own schema's sequence",
            )
            .at(call.name.span.clone()));
        }
        let is_qualified = call.name.schema.is_some();
        let builtin = match call.name.schema.as_ref().map(Ident::as_str) {
            // The grammar's own calls (EXTRACT, POSITION, …) come with their schema.
            None | Some("pg_catalog") => function_class(name),
            Some(_) => None,
        };
        // An overload of the schema's own may win over the built-in.
        let is_shadowed = !is_qualified && self.tenancy.is_user_function(name);
        match (
            self.policy.function(call, self.tenancy.search_path()),
            builtin,
        ) {
            // The built-in may win over what was declared.
            (Declared::As(signature), Some(Class::Refused(danger)))
                if !signature.name.is_builtin() =>
            {
                Err(dangerous(
                    call,
                    danger,
                    "or call your function with its schema",
                ))
            }
            (Declared::As(_), _) => Ok(()),
            (_, Some(Class::Safe(basis))) if !is_shadowed => {
                // A sequence is changed: no standby can do that, and nobody may repeat it unasked.
                self.writes |= basis == Basis::Sequence;
                Ok(())
            }
            (_, Some(Class::Refused(danger))) => Err(dangerous(call, danger, "")),
            (Declared::Otherwise, _) => Err(Refusal::new(
                Code::UnknownFunction,
                format!("function {name} is declared, but not {}", arguments(call)),
                "declare this signature too, if it is as safe: Policy::allow_function",
            )
            .at(call.name.span.clone())),
            (Declared::Not, _) => Err(unknown_function(&call.name)),
        }
    }

    /// A word of the grammar, which on an older server is the call of a function of that name.
    fn check_constructor(&self, name: &QualifiedName) -> Result<(), Refusal> {
        if self.tenancy.is_user_function(name.name.as_str()) {
            return Err(unknown_function(name));
        }
        Ok(())
    }

    fn check_type(&self, type_name: &QualifiedName) -> Result<(), Refusal> {
        let name = type_name.name.as_str();
        let element = Ident::from(name.strip_prefix('_').unwrap_or(name));
        let schema = type_name.schema.as_ref();
        let is_builtin = is_safe_type(element.as_str());
        let allowed = match schema.map(Ident::as_str) {
            Some("pg_catalog") => is_builtin,
            Some(_) => self.tenancy.is_known_type(name),
            None => is_builtin || self.tenancy.is_known_type(name),
        };
        if allowed
            || self
                .policy
                .has_type(schema, &element, self.tenancy.search_path())
        {
            return Ok(());
        }
        Err(Refusal::new(
            Code::UnknownType,
            format!("type {name} is not known to be safe"),
            "declare an enum or composite type in the tenancy, an extension's with Policy::allow_type; types that name objects of the database, such as regclass, are never safe",
        )
        .at(type_name.span.clone()))
    }

    fn check_operator(&self, operator: &QualifiedName) -> Result<(), Refusal> {
        let is_builtin = operator
            .schema
            .as_ref()
            .is_none_or(|schema| schema.as_str() == "pg_catalog")
            && is_operator(operator.name.as_str());
        if is_builtin
            || self
                .policy
                .has_operator(operator, self.tenancy.search_path())
        {
            return Ok(());
        }
        Err(Refusal::new(
            Code::UnknownOperator,
            format!("operator {} is not one of PostgreSQL's own", operator.name),
            "use a built-in operator, or declare this one with Policy::allow_operator",
        )
        .at(operator.span.clone()))
    }

    fn check_field(&self, field: &FieldName) -> Result<(), Refusal> {
        check_system_column(&field.name, &field.span)?;
        let name = field.name.as_str();
        let known = self.tenancy.is_composite_field(name)
            || matches!(name, "key" | "value")
            || self.tenancy.tables().any(|table| table.has_column(name));
        if known && !self.tenancy.is_user_function(name) {
            return Ok(());
        }
        Err(not_a_column(name, &field.span))
    }
}

/// Citus takes it for the left side of the assignment when it writes the statement for a shard, and ends
/// the server (13.2.2: `UPDATE t SET n = a[1] FROM …`; also in a cast that changes nothing).
fn assigned_element() -> Refusal {
    Refusal::new(
        Code::UnknownSyntax,
        "an element of an array or of JSON is assigned as it is, by which Citus fails with all its sessions",
        "write coalesce(a[1]) instead of a[1]",
    )
}

fn unknown_function(function: &QualifiedName) -> Refusal {
    let name = &function.name;
    Refusal::new(
        Code::UnknownFunction,
        format!("function {name} is not known to be safe"),
        format!(
            "if it reads and writes no table and depends on its arguments alone, declare it with its signature: Policy::allow_function(\"{name}(…)\")"
        ),
    )
    .at(function.span.clone())
}

/// How many arguments a call gives, to stand in a sentence.
fn arguments(call: &Call) -> String {
    let count = match call.arguments {
        0 => "without arguments".to_owned(),
        1 => "with 1 argument".to_owned(),
        count => format!("with {count} arguments"),
    };
    if call.is_variadic {
        format!("{count} of which the last is VARIADIC")
    } else {
        count
    }
}

fn dangerous(call: &Call, danger: Danger, otherwise: &str) -> Refusal {
    let hint = match otherwise {
        "" => danger.hint().to_owned(),
        _ => format!("{}, {otherwise}", danger.hint()),
    };
    Refusal::new(
        Code::UnknownFunction,
        format!("function {} {}", call.name.name, danger.sentence()),
        hint,
    )
    .at(call.name.span.clone())
}

fn check_column(column: &ColumnName, scope: &Scope<'_>) -> Result<(), Refusal> {
    if let Some(name) = &column.name {
        check_system_column(name, &column.span)?;
    }
    let Some(qualifier) = &column.qualifier else {
        return match &column.name {
            Some(name) if scope.is_renamed_row(name) => Err(renamed_row(name, &column.span)),
            _ => Ok(()),
        };
    };
    if let Some(schema) = &column.schema {
        let mut items = scope.named(qualifier).peekable();
        let plain = items.peek().is_some()
            && items.all(|item| {
                item.plain_table
                    .as_ref()
                    .is_some_and(|table| table.schema == *schema && table.name == *qualifier)
            });
        if !plain {
            return Err(Refusal::new(
                Code::QualifiedColumn,
                format!("column {schema}.{qualifier}.… is named with its schema"),
                format!("write {qualifier}.… or give the table an alias"),
            )
            .at(column.span.clone()));
        }
    }
    match &column.name {
        Some(name) if !scope.is_column(qualifier, name) => {
            Err(not_a_column(&format!("{qualifier}.{name}"), &column.span))
        }
        _ => Ok(()),
    }
}

/// PostgreSQL names the fields of a table's row by the table, those of a sub-query's by its alias
/// (`ExecEvalWholeRowVar`, 15).
fn renamed_row(name: &Ident, span: &Span) -> Refusal {
    Refusal::new(
        Code::RelationUse,
        format!("the row {name} has renamed columns, whose names it would not keep as a value"),
        "leave the column names out of the alias, or name the columns that are needed",
    )
    .at(span.clone())
}

fn not_a_column(name: &str, span: &Span) -> Refusal {
    Refusal::new(
        Code::UnknownColumn,
        format!("{name} is not a known column, so it may be a function call"),
        "name the column in the tenancy, give the output of the sub-query a name, or call the function as such",
    )
    .at(span.clone())
}

/// `ddsystemcols`, PostgreSQL 15 `src/include/catalog/heap.c` (`SysAtt`).
fn check_system_column(name: &Ident, span: &Span) -> Result<(), Refusal> {
    if !matches!(
        name.as_str(),
        "ctid" | "xmin" | "xmax" | "cmin" | "cmax" | "tableoid"
    ) {
        return Ok(());
    }
    Err(Refusal::new(
        Code::SystemColumn,
        format!("system column {name} says where and when a row was stored"),
        "use the table's own key",
    )
    .at(span.clone()))
}
