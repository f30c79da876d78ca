//! Types that the schema defines.

use super::super::TableName;
use super::cursor::Cursor;
use super::definition;
use super::error::MigrationProblem as Problem;
use super::schema::{Schema, UserType};

/// Reads from behind `CREATE TYPE`.
pub(super) fn create(schema: &mut Schema, mut at: Cursor<'_>) -> Result<(), Problem> {
    let name = schema.place(&at.name()?, false)?;
    let definition = if at.eat("AS ENUM") {
        UserType::Enum
    } else if at.sees("AS RANGE") || !at.sees("AS") {
        UserType::Opaque
    } else {
        at.eat("AS");
        let Some(attributes) = at.group() else {
            return Err(Problem::misread("the attributes of a type are missing", at));
        };
        let fields = attributes.list().into_iter().map(definition::column);
        let fields: Result<Vec<_>, Problem> = fields.map(|field| Ok(field?.name)).collect();
        UserType::Composite(fields?)
    };
    insert(schema, name, definition)
}

/// Reads from behind `CREATE DOMAIN`. A domain may check its values with a function.
pub(super) fn create_domain(schema: &mut Schema, mut at: Cursor<'_>) -> Result<(), Problem> {
    let name = schema.place(&at.name()?, false)?;
    insert(schema, name, UserType::Opaque)
}

fn insert(schema: &mut Schema, name: TableName, definition: UserType) -> Result<(), Problem> {
    // A shell type is defined a second time; both are opaque.
    let shell = matches!(
        (schema.types.get(&name), &definition),
        (Some(UserType::Opaque), UserType::Opaque)
    );
    if schema.types.contains_key(&name) && !shell {
        return Err(Problem::Exists {
            name: format!("type {name}"),
        });
    }
    schema.types.insert(name, definition);
    Ok(())
}

/// Reads from behind `DROP TYPE` or `DROP DOMAIN`.
pub(super) fn drop(schema: &mut Schema, mut at: Cursor<'_>) -> Result<(), Problem> {
    let cascades = at.words().any(|word| word.eq_ignore_ascii_case("cascade"));
    at.eat("IF EXISTS");
    for mut item in at.list() {
        let name = item.name()?;
        if cascades && schema.is_column_type(&name.name)? {
            return Err(Problem::Unsupported {
                what: "dropping a type with CASCADE, which drops columns,",
                fix: "Drop the columns first, each by ALTER TABLE.",
            });
        }
        if let Some(full) = schema.find_type(&name)? {
            schema.types.remove(&full);
        }
    }
    Ok(())
}

/// Reads from behind `ALTER TYPE` or `ALTER DOMAIN`.
pub(super) fn alter(schema: &mut Schema, mut at: Cursor<'_>) -> Result<(), Problem> {
    let written = at.name()?;
    let Some(name) = schema.find_type(&written)? else {
        // A type of an extension; it is not known to the guard under any name.
        return Ok(());
    };
    if at.eat("RENAME TO") {
        let to = TableName::new(name.schema.clone(), at.ident()?);
        return rename(schema, &name, to);
    }
    if at.eat("SET SCHEMA") {
        let to = TableName::new(at.ident()?, name.name.clone());
        return rename(schema, &name, to);
    }
    let Some(UserType::Composite(fields)) = schema.types.get_mut(&name) else {
        return Ok(());
    };
    for mut action in at.list() {
        if action.eat("ADD ATTRIBUTE") {
            fields.push(definition::column(action)?.name);
        } else if action.eat("DROP ATTRIBUTE") {
            action.eat("IF EXISTS");
            let gone = action.ident()?;
            fields.retain(|field| *field != gone);
        } else if action.eat("RENAME ATTRIBUTE") {
            let from = action.ident()?;
            if !action.eat("TO") {
                return Err(Problem::misread("a new name is missing", action));
            }
            let to = action.ident()?;
            for field in fields.iter_mut().filter(|field| **field == from) {
                *field = to.clone();
            }
        }
    }
    Ok(())
}

fn rename(schema: &mut Schema, from: &TableName, to: TableName) -> Result<(), Problem> {
    match schema.types.remove(from) {
        Some(definition) => insert(schema, to, definition),
        None => Ok(()),
    }
}
