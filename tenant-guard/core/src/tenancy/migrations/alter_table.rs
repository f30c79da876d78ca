//! `ALTER TABLE`.

use super::super::{Ident, TableName};
use super::create_table::{self, INHERITANCE, add_key};
use super::cursor::{Cursor, Name};
use super::definition;
use super::details::Details;
use super::error::MigrationProblem as Problem;
use super::index;
use super::key::{self, Label};
use super::on_table;
use super::schema::{Placement, Schema};
use super::view;

/// Actions that change neither columns nor keys nor names.
const IRRELEVANT: &[&str] = &[
    "OWNER TO",
    "ENABLE",
    "DISABLE",
    "FORCE ROW",
    "NO FORCE",
    "VALIDATE CONSTRAINT",
    "CLUSTER ON",
    "SET WITHOUT",
    "SET LOGGED",
    "SET UNLOGGED",
    "SET TABLESPACE",
    "SET ACCESS",
    "REPLICA IDENTITY",
    "ALTER CONSTRAINT",
    "RESET",
    "NOT OF",
    "NO INHERIT",
];

/// Reads from behind `ALTER TABLE` (or `ALTER VIEW` and its kin, of which names are followed).
pub(super) fn alter(schema: &mut Schema, mut at: Cursor<'_>) -> Result<(), Problem> {
    if at.sees("ALL IN TABLESPACE") {
        return Ok(());
    }
    let if_exists = at.eat("IF EXISTS");
    at.eat("ONLY");
    let written = at.name()?;
    if at.peek().is_some_and(|token| at.slice(token) == "*") {
        at.next();
    }
    if let Some(name) = schema.find(&written)? {
        view::alter(schema, &name, at)?;
    }
    for action in at.list() {
        on_table::row_security(schema, &written, action);
    }
    let actions = relevant_actions(at);
    if actions.is_empty() {
        return Ok(());
    }
    let name = match schema.find(&written)? {
        Some(name) => name,
        None if schema.find_index(&written)?.is_some() => {
            return index::alter(schema, &written, at);
        }
        None if if_exists => return Ok(()),
        None => return Err(unknown(&written)),
    };
    if schema.table(&name).is_err() {
        return alter_other(schema, &name, at);
    }
    for action in actions {
        apply(schema, &name, action)?;
    }
    Ok(())
}

fn unknown(written: &Name) -> Problem {
    Problem::UnknownTable {
        name: written.to_string(),
    }
}

fn relevant_actions(at: Cursor<'_>) -> Vec<Cursor<'_>> {
    let irrelevant = |action: &Cursor<'_>| {
        let mut options = *action;
        IRRELEVANT.iter().any(|words| action.sees(words))
            || (options.eat("SET") && options.sees_punctuation(b'('))
    };
    at.list()
        .into_iter()
        .filter(|action| !irrelevant(action))
        .collect()
}

/// A view or the like: its name alone is followed.
fn alter_other(schema: &mut Schema, name: &TableName, mut at: Cursor<'_>) -> Result<(), Problem> {
    if at.eat("RENAME TO") {
        let to = TableName::new(name.schema.clone(), at.ident()?);
        return schema.rename(name, &to);
    }
    if at.eat("SET SCHEMA") {
        let to = TableName::new(at.ident()?, name.name.clone());
        return schema.rename(name, &to);
    }
    Ok(())
}

fn apply(schema: &mut Schema, table: &TableName, mut at: Cursor<'_>) -> Result<(), Problem> {
    if at.sees("RENAME TO") || at.sees("SET SCHEMA") {
        alter_other(schema, table, at)
    } else if at.eat("RENAME CONSTRAINT") {
        rename_constraint(schema, table, at)
    } else if at.eat("RENAME") {
        at.eat("COLUMN");
        rename_column(schema, table, at)
    } else if at.eat("ADD") {
        add(schema, table, at)
    } else if at.eat("DROP CONSTRAINT") {
        at.eat("IF EXISTS");
        let name = at.ident()?;
        let state = schema.table_mut(table)?;
        state
            .keys
            .retain(|key| !(key.is_constraint() && key.name == name));
        state.details.constraints.remove(&name);
        Ok(())
    } else if at.eat("DROP") {
        at.eat("COLUMN");
        drop_column(schema, table, at)
    } else if at.eat("ALTER") {
        at.eat("COLUMN");
        alter_column(schema, table, at)
    } else if at.eat("ATTACH PARTITION") {
        attach(schema, table, at)
    } else if at.eat("DETACH PARTITION") {
        detach(schema, at)
    } else if at.sees("INHERIT") {
        Err(INHERITANCE)
    } else {
        Err(Problem::misread(
            "a change of a table could not be read",
            at,
        ))
    }
}

fn add(schema: &mut Schema, table: &TableName, mut at: Cursor<'_>) -> Result<(), Problem> {
    if create_table::is_constraint(at) {
        add_constraint(schema, table, at)?;
        return with_details(schema, table, |details, schema| {
            details.table_constraint(schema, table, at);
        });
    }
    at.eat("COLUMN");
    let if_not_exists = at.eat("IF NOT EXISTS");
    let (column, keys) = create_table::column(at)?;
    if schema
        .columns(table)?
        .iter()
        .any(|known| known.name == column.name)
    {
        if if_not_exists {
            return Ok(());
        }
        return Err(Problem::Exists {
            name: format!("column {} of {table}", column.name),
        });
    }
    for member in family(schema, table) {
        schema.columns_changed(&member, &column.name);
    }
    if let Some(columns) = &mut schema.table_mut(table)?.columns {
        columns.push(column);
    }
    for key in keys {
        add_key(schema, table, key)?;
    }
    let added = at.ident()?;
    with_details(schema, table, |details, schema| {
        details.column_constraints(schema, table, &added, at);
    })
}

/// Changes a table's details while the schema is looked at.
fn with_details(
    schema: &mut Schema,
    table: &TableName,
    change: impl FnOnce(&mut Details, &Schema),
) -> Result<(), Problem> {
    let mut details = std::mem::take(&mut schema.table_mut(table)?.details);
    change(&mut details, schema);
    schema.table_mut(table)?.details = details;
    Ok(())
}

fn add_constraint(schema: &mut Schema, table: &TableName, at: Cursor<'_>) -> Result<(), Problem> {
    let mut head = at;
    let name = head.eat("CONSTRAINT").then(|| head.ident()).transpose()?;
    let label = if head.eat("PRIMARY KEY") {
        Label::PrimaryKey
    } else {
        head.eat("UNIQUE");
        Label::Unique
    };
    if !head.eat("USING INDEX") {
        if let Some(key) = key::table_constraint(at)? {
            add_key(schema, table, key)?;
        }
        return Ok(());
    }
    let index = head.ident()?;
    let keys = &mut schema.table_mut(table)?.keys;
    let Some(key) = keys.iter_mut().find(|key| key.name == index) else {
        return Err(Problem::Unread {
            what: format!("there is no index {index} on {table}"),
        });
    };
    key.label = label;
    key.name = name.unwrap_or(index);
    Ok(())
}

fn rename_constraint(
    schema: &mut Schema,
    table: &TableName,
    mut at: Cursor<'_>,
) -> Result<(), Problem> {
    let (from, to) = renaming(&mut at)?;
    for key in &mut schema.table_mut(table)?.keys {
        if key.name == from {
            key.name = to.clone();
        }
    }
    schema
        .table_mut(table)?
        .details
        .rename_constraint(&from, &to);
    Ok(())
}

fn renaming(at: &mut Cursor<'_>) -> Result<(Ident, Ident), Problem> {
    let from = at.ident()?;
    if !at.eat("TO") {
        return Err(Problem::misread("a new name is missing", *at));
    }
    Ok((from, at.ident()?))
}

fn rename_column(
    schema: &mut Schema,
    table: &TableName,
    mut at: Cursor<'_>,
) -> Result<(), Problem> {
    let (from, to) = renaming(&mut at)?;
    require_column(schema, table, &from)?;
    if schema.columns(table)?.iter().any(|known| known.name == to) {
        return Err(Problem::Exists {
            name: format!("column {to} of {table}"),
        });
    }
    for member in family(schema, table) {
        schema.columns_changed(&member, &from);
        schema.columns_changed(&member, &to);
        let state = schema.table_mut(&member)?;
        for column in state.columns.iter_mut().flatten() {
            if column.name == from {
                column.name = to.clone();
            }
        }
        for key in &mut state.keys {
            key.rename_column(&from, &to);
        }
        state.details.rename_column(&from, &to);
        if let Placement::Distributed { column, .. } = &mut state.placement
            && *column == from
        {
            *column = to.clone();
        }
    }
    for details in schema.all_details() {
        details.rename_target_column(table, &from, &to);
    }
    Ok(())
}

/// A table and all partitions below it, which share its columns.
fn family(schema: &Schema, table: &TableName) -> Vec<TableName> {
    schema
        .tables()
        .map(|(name, _)| name)
        .filter(|name| *name == table || schema.root(name) == table)
        .cloned()
        .collect()
}

fn require_column(schema: &Schema, table: &TableName, column: &Ident) -> Result<(), Problem> {
    if schema
        .columns(table)?
        .iter()
        .any(|known| known.name == *column)
    {
        return Ok(());
    }
    Err(Problem::UnknownColumn {
        table: table.to_string(),
        column: column.to_string(),
    })
}

fn drop_column(schema: &mut Schema, table: &TableName, mut at: Cursor<'_>) -> Result<(), Problem> {
    let if_exists = at.eat("IF EXISTS");
    let gone = at.ident()?;
    match require_column(schema, table, &gone) {
        Err(Problem::UnknownColumn { .. }) if if_exists => return Ok(()),
        found => found?,
    }
    refuse_for_tenant_column(schema, table, &gone)?;
    for member in family(schema, table) {
        schema.columns_changed(&member, &gone);
        let state = schema.table_mut(&member)?;
        if let Some(columns) = &mut state.columns {
            columns.retain(|column| column.name != gone);
        }
        state.keys.retain(|key| !key.needs.contains(&gone));
        state.details.drop_column(&gone);
    }
    for details in schema.all_details() {
        details.drop_target(table, Some(&gone));
    }
    Ok(())
}

/// Citus does not let a distribution column be dropped or get another type.
fn refuse_for_tenant_column(
    schema: &Schema,
    table: &TableName,
    changed: &Ident,
) -> Result<(), Problem> {
    match &schema.table(schema.root(table))?.placement {
        Placement::Distributed { column, .. } if column == changed => Err(Problem::Citus {
            what: format!("table {table} is distributed by column {column}"),
        }),
        _ => Ok(()),
    }
}

fn alter_column(schema: &mut Schema, table: &TableName, mut at: Cursor<'_>) -> Result<(), Problem> {
    let altered = at.ident()?;
    if !at.eat_any(&["TYPE", "SET DATA TYPE"]) {
        // Defaults, NOT NULL, statistics, storage, identity.
        let known = ["SET", "DROP", "ADD GENERATED", "RESET", "RESTART"];
        return if known.iter().any(|words| at.sees(words)) {
            with_details(schema, table, |details, schema| {
                alter_details(details, schema, (table, &altered), at);
            })
        } else {
            Err(Problem::misread(
                "a change of a column could not be read",
                at,
            ))
        };
    }
    require_column(schema, table, &altered)?;
    let data_type = definition::data_type(at)?;
    let collation = match at.find("COLLATE") {
        Some(mut collate) => {
            collate.next();
            Some(collate.name()?.to_string())
        }
        None => None,
    };
    refuse_for_tenant_column(schema, table, &altered)?;
    for member in family(schema, table) {
        let columns = &mut schema.table_mut(&member)?.columns;
        for column in columns.iter_mut().flatten() {
            if column.name == altered {
                column.data_type.clone_from(&data_type);
                column.collation.clone_from(&collation);
            }
        }
    }
    Ok(())
}

/// Nulls, defaults and identity.
fn alter_details(
    details: &mut Details,
    schema: &Schema,
    (table, column): (&TableName, &Ident),
    mut at: Cursor<'_>,
) {
    if at.eat("SET NOT NULL") {
        details.column(column).not_null = true;
    } else if at.eat("DROP NOT NULL") {
        details.column(column).not_null = false;
    } else if at.eat("SET DEFAULT") {
        details.set_default(schema, table, column, at);
    } else if at.eat_any(&["DROP DEFAULT", "DROP EXPRESSION", "DROP IDENTITY"]) {
        let column = details.column(column);
        column.calls = None;
        column.sequence = None;
    } else if at.eat_any(&[
        "ADD GENERATED ALWAYS AS",
        "ADD GENERATED BY DEFAULT AS",
        "SET EXPRESSION AS",
    ]) {
        details.generated(table, column, at);
    }
}

fn attach(schema: &mut Schema, table: &TableName, mut at: Cursor<'_>) -> Result<(), Problem> {
    let partition = schema.find_table(&at.name()?)?;
    if schema.root(table) == &partition {
        return Err(Problem::misread("a table cannot be its own partition", at));
    }
    schema.table_mut(&partition)?.parent = Some(table.clone());
    Ok(())
}

/// From here on the partition is a table of its own, and keeps what it has had from its parent.
fn detach(schema: &mut Schema, mut at: Cursor<'_>) -> Result<(), Problem> {
    let partition = schema.find_table(&at.name()?)?;
    let columns = schema.columns(&partition)?.to_vec();
    let root = schema.table(schema.root(&partition))?;
    let (placement, column_details) = (root.placement.clone(), root.details.columns.clone());
    let mut inherited = Vec::new();
    let mut above = schema.table(&partition)?.parent.as_ref();
    while let Some(name) = above {
        let state = schema.table(name)?;
        inherited.extend(state.keys.iter().map(key::Key::copied));
        above = state.parent.as_ref();
    }
    let state = schema.table_mut(&partition)?;
    state.columns = Some(columns);
    state.placement = placement;
    state.parent = None;
    state.details.columns = column_details;
    for key in inherited {
        add_key(schema, &partition, key)?;
    }
    Ok(())
}
