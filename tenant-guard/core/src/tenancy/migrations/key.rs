//! Unique keys and indexes of a table, and the names that PostgreSQL gives them.

use std::collections::BTreeSet;

use super::super::{Ident, TableName};
use super::cursor::Cursor;
use super::error::MigrationProblem as Problem;
use super::schema::Schema;
use crate::lexer::Kind;

/// A unique constraint, an exclusion constraint or an index. Indexes that are not unique are
/// followed for their names alone, because PostgreSQL numbers the names it chooses.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) name: Ident,
    /// The plain columns that are compared by equality.
    pub(super) columns: Vec<Ident>,
    /// All columns that it needs: it is dropped with any of them.
    pub(super) needs: BTreeSet<Ident>,
    pub(super) unique: bool,
    pub(super) label: Label,
    /// What stands for the columns in a name that PostgreSQL chooses.
    name_parts: Vec<String>,
}

/// A key before it has a name for sure.
#[derive(Debug)]
pub(super) struct NewKey {
    pub(super) name: Option<Ident>,
    pub(super) columns: Vec<Ident>,
    pub(super) needs: BTreeSet<Ident>,
    pub(super) unique: bool,
    /// The end of a name that PostgreSQL chooses, which also tells a constraint from an index.
    pub(super) label: Label,
    /// What stands for the columns in a name that PostgreSQL chooses.
    pub(super) name_parts: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    PrimaryKey,
    Unique,
    Exclusion,
    Index,
}

impl Label {
    fn text(self) -> &'static str {
        match self {
            Self::PrimaryKey => "pkey",
            Self::Unique => "key",
            Self::Exclusion => "excl",
            Self::Index => "idx",
        }
    }
}

impl NewKey {
    /// A primary key or a unique constraint over plain columns.
    pub(super) fn constraint(name: Option<Ident>, label: Label, columns: Vec<Ident>) -> Self {
        Self {
            name,
            needs: columns.iter().cloned().collect(),
            unique: true,
            label,
            name_parts: columns.iter().map(ToString::to_string).collect(),
            columns,
        }
    }

    /// Gives it its name on this table.
    pub(super) fn on(self, schema: &Schema, table: &TableName) -> Key {
        let name = match self.name {
            Some(name) => name,
            None => choose_name(schema, table, self.label, &self.name_parts),
        };
        Key {
            name,
            columns: self.columns,
            needs: self.needs,
            unique: self.unique,
            label: self.label,
            name_parts: self.name_parts,
        }
    }
}

impl Key {
    /// Whether it is a table constraint, not an index alone.
    pub(super) fn is_constraint(&self) -> bool {
        self.label != Label::Index
    }

    /// The same key for another table, with a name of its own (`LIKE … INCLUDING INDEXES`).
    pub(super) fn copied(&self) -> NewKey {
        NewKey {
            name: None,
            columns: self.columns.clone(),
            needs: self.needs.clone(),
            unique: self.unique,
            label: self.label,
            name_parts: self.name_parts.clone(),
        }
    }

    pub(super) fn rename_column(&mut self, from: &Ident, to: &Ident) {
        for column in &mut self.columns {
            if column == from {
                *column = to.clone();
            }
        }
        for part in &mut self.name_parts {
            if part == from.as_str() {
                to.as_str().clone_into(part);
            }
        }
        if self.needs.remove(from) {
            self.needs.insert(to.clone());
        }
    }
}

/// A table constraint that makes a key: `[CONSTRAINT n] PRIMARY KEY | UNIQUE | EXCLUDE …`. `None`
/// for those that make none.
pub(super) fn table_constraint(mut element: Cursor<'_>) -> Result<Option<NewKey>, Problem> {
    let name = element
        .eat("CONSTRAINT")
        .then(|| element.ident())
        .transpose()?;
    if element.eat("EXCLUDE") {
        return exclusion(name, element).map(Some);
    }
    let label = if element.eat("PRIMARY KEY") {
        Label::PrimaryKey
    } else if element.eat("UNIQUE") {
        element.eat_any(&["NULLS NOT DISTINCT", "NULLS DISTINCT"]);
        Label::Unique
    } else if ["CHECK", "FOREIGN KEY", "NOT NULL"]
        .iter()
        .any(|words| element.sees(words))
    {
        return Ok(None);
    } else {
        return Err(Problem::misread(
            "a table constraint could not be read",
            element,
        ));
    };
    let Some(group) = element.group() else {
        return Err(Problem::misread(
            "the columns of a key are missing",
            element,
        ));
    };
    let (mut compared, mut all) = (Vec::new(), Vec::new());
    for mut item in group.list() {
        let column = item.ident()?;
        if !item.eat("WITHOUT OVERLAPS") {
            compared.push(column.clone());
        }
        if !item.is_at_end() {
            return Err(Problem::misread(
                "a column of a key could not be read",
                item,
            ));
        }
        all.push(column);
    }
    let mut key = NewKey::constraint(name, label, all);
    key.columns = compared;
    if element.eat("INCLUDE")
        && let Some(included) = element.group()
    {
        key.needs.extend(names_in(included));
    }
    Ok(Some(key))
}

/// `EXCLUDE [USING m] (element WITH operator, …) …`
fn exclusion(name: Option<Ident>, mut element: Cursor<'_>) -> Result<NewKey, Problem> {
    if element.eat("USING") {
        element.ident()?;
    }
    let needs = names_in(element);
    let Some(group) = element.group() else {
        return Err(Problem::misread(
            "the elements of EXCLUDE are missing",
            element,
        ));
    };
    let (mut columns, mut name_parts) = (Vec::new(), Vec::new());
    for item in group.list() {
        let part = IndexElement::read(item)?;
        let equality = item.find("WITH").is_some_and(|mut with| {
            with.next();
            with.rest() == "="
        });
        if equality && let Some(column) = &part.column {
            columns.push(column.clone());
        }
        name_parts.push(part.name_part);
    }
    Ok(NewKey {
        name,
        columns,
        needs,
        unique: true,
        label: Label::Exclusion,
        name_parts,
    })
}

/// One element of an index: a column, or an expression.
pub(super) struct IndexElement {
    pub(super) column: Option<Ident>,
    pub(super) name_part: String,
}

impl IndexElement {
    /// `index_elem` of `src/backend/parser/gram.y`: a name that is followed by neither a parenthesis
    /// nor a dot is a column; a function call or parentheses make an expression.
    pub(super) fn read(mut item: Cursor<'_>) -> Result<Self, Problem> {
        if item.sees_punctuation(b'(') {
            return Ok(Self {
                column: None,
                name_part: "expr".to_owned(),
            });
        }
        let mut name = item.ident()?;
        let mut is_call = item.sees_punctuation(b'(');
        while item.eat_punctuation(b'.') {
            name = item.ident()?;
            is_call = true;
        }
        Ok(Self {
            name_part: name.to_string(),
            column: (!is_call).then_some(name),
        })
    }
}

/// All names in some text that may be columns: not those that are called.
pub(super) fn names_in(text: Cursor<'_>) -> BTreeSet<Ident> {
    let mut names = BTreeSet::new();
    let mut at = text;
    while let Some(token) = at.peek() {
        if !matches!(token.kind, Kind::Word | Kind::QuotedWord) {
            at.next();
            continue;
        }
        if let Ok(name) = at.ident()
            && !at.sees_punctuation(b'(')
        {
            names.insert(name);
        }
    }
    names
}

/// The name that PostgreSQL chooses: `table_column_key`, cut to 63 bytes, with a number where it
/// is taken (`ChooseIndexName`, `src/backend/commands/indexcmds.c`).
fn choose_name(schema: &Schema, table: &TableName, label: Label, parts: &[String]) -> Ident {
    let columns = match label {
        Label::PrimaryKey => None,
        _ => Some(parts.join("_")),
    };
    let mut number = 0_u32;
    loop {
        let ending = match number {
            0 => label.text().to_owned(),
            number => format!("{}{number}", label.text()),
        };
        let name = make_object_name(table.name.as_str(), columns.as_deref(), &ending);
        if schema.is_free(&table.schema, &name) {
            return Ident::new(name);
        }
        number += 1;
    }
}

/// `makeObjectName`: the longer of the two names is cut until all fits.
pub(super) fn make_object_name(table: &str, columns: Option<&str>, ending: &str) -> String {
    const LONGEST: usize = 63;
    let fixed = ending.len() + 1 + usize::from(columns.is_some());
    let room = LONGEST.saturating_sub(fixed);
    let mut table_length = table.len();
    let mut column_length = columns.map_or(0, str::len);
    while table_length + column_length > room {
        if table_length > column_length {
            table_length -= 1;
        } else {
            column_length -= 1;
        }
    }
    let table = cut(table, table_length);
    match columns {
        Some(columns) => format!("{table}_{}_{ending}", cut(columns, column_length)),
        None => format!("{table}_{ending}"),
    }
}

fn cut(name: &str, length: usize) -> &str {
    let end = (0..=length.min(name.len()))
        .rev()
        .find(|end| name.is_char_boundary(*end))
        .unwrap_or(0);
    &name[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_names_fit() {
        assert_eq!(make_object_name("tasks", None, "pkey"), "tasks_pkey");
        assert_eq!(
            make_object_name("tasks", Some("a_b"), "key"),
            "tasks_a_b_key"
        );
        let long = make_object_name(&"t".repeat(60), Some(&"c".repeat(10)), "key");
        assert_eq!(long, format!("{}_{}_key", "t".repeat(48), "c".repeat(10)));
        let both = make_object_name(&"t".repeat(60), Some(&"c".repeat(60)), "key");
        assert_eq!(both, format!("{}_{}_key", "t".repeat(29), "c".repeat(29)));
    }
}
