//! Indexes: the unique ones are keys of their tables.

use super::super::TableName;
use super::call::called_functions;
use super::create_table::add_key;
use super::cursor::{Cursor, Name};
use super::error::MigrationProblem as Problem;
use super::key::{IndexElement, Label, NewKey, names_in};
use super::schema::Schema;

/// Reads from behind `CREATE [UNIQUE] INDEX`.
pub(super) fn create(schema: &mut Schema, mut at: Cursor<'_>, unique: bool) -> Result<(), Problem> {
    at.eat("CONCURRENTLY");
    let if_not_exists = at.eat("IF NOT EXISTS");
    // ON is reserved, so it is no index' name.
    let name = (!at.sees("ON")).then(|| at.ident()).transpose()?;
    if !at.eat("ON") {
        return Err(Problem::misread("the table of an index is missing", at));
    }
    at.eat("ONLY");
    let written = at.name()?;
    let Some(table) = schema.find(&written)? else {
        return Err(Problem::UnknownTable {
            name: written.to_string(),
        });
    };
    if schema.table(&table).is_err() {
        // A materialized view's.
        return Ok(());
    }
    if let Some(name) = &name
        && !schema.is_free(&table.schema, name.as_str())
    {
        if if_not_exists {
            return Ok(());
        }
        return Err(Problem::Exists {
            name: format!("index {name}"),
        });
    }
    if at.eat("USING") {
        at.ident()?;
    }
    let needs = names_in(at);
    let all = at;
    let Some(elements) = at.group() else {
        return Err(Problem::misread("the columns of an index are missing", at));
    };
    let (mut columns, mut name_parts) = (Vec::new(), Vec::new());
    for element in elements.list() {
        let element = IndexElement::read(element)?;
        columns.extend(element.column);
        name_parts.push(element.name_part);
    }
    // Of included columns PostgreSQL makes a part of the name too.
    if at.eat("INCLUDE")
        && let Some(included) = at.group()
    {
        for mut item in included.list() {
            name_parts.push(item.ident()?.to_string());
        }
    }
    let calls = called_functions(all);
    let key = NewKey {
        name,
        columns,
        needs,
        unique,
        label: Label::Index,
        name_parts,
    };
    if schema.table(&table)?.columns.is_none() {
        // A table that a query made: its columns cannot be checked.
        let key = key.on(schema, &table);
        schema.table_mut(&table)?.keys.push(key);
        return Ok(());
    }
    add_key(schema, &table, key)?;
    let state = schema.table_mut(&table)?;
    if let Some(key) = state.keys.last() {
        state.details.indexes.insert(key.name.clone(), calls);
    }
    Ok(())
}

/// Reads from behind `DROP INDEX`.
pub(super) fn drop(schema: &mut Schema, mut at: Cursor<'_>) -> Result<(), Problem> {
    at.eat("CONCURRENTLY");
    at.eat("IF EXISTS");
    for mut item in at.list() {
        let name = item.name()?;
        if let Some((table, place)) = schema.find_index(&name)? {
            let state = schema.table_mut(&table)?;
            let key = state.keys.remove(place);
            state.details.indexes.remove(&key.name);
        }
    }
    Ok(())
}

/// Reads from behind the name in `ALTER INDEX name …`.
pub(super) fn alter(schema: &mut Schema, name: &Name, mut at: Cursor<'_>) -> Result<(), Problem> {
    if !at.eat("RENAME TO") {
        return Ok(());
    }
    let to = at.ident()?;
    if let Some((table, place)) = schema.find_index(name)?
        && let Some(key) = schema.table_mut(&table)?.keys.get_mut(place)
    {
        key.name = to;
        return Ok(());
    }
    if let Some(full) = schema.find(name)? {
        // PostgreSQL lets ALTER INDEX rename any relation.
        return schema.rename(&full, &TableName::new(full.schema.clone(), to));
    }
    Ok(())
}
