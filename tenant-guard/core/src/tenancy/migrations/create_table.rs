//! `CREATE TABLE`.

use super::super::{Ident, TableName};
use super::cursor::Cursor;
use super::definition;
use super::details::Details;
use super::error::MigrationProblem as Problem;
use super::key::{self, Key, Label, NewKey};
use super::schema::{ColumnState, Relation, Schema, TableState};

/// Reads from behind `CREATE … TABLE`.
pub(super) fn create(
    schema: &mut Schema,
    mut at: Cursor<'_>,
    temporary: bool,
) -> Result<(), Problem> {
    let if_not_exists = at.eat("IF NOT EXISTS");
    let written = at.name()?;
    let name = schema.place(&written, temporary || is_temporary(written.schema.as_ref()))?;
    if if_not_exists && schema.contains(&name) {
        return Ok(());
    }
    if at.eat("PARTITION OF") {
        return partition(schema, &name, at);
    }
    if at.sees("OF") {
        return Err(Problem::Unsupported {
            what: "a table of a composite type",
            fix: "Write out its columns.",
        });
    }
    let elements = at.group();
    if at.sees("INHERITS") {
        return Err(INHERITANCE);
    }
    if at.find("AS").is_some() {
        return from_query(schema, name);
    }
    let Some(elements) = elements else {
        return Err(Problem::misread("the columns of a table are missing", at));
    };
    let mut table = NewTable::default();
    for element in elements.list() {
        table.element(schema, element)?;
    }
    let details = details(schema, &name, elements);
    insert(schema, &name, table, None)?;
    *schema.table_mut(&name)?.details = details;
    Ok(())
}

/// What the doctor wants to know of the elements.
fn details(schema: &Schema, table: &TableName, elements: Cursor<'_>) -> Details {
    let mut details = Details::default();
    // Columns first: constraints are named after them.
    let (constraints, columns): (Vec<_>, Vec<_>) = elements
        .list()
        .into_iter()
        .partition(|element| is_constraint(*element));
    for mut element in columns {
        if element.eat("LIKE") {
            // Nulls are always copied, defaults and checks where they are asked for.
            details.unread |= element.find("INCLUDING").is_some();
            let source = element.name().and_then(|name| schema.find_table(&name));
            if let Ok(source) = source.and_then(|source| schema.table(&source)) {
                for (name, column) in &source.details.columns {
                    details.column(name).not_null = column.not_null;
                }
            }
        } else if let Ok(column) = element.ident() {
            details.column_constraints(schema, table, &column, element);
        }
    }
    for constraint in constraints {
        details.table_constraint(schema, table, constraint);
    }
    details
}

pub(super) const INHERITANCE: Problem = Problem::Unsupported {
    what: "a table that inherits from another",
    fix: "Use a partitioned table, or leave the table out with the comment \
          `-- tenant-guard: ignore`: guarded SQL is then refused for it.",
};

/// `CREATE TABLE … AS`, `SELECT … INTO`: a table whose columns are not known.
pub(super) fn from_query(schema: &mut Schema, name: TableName) -> Result<(), Problem> {
    schema.insert(name, Relation::Table(TableState::default()))
}

fn is_temporary(schema: Option<&Ident>) -> bool {
    schema.is_some_and(|schema| schema.as_str() == "pg_temp")
}

/// What stands within the parentheses.
#[derive(Default)]
struct NewTable {
    columns: Vec<ColumnState>,
    keys: Vec<NewKey>,
}

impl NewTable {
    fn element(&mut self, schema: &Schema, mut element: Cursor<'_>) -> Result<(), Problem> {
        if element.eat("LIKE") {
            return self.like(schema, element);
        }
        if is_constraint(element) {
            self.keys.extend(key::table_constraint(element)?);
            return Ok(());
        }
        let (column, keys) = column(element)?;
        if self.columns.iter().any(|known| known.name == column.name) {
            return Err(Problem::Exists {
                name: format!("column {}", column.name),
            });
        }
        self.columns.push(column);
        self.keys.extend(keys);
        Ok(())
    }

    /// `LIKE source [{INCLUDING | EXCLUDING} what]…`
    fn like(&mut self, schema: &Schema, mut at: Cursor<'_>) -> Result<(), Problem> {
        let source = schema.find_table(&at.name()?)?;
        self.columns.extend_from_slice(schema.columns(&source)?);
        let mut with_indexes = false;
        while !at.is_at_end() {
            let including = at.eat("INCLUDING");
            if !including && !at.eat("EXCLUDING") {
                return Err(Problem::misread("an option of LIKE could not be read", at));
            }
            let what = at.ident()?;
            if matches!(what.as_str(), "indexes" | "all") {
                with_indexes = including;
            }
        }
        if with_indexes {
            let keys = schema.table(&source)?.keys.iter();
            self.keys.extend(keys.map(Key::copied));
        }
        Ok(())
    }
}

/// Whether an element is a table constraint. All but EXCLUDE are reserved, so no column is called so;
/// a column called `exclude` is followed by its type.
pub(super) fn is_constraint(element: Cursor<'_>) -> bool {
    let mut excluded = element;
    ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"]
        .iter()
        .any(|word| element.sees(word))
        || element.sees("EXCLUDE USING")
        || (excluded.eat("EXCLUDE") && excluded.sees_punctuation(b'('))
}

/// A column, and the keys in its definition.
pub(super) fn column(element: Cursor<'_>) -> Result<(ColumnState, Vec<NewKey>), Problem> {
    let definition = definition::column(element)?;
    let keys = inline(&definition.name, definition.keys);
    let column = ColumnState {
        name: definition.name,
        data_type: definition.data_type,
        collation: definition.collation,
    };
    Ok((column, keys))
}

fn inline(column: &Ident, keys: Vec<definition::InlineKey>) -> Vec<NewKey> {
    keys.into_iter()
        .map(|key| {
            let label = if key.primary {
                Label::PrimaryKey
            } else {
                Label::Unique
            };
            NewKey::constraint(key.name, label, vec![column.clone()])
        })
        .collect()
}

/// `PARTITION OF parent [(column [WITH OPTIONS] constraints | table constraint, …)] …`
fn partition(schema: &mut Schema, name: &TableName, mut at: Cursor<'_>) -> Result<(), Problem> {
    let parent = schema.find_table(&at.name()?)?;
    let mut table = NewTable::default();
    let mut details = Details::default();
    if let Some(elements) = at.group() {
        details = self::details(schema, name, elements);
        for mut element in elements.list() {
            if is_constraint(element) {
                table.keys.extend(key::table_constraint(element)?);
            } else {
                let column = element.ident()?;
                let keys = definition::inline_keys(element)?;
                table.keys.extend(inline(&column, keys));
            }
        }
    }
    insert(schema, name, table, Some(parent))?;
    *schema.table_mut(name)?.details = details;
    Ok(())
}

fn insert(
    schema: &mut Schema,
    name: &TableName,
    table: NewTable,
    parent: Option<TableName>,
) -> Result<(), Problem> {
    let state = TableState {
        columns: Some(table.columns),
        parent,
        ..TableState::default()
    };
    schema.insert(name.clone(), Relation::Table(state))?;
    for key in table.keys {
        add_key(schema, name, key)?;
    }
    Ok(())
}

/// Adds a key to a table that is there.
pub(super) fn add_key(schema: &mut Schema, table: &TableName, key: NewKey) -> Result<(), Problem> {
    let known = schema.columns(table)?;
    for column in &key.columns {
        if !known.iter().any(|known| known.name == *column) {
            return Err(Problem::UnknownColumn {
                table: table.to_string(),
                column: column.to_string(),
            });
        }
    }
    let key = key.on(schema, table);
    schema.table_mut(table)?.keys.push(key);
    Ok(())
}
