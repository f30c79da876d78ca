//! Triggers, policies and row-level security: they hang on a table, and only the doctor wants to know.

use super::super::Ident;
use super::call::called_functions;
use super::cursor::{Cursor, Name};
use super::details::{Details, PolicyDetails};
use super::error::MigrationProblem as Problem;
use super::schema::Schema;

/// Statements about triggers and policies, which change nothing that the guard has to know.
pub(super) fn follow(schema: &mut Schema, statement: Cursor<'_>) {
    let mut at = statement;
    let read = if at.eat("CREATE") {
        at.eat("OR REPLACE");
        at.eat("CONSTRAINT");
        if at.eat("TRIGGER") {
            create_trigger(schema, at)
        } else if at.eat("POLICY") {
            create_policy(schema, at)
        } else {
            return;
        }
    } else if at.eat("DROP TRIGGER") {
        drop_on_table(schema, at, |details, name| {
            details.triggers.remove(name);
        })
    } else if at.eat("DROP POLICY") {
        drop_on_table(schema, at, |details, name| {
            details.policies.remove(name);
        })
    } else if at.sees("ALTER TRIGGER") || at.sees("ALTER POLICY") {
        Err(Problem::misread("a change that is not followed", at))
    } else {
        return;
    };
    schema.unread |= read.is_err();
}

/// `name … ON table … EXECUTE FUNCTION f(…)`
fn create_trigger(schema: &mut Schema, at: Cursor<'_>) -> Result<(), Problem> {
    let mut head = at;
    let name = head.ident()?;
    let (Some(mut on), Some(mut runs)) = (head.find("ON"), head.find("EXECUTE")) else {
        return Err(Problem::misread("a trigger could not be read", at));
    };
    on.eat("ON");
    runs.eat("EXECUTE");
    runs.eat_any(&["FUNCTION", "PROCEDURE"]);
    let function = runs.name()?;
    of_table(schema, &on.name()?, |details| {
        details.triggers.insert(name, function);
    });
    Ok(())
}

/// `[IF EXISTS] name ON table`
fn drop_on_table(
    schema: &mut Schema,
    mut at: Cursor<'_>,
    drop: impl Fn(&mut Details, &Ident),
) -> Result<(), Problem> {
    at.eat("IF EXISTS");
    let name = at.ident()?;
    if !at.eat("ON") {
        return Err(Problem::misread("the table is missing", at));
    }
    of_table(schema, &at.name()?, |details| drop(details, &name));
    Ok(())
}

/// `name ON table [AS kind] … [USING (…)] [WITH CHECK (…)]`
fn create_policy(schema: &mut Schema, mut at: Cursor<'_>) -> Result<(), Problem> {
    let name = at.ident()?;
    if !at.eat("ON") {
        return Err(Problem::misread("the table of a policy is missing", at));
    }
    let table = at.name()?;
    let mut calls = Vec::new();
    for clause in ["USING", "CHECK"] {
        if let Some(mut expression) = at.find(clause) {
            expression.next();
            calls.extend(expression.group().map(called_functions).unwrap_or_default());
        }
    }
    let policy = PolicyDetails {
        permissive: !at.sees("AS RESTRICTIVE"),
        calls,
    };
    of_table(schema, &table, |details| {
        details.policies.insert(name, policy);
    });
    Ok(())
}

/// `ALTER TABLE table {ENABLE | DISABLE | FORCE | NO FORCE} ROW LEVEL SECURITY`; other actions are
/// passed over.
pub(super) fn row_security(schema: &mut Schema, table: &Name, action: Cursor<'_>) {
    of_table(schema, table, |details| {
        for (words, on, forced) in [
            ("ENABLE ROW LEVEL SECURITY", Some(true), None),
            ("DISABLE ROW LEVEL SECURITY", Some(false), None),
            ("FORCE ROW LEVEL SECURITY", None, Some(true)),
            ("NO FORCE ROW LEVEL SECURITY", None, Some(false)),
        ] {
            if action.sees(words) {
                details.row_security = on.unwrap_or(details.row_security);
                details.row_security_forced = forced.unwrap_or(details.row_security_forced);
            }
        }
    });
}

/// Of what is no table of the migrations nothing is kept.
fn of_table(schema: &mut Schema, written: &Name, change: impl FnOnce(&mut Details)) {
    if let Ok(table) = schema.find_table(written)
        && let Ok(state) = schema.table_mut(&table)
    {
        change(&mut state.details);
    }
}
