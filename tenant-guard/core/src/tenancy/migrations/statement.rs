//! What each kind of statement does to the schema.

use super::super::TableName;
use super::cursor::Cursor;
use super::error::MigrationProblem as Problem;
use super::schema::{Relation, Schema};
use super::{alter_table, block, call, citus, create_table, index, literal, on_table, types, view};
use crate::lexer::Kind;

/// Kinds of statements that change no table, column, key, type or distribution, by their first
/// keywords. Whatever is not here and not read below is an error.
#[rustfmt::skip]
const IRRELEVANT: &[&str] = &[
    "ALTER AGGREGATE", "ALTER COLLATION", "ALTER CONVERSION", "ALTER DEFAULT PRIVILEGES",
    "ALTER EVENT TRIGGER", "ALTER EXTENSION", "ALTER FOREIGN DATA WRAPPER", "ALTER GROUP",
    "ALTER LANGUAGE", "ALTER LARGE OBJECT", "ALTER OPERATOR", "ALTER POLICY", "ALTER PUBLICATION",
    "ALTER ROLE", "ALTER RULE", "ALTER SERVER", "ALTER STATISTICS", "ALTER SUBSCRIPTION",
    "ALTER SYSTEM", "ALTER TABLESPACE", "ALTER TEXT SEARCH", "ALTER TRIGGER", "ALTER USER",
    "ANALYSE", "ANALYZE", "CHECKPOINT", "CLOSE", "CLUSTER", "COMMENT", "COPY",
    "CREATE ACCESS METHOD", "CREATE COLLATION", "CREATE CONSTRAINT TRIGGER", "CREATE CONVERSION",
    "CREATE DATABASE", "CREATE EVENT TRIGGER", "CREATE EXTENSION", "CREATE FOREIGN DATA WRAPPER",
    "CREATE GROUP", "CREATE LANGUAGE", "CREATE OPERATOR CLASS", "CREATE OPERATOR FAMILY",
    "CREATE OR REPLACE LANGUAGE", "CREATE OR REPLACE TRIGGER", "CREATE POLICY",
    "CREATE PROCEDURAL LANGUAGE", "CREATE PUBLICATION", "CREATE ROLE", "CREATE SERVER",
    "CREATE STATISTICS", "CREATE SUBSCRIPTION", "CREATE TABLESPACE", "CREATE TEXT SEARCH",
    "CREATE TRIGGER", "CREATE TRUSTED LANGUAGE", "CREATE USER", "DEALLOCATE", "DECLARE", "DELETE",
    "DISCARD PLANS", "DISCARD SEQUENCES", "DROP ACCESS METHOD", "DROP AGGREGATE", "DROP CAST",
    "DROP COLLATION", "DROP CONVERSION", "DROP DATABASE", "DROP EVENT TRIGGER", "DROP EXTENSION",
    "DROP FOREIGN DATA WRAPPER", "DROP FUNCTION", "DROP GROUP", "DROP LANGUAGE", "DROP OPERATOR",
    "DROP POLICY", "DROP PROCEDURE", "DROP PUBLICATION", "DROP ROLE", "DROP ROUTINE",
    "DROP RULE", "DROP SERVER", "DROP STATISTICS", "DROP SUBSCRIPTION", "DROP TABLESPACE",
    "DROP TEXT SEARCH", "DROP TRANSFORM", "DROP TRIGGER", "DROP USER", "GRANT",
    "IMPORT FOREIGN SCHEMA", "INSERT", "LISTEN", "LOAD", "LOCK", "MERGE", "NOTIFY", "REASSIGN", "REFRESH",
    "REINDEX", "RELEASE", "REVOKE", "SAVEPOINT", "SECURITY LABEL", "SHOW", "TABLE", "TRUNCATE",
    "UNLISTEN", "UPDATE", "VACUUM", "VALUES",
];

/// Functions beyond the guard's own safe ones that change no table.
#[rustfmt::skip]
const HARMLESS_FUNCTIONS: &[&str] = &[
    "current_setting", "currval", "lastval", "nextval", "pg_advisory_lock", "pg_advisory_unlock",
    "pg_advisory_unlock_all", "pg_advisory_xact_lock", "pg_get_serial_sequence", "pg_notify",
    "pg_sleep", "pg_try_advisory_lock", "pg_try_advisory_xact_lock", "setval", "to_regclass",
    "version",
];

/// Applies one statement other than those that begin and end transactions.
pub(super) fn apply(schema: &mut Schema, statement: Cursor<'_>) -> Result<(), Problem> {
    let mut at = statement;
    on_table::follow(schema, statement);
    if IRRELEVANT.iter().any(|words| at.sees(words)) {
        return irrelevant(at);
    }
    if at.eat("CREATE") {
        create(schema, at)
    } else if at.eat("ALTER") {
        alter(schema, at)
    } else if at.eat("DROP") {
        drop(schema, at)
    } else if at.eat("SELECT") {
        select(schema, at)
    } else if at.sees("WITH") {
        with(schema, at)
    } else if at.eat("SET") {
        set(schema, at)
    } else if at.eat("RESET") || at.eat("DISCARD") {
        if at.sees("ALL") || at.sees("search_path") {
            schema.path.reset();
        }
        Ok(())
    } else if at.eat("DO") {
        block::run(schema, at)
    } else if at.eat("CALL") {
        Err(Problem::Hidden {
            what: "a procedure".to_owned(),
        })
    } else if at
        .peek()
        .is_some_and(|token| token.kind == Kind::PsqlCommand)
    {
        psql_command(at)
    } else {
        Err(Problem::UnknownStatement)
    }
}

/// A statement that changes rows may still call one of Citus' functions in a sub-select.
fn irrelevant(statement: Cursor<'_>) -> Result<(), Problem> {
    let mover = call::called_functions(statement)
        .into_iter()
        .find(|function| citus::is_followed(function.as_str()));
    match mover {
        Some(function) => Err(Problem::Hidden {
            what: format!("a statement that calls {function}"),
        }),
        None => Ok(()),
    }
}

fn create(schema: &mut Schema, mut at: Cursor<'_>) -> Result<(), Problem> {
    let replaces = at.eat("OR REPLACE");
    let temporary = at.eat_any(&[
        "GLOBAL TEMPORARY",
        "GLOBAL TEMP",
        "LOCAL TEMPORARY",
        "LOCAL TEMP",
    ]) || at.eat_any(&["TEMPORARY", "TEMP"]);
    at.eat("UNLOGGED");
    if !replaces && at.eat("TABLE") {
        create_table::create(schema, at, temporary)
    } else if at.eat("UNIQUE INDEX") {
        index::create(schema, at, true)
    } else if at.eat("INDEX") {
        index::create(schema, at, false)
    } else if at.eat("VIEW") {
        view::create(schema, at, replaces, temporary, false)
    } else if at.eat("RECURSIVE VIEW") {
        view::create(schema, at, replaces, temporary, true)
    } else if at.eat("MATERIALIZED VIEW") {
        other(
            schema,
            at,
            temporary,
            Relation::Opaque("a materialized view"),
        )
    } else if at.eat("FOREIGN TABLE") {
        other(schema, at, temporary, Relation::Opaque("a foreign table"))
    } else if at.eat("SEQUENCE") {
        other(schema, at, temporary, Relation::Sequence)
    } else if at.eat("TYPE") {
        types::create(schema, at)
    } else if at.eat("DOMAIN") {
        types::create_domain(schema, at)
    } else if at.eat_any(&["FUNCTION", "PROCEDURE", "AGGREGATE"]) {
        schema.functions.insert(at.name()?.name);
        Ok(())
    } else if at.eat("SCHEMA") {
        create_schema(at)
    } else if at.sees("RULE") {
        Err(Problem::Unsupported {
            what: "a rewrite rule, which changes what statements do,",
            fix: "Use a trigger, or, if it concerns no tenant table, put the comment \
                  `-- tenant-guard: ignore` before it.",
        })
    } else if at.sees("OPERATOR") || at.sees("CAST") || at.sees("TRANSFORM") {
        Err(Problem::Unsupported {
            what: "code behind an operator or a cast",
            fix: "If its function depends on nothing but its arguments and reads no table, put the \
                  comment `-- tenant-guard: ignore` before it.",
        })
    } else {
        Err(Problem::UnknownStatement)
    }
}

fn other(
    schema: &mut Schema,
    mut at: Cursor<'_>,
    temporary: bool,
    relation: Relation,
) -> Result<(), Problem> {
    at.eat("IF NOT EXISTS");
    let name = schema.place(&at.name()?, temporary)?;
    schema.insert_other(name, relation)
}

/// A schema may be created together with its tables; that is not read.
fn create_schema(at: Cursor<'_>) -> Result<(), Problem> {
    if at.find("CREATE").is_some() {
        return Err(Problem::Unsupported {
            what: "CREATE SCHEMA with elements",
            fix: "Create the schema first and its tables after it.",
        });
    }
    Ok(())
}

fn alter(schema: &mut Schema, mut at: Cursor<'_>) -> Result<(), Problem> {
    if at.eat("TABLE") {
        alter_table::alter(schema, at)
    } else if at.eat_any(&["VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "SEQUENCE"]) {
        // Of what no migration has made, such as a serial column's sequence, nothing is followed.
        match alter_table::alter(schema, at) {
            Err(Problem::UnknownTable { .. }) => Ok(()),
            result => result,
        }
    } else if at.eat("INDEX") {
        if at.sees("ALL IN TABLESPACE") {
            return Ok(());
        }
        at.eat("IF EXISTS");
        let name = at.name()?;
        index::alter(schema, &name, at)
    } else if at.eat_any(&["TYPE", "DOMAIN"]) {
        types::alter(schema, at)
    } else if at.eat_any(&["FUNCTION", "PROCEDURE", "ROUTINE"]) {
        if let Some(mut renamed) = at.find("RENAME TO") {
            renamed.eat("RENAME TO");
            schema.functions.insert(renamed.ident()?);
        }
        Ok(())
    } else if at.eat("SCHEMA") {
        let from = at.ident()?;
        if at.eat("RENAME TO") {
            let to = at.ident()?;
            schema.rename_schema(&from, &to)?;
        }
        Ok(())
    } else if at.eat("DATABASE") {
        at.ident()?;
        if at.eat("SET search_path") {
            assignment(&mut at)?;
            schema.path.set_default(at)?;
        }
        Ok(())
    } else {
        Err(Problem::UnknownStatement)
    }
}

fn drop(schema: &mut Schema, mut at: Cursor<'_>) -> Result<(), Problem> {
    if at.eat("INDEX") {
        return index::drop(schema, at);
    }
    if at.eat_any(&["TYPE", "DOMAIN"]) {
        return types::drop(schema, at);
    }
    if at.eat("SCHEMA") {
        at.eat("IF EXISTS");
        for mut item in at.list() {
            schema.drop_schema(&item.ident()?);
        }
        return Ok(());
    }
    let is_table = at.eat("TABLE");
    if !is_table && !at.eat_any(&["VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "SEQUENCE"]) {
        return Err(Problem::UnknownStatement);
    }
    let if_exists = at.eat("IF EXISTS");
    for mut item in at.list() {
        let written = item.name()?;
        match schema.find(&written)? {
            Some(name) if schema.table(&name).is_ok() == is_table => schema.remove(&name),
            _ if if_exists || !is_table => {}
            _ => {
                return Err(Problem::UnknownTable {
                    name: written.to_string(),
                });
            }
        }
    }
    Ok(())
}

/// A query in a migration is there for what its functions do.
fn select(schema: &mut Schema, at: Cursor<'_>) -> Result<(), Problem> {
    if let Some(mut into) = at.find("INTO") {
        into.eat("INTO");
        let temporary = into.eat_any(&["TEMPORARY", "TEMP"]);
        into.eat("UNLOGGED");
        into.eat("TABLE");
        let name: TableName = schema.place(&into.name()?, temporary)?;
        create_table::from_query(schema, name)?;
    }
    let functions = call::called_functions(at);
    let is_followed = |function: &str| citus::is_followed(function) || function == "set_config";
    if functions
        .iter()
        .any(|function| is_followed(function.as_str()))
    {
        let Some(calls) = call::calls(at)? else {
            return Err(Problem::Hidden {
                what: "a query with calls whose arguments are no constants".to_owned(),
            });
        };
        for call in calls {
            match call.function.as_str() {
                "set_config" => set_config(schema, &call)?,
                function if citus::is_followed(function) => citus::apply(schema, &call)?,
                function => require_harmless(function)?,
            }
        }
        return Ok(());
    }
    require_harmless_calls(at)
}

/// That no function is called that may change tables.
pub(super) fn require_harmless_calls(text: Cursor<'_>) -> Result<(), Problem> {
    call::called_functions(text)
        .iter()
        .try_for_each(|function| require_harmless(function.as_str()))
}

/// A statement with common table expressions: a query, or a change of rows.
fn with(schema: &mut Schema, statement: Cursor<'_>) -> Result<(), Problem> {
    let changes_rows = ["INSERT", "UPDATE", "DELETE", "MERGE"]
        .iter()
        .any(|word| statement.find(word).is_some());
    if changes_rows {
        irrelevant(statement)
    } else {
        select(schema, statement)
    }
}

fn require_harmless(function: &str) -> Result<(), Problem> {
    let harmless = crate::builtin::is_safe_function(function)
        || HARMLESS_FUNCTIONS.contains(&function)
        || citus::HARMLESS.contains(&function);
    if harmless {
        return Ok(());
    }
    Err(Problem::Hidden {
        what: format!("function {function}"),
    })
}

fn set_config(schema: &mut Schema, call: &call::Call) -> Result<(), Problem> {
    let setting = call.string(0, "setting_name")?.unwrap_or_default();
    if setting.eq_ignore_ascii_case("search_path") {
        let value = call.string(1, "new_value")?.unwrap_or_default();
        schema.path.set_config(value, call.is_true(2, "is_local"));
    }
    Ok(())
}

fn set(schema: &mut Schema, mut at: Cursor<'_>) -> Result<(), Problem> {
    let local = at.eat("LOCAL");
    at.eat("SESSION");
    if at.eat("SCHEMA") {
        return schema.path.set(at, local);
    }
    if at.eat("search_path") {
        assignment(&mut at)?;
        return schema.path.set(at, local);
    }
    let Ok(name) = at.name() else {
        return Ok(());
    };
    let mut value = at;
    if name.to_string() == "citus.shard_count" && assignment(&mut value).is_ok() {
        schema.colocation.shard_count = shard_count(value)?;
    }
    let is_off = |mut at: Cursor<'_>| {
        assignment(&mut at).is_ok()
            && ["off", "false", "'off'", "'false'", "0", "no"]
                .iter()
                .any(|word| at.rest().eq_ignore_ascii_case(word))
    };
    if name.to_string() == "standard_conforming_strings" && is_off(at) {
        return Err(Problem::Unsupported {
            what: "standard_conforming_strings = off",
            fix: "Write strings with backslash escapes as E'…' and leave the setting on.",
        });
    }
    Ok(())
}

/// Takes `TO` or `=`.
fn assignment(at: &mut Cursor<'_>) -> Result<(), Problem> {
    if at.eat("TO") {
        return Ok(());
    }
    match at.peek() {
        Some(token) if at.slice(token) == "=" => {
            at.next();
            Ok(())
        }
        _ => Err(Problem::misread("a value is missing", *at)),
    }
}

fn shard_count(at: Cursor<'_>) -> Result<u32, Problem> {
    let written = at.rest();
    let digits = if written.starts_with('\'') {
        literal::plain_string(written)?
    } else {
        written.to_owned()
    };
    if digits.eq_ignore_ascii_case("default") {
        return Ok(super::colocation::Colocation::default().shard_count);
    }
    digits
        .parse()
        .map_err(|_| Problem::misread("a number of shards could not be read", at))
}

/// psql's own commands that do nothing to the database, as `pg_dump` writes some of them.
fn psql_command(at: Cursor<'_>) -> Result<(), Problem> {
    const HARMLESS: &[&str] = &[
        "echo",
        "encoding",
        "pset",
        "q",
        "qecho",
        "restrict",
        "set",
        "timing",
        "unrestrict",
        "unset",
        "warn",
        "x",
    ];
    let name = at.rest().trim_start_matches('\\');
    let name = name.split_whitespace().next().unwrap_or_default();
    if HARMLESS.contains(&name) {
        return Ok(());
    }
    Err(Problem::Hidden {
        what: "a psql command".to_owned(),
    })
}
