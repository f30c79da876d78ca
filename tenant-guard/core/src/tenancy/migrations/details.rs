//! What the guard does not need to know of a table, and the doctor does: foreign keys, the functions
//! that expressions call, triggers, row-level security, nulls.
//!
//! Reading it never fails. A migration that the guard understands must not become an error because of
//! it: what cannot be read is marked instead.

use std::collections::BTreeMap;

use super::super::{Ident, TableName};
use super::call::called_functions;
use super::cursor::{Cursor, Name};
use super::key::{make_object_name, names_in};
use super::literal::plain_string;
use super::schema::Schema;
use super::split::split;
use crate::doctor::{Action, Place};
use crate::lexer::{Kind, Token};

/// The types that stand for an integer and a sequence.
const SERIAL: &[&str] = &[
    "serial",
    "bigserial",
    "smallserial",
    "serial2",
    "serial4",
    "serial8",
];

/// What is known of one table beside its columns and keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Details {
    pub(super) columns: BTreeMap<Ident, ColumnDetails>,
    pub(super) constraints: BTreeMap<Ident, Constraint>,
    /// The trigger's function, by the trigger's name.
    pub(super) triggers: BTreeMap<Ident, Name>,
    pub(super) policies: BTreeMap<Ident, PolicyDetails>,
    /// The functions that an index calls.
    pub(super) indexes: BTreeMap<Ident, Vec<Ident>>,
    pub(super) row_security: bool,
    pub(super) row_security_forced: bool,
    /// Something could not be read.
    pub(super) unread: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct ColumnDetails {
    pub(super) not_null: bool,
    /// The sequence of an identity column, a serial one, or a default.
    pub(super) sequence: Option<TableName>,
    /// The functions that its default or its generating expression calls.
    pub(super) calls: Option<(Place, Vec<Ident>)>,
}

#[derive(Clone, Debug)]
pub(super) enum Constraint {
    Check(Vec<Ident>),
    ForeignKey(Box<ForeignKey>),
}

#[derive(Clone, Debug, Default)]
pub(super) struct ForeignKey {
    pub(super) columns: Vec<Ident>,
    pub(super) target: Option<TableName>,
    /// Empty where the target's primary key is meant.
    pub(super) target_columns: Vec<Ident>,
    pub(super) on_delete: Action,
    pub(super) on_update: Action,
    pub(super) delete_sets: Vec<Ident>,
}

#[derive(Clone, Debug)]
pub(super) struct PolicyDetails {
    pub(super) permissive: bool,
    pub(super) calls: Vec<Ident>,
}

impl Details {
    pub(super) fn column(&mut self, name: &Ident) -> &mut ColumnDetails {
        self.columns.entry(name.clone()).or_default()
    }

    pub(super) fn rename_column(&mut self, from: &Ident, to: &Ident) {
        if let Some(details) = self.columns.remove(from) {
            self.columns.insert(to.clone(), details);
        }
        for constraint in self.constraints.values_mut() {
            if let Constraint::ForeignKey(key) = constraint {
                for column in key.columns.iter_mut().chain(&mut key.delete_sets) {
                    if column == from {
                        *column = to.clone();
                    }
                }
            }
        }
    }

    pub(super) fn drop_column(&mut self, gone: &Ident) {
        self.columns.remove(gone);
        self.constraints.retain(|_, constraint| match constraint {
            Constraint::ForeignKey(key) => !key.columns.contains(gone),
            Constraint::Check(_) => true,
        });
    }

    pub(super) fn rename_constraint(&mut self, from: &Ident, to: &Ident) {
        if let Some(constraint) = self.constraints.remove(from) {
            self.constraints.insert(to.clone(), constraint);
        }
    }

    /// A table that foreign keys point at has another name.
    pub(super) fn rename_target(&mut self, from: &TableName, to: &TableName) {
        for constraint in self.constraints.values_mut() {
            if let Constraint::ForeignKey(key) = constraint
                && key.target.as_ref() == Some(from)
            {
                key.target = Some(to.clone());
            }
        }
    }

    /// A column that foreign keys point at has another name.
    pub(super) fn rename_target_column(&mut self, table: &TableName, from: &Ident, to: &Ident) {
        for constraint in self.constraints.values_mut() {
            if let Constraint::ForeignKey(key) = constraint
                && key.target.as_ref() == Some(table)
            {
                for column in &mut key.target_columns {
                    if column == from {
                        *column = to.clone();
                    }
                }
            }
        }
    }

    /// A table, or a column of it, that foreign keys pointed at is gone, and they with it.
    pub(super) fn drop_target(&mut self, table: &TableName, column: Option<&Ident>) {
        self.constraints.retain(|_, constraint| match constraint {
            Constraint::ForeignKey(key) => {
                let named = column.is_none_or(|column| key.target_columns.contains(column));
                !(key.target.as_ref() == Some(table) && named)
            }
            Constraint::Check(_) => true,
        });
    }

    /// What stands behind a column's name: its type, unless it is a column of a partition, and its
    /// constraints.
    pub(super) fn column_constraints(
        &mut self,
        schema: &Schema,
        table: &TableName,
        column: &Ident,
        tail: Cursor<'_>,
    ) {
        let mut at = tail;
        let mut name = None;
        let details = self.column(column);
        if SERIAL.iter().any(|word| at.sees(word)) {
            details.sequence = Some(own_sequence(table, column));
            details.not_null = true;
        }
        while !at.is_at_end() {
            if at.eat("CONSTRAINT") {
                name = at.ident().ok();
                continue;
            }
            let given = name.take();
            if at.eat("NOT NULL") || at.eat("PRIMARY KEY") {
                self.column(column).not_null = true;
            } else if at.eat("DEFAULT") {
                let expression = until_next(&mut at);
                self.set_default(schema, table, column, expression);
            } else if at.eat_any(&["GENERATED ALWAYS AS", "GENERATED BY DEFAULT AS"]) {
                self.generated(table, column, at);
                at.next();
            } else if at.eat("CHECK") {
                let calls = at.group().map(called_functions).unwrap_or_default();
                let name = given.unwrap_or_else(|| chosen(table, Some(column.as_str()), "check"));
                self.add(name, Constraint::Check(calls));
            } else if at.eat("REFERENCES") {
                let key = ForeignKey {
                    columns: vec![column.clone()],
                    ..ForeignKey::default()
                };
                self.references(schema, table, given, key, &mut at);
            } else if at.sees_punctuation(b'(') {
                at.group();
            } else {
                at.next();
            }
        }
    }

    pub(super) fn set_default(
        &mut self,
        schema: &Schema,
        table: &TableName,
        column: &Ident,
        expression: Cursor<'_>,
    ) {
        let calls = called_functions(expression);
        let draws = calls.iter().any(|call| call.as_str() == "nextval");
        let details = self.column(column);
        details.sequence = draws.then(|| {
            named_sequence(schema, expression).unwrap_or_else(|| own_sequence(table, column))
        });
        details.calls = Some((Place::Default, calls));
    }

    /// From behind `GENERATED … AS`.
    pub(super) fn generated(&mut self, table: &TableName, column: &Ident, mut at: Cursor<'_>) {
        let details = self.column(column);
        if at.sees("IDENTITY") {
            details.sequence = Some(own_sequence(table, column));
            details.not_null = true;
        } else if let Some(expression) = at.group() {
            details.calls = Some((Place::Generated, called_functions(expression)));
        } else {
            self.unread = true;
        }
    }

    /// `[CONSTRAINT name] {CHECK (…) | FOREIGN KEY (…) REFERENCES … | PRIMARY KEY (…) | …}`
    pub(super) fn table_constraint(
        &mut self,
        schema: &Schema,
        table: &TableName,
        mut at: Cursor<'_>,
    ) {
        let name = at.eat("CONSTRAINT").then(|| at.ident().ok()).flatten();
        if at.eat("CHECK") {
            let condition = at.group();
            let calls = condition.map(called_functions).unwrap_or_default();
            let column = condition.and_then(|condition| self.only_column(condition));
            let column = column.as_ref().map(Ident::as_str);
            let name = name.unwrap_or_else(|| chosen(table, column, "check"));
            self.add(name, Constraint::Check(calls));
        } else if at.eat("FOREIGN KEY") {
            let columns = at.group().and_then(names);
            if let Some(columns) = columns
                && at.eat("REFERENCES")
            {
                let key = ForeignKey {
                    columns,
                    ..ForeignKey::default()
                };
                self.references(schema, table, name, key, &mut at);
            } else {
                self.unread = true;
            }
        } else if at.eat("PRIMARY KEY") {
            let columns = at.group().and_then(names).unwrap_or_default();
            for column in columns {
                self.column(&column).not_null = true;
            }
        } else if at.eat("NOT NULL")
            && let Ok(column) = at.ident()
        {
            self.column(&column).not_null = true;
        }
    }

    /// The column that a condition names, if it is one alone: PostgreSQL puts it into the name of
    /// the constraint (`ChooseConstraintName` in `src/backend/catalog/heap.c`).
    fn only_column(&self, condition: Cursor<'_>) -> Option<Ident> {
        let mut named = names_in(condition)
            .into_iter()
            .filter(|name| self.columns.contains_key(name));
        let column = named.next()?;
        named.next().is_none().then_some(column)
    }

    /// From behind `REFERENCES`.
    fn references(
        &mut self,
        schema: &Schema,
        table: &TableName,
        name: Option<Ident>,
        mut key: ForeignKey,
        at: &mut Cursor<'_>,
    ) {
        let Ok(written) = at.name() else {
            self.unread = true;
            return;
        };
        // A table may point at itself before it is there.
        key.target = match schema.find_table(&written) {
            Ok(target) => Some(target),
            Err(_) => schema.place(&written, false).ok(),
        };
        if let Some(columns) = at.group() {
            key.target_columns = names(columns).unwrap_or_default();
        }
        loop {
            if at.eat("ON DELETE") {
                key.on_delete = action(at);
                if let Some(columns) = at.group() {
                    key.delete_sets = names(columns).unwrap_or_default();
                }
            } else if at.eat("ON UPDATE") {
                key.on_update = action(at);
            } else if !at.eat_any(&["MATCH FULL", "MATCH SIMPLE"]) {
                break;
            }
        }
        let columns: Vec<&str> = key.columns.iter().map(Ident::as_str).collect();
        let name = name.unwrap_or_else(|| chosen(table, Some(&columns.join("_")), "fkey"));
        self.add(name, Constraint::ForeignKey(Box::new(key)));
    }

    /// Under this name, or with the number that PostgreSQL puts behind one that is taken.
    fn add(&mut self, name: Ident, constraint: Constraint) {
        let wanted = name.to_string();
        let mut free = name;
        let mut number = 0_u32;
        while self.constraints.contains_key(&free) {
            number += 1;
            free = Ident::new(format!("{wanted}{number}"));
        }
        self.constraints.insert(free, constraint);
    }
}

fn action(at: &mut Cursor<'_>) -> Action {
    for (words, action) in [
        ("CASCADE", Action::Cascade),
        ("SET NULL", Action::SetNull),
        ("SET DEFAULT", Action::SetDefault),
        ("NO ACTION", Action::Refuse),
        ("RESTRICT", Action::Refuse),
    ] {
        if at.eat(words) {
            return action;
        }
    }
    Action::Refuse
}

fn names(list: Cursor<'_>) -> Option<Vec<Ident>> {
    list.list()
        .into_iter()
        .map(|mut item| item.ident().ok())
        .collect()
}

/// A default's expression: everything up to the next keyword that begins a column's constraint.
fn until_next<'a>(at: &mut Cursor<'a>) -> Cursor<'a> {
    const NEXT: &[&str] = &[
        "CONSTRAINT",
        "NOT NULL",
        "NULL",
        "UNIQUE",
        "PRIMARY KEY",
        "CHECK",
        "REFERENCES",
        "GENERATED",
        "COLLATE",
        "STORAGE",
        "COMPRESSION",
        "DEFERRABLE",
        "NOT DEFERRABLE",
        "INITIALLY",
    ];
    let all = at.tokens();
    let mut length = 0;
    let mut first = true;
    while let Some(token) = at.peek() {
        // `DEFAULT NULL` is an expression.
        if !first && NEXT.iter().any(|words| at.sees(words)) {
            break;
        }
        first = false;
        let before = at.tokens().len();
        if token.kind == Kind::Punctuation(b'(') {
            at.group();
        } else {
            at.next();
        }
        length += before - at.tokens().len();
    }
    Cursor::new(at.text(), all.get(..length).unwrap_or_default())
}

/// The sequence that PostgreSQL makes for a column.
fn own_sequence(table: &TableName, column: &Ident) -> TableName {
    let name = chosen(table, Some(column.as_str()), "seq");
    TableName::new(table.schema.clone(), name)
}

/// The sequence of `nextval('name')`.
fn named_sequence(schema: &Schema, expression: Cursor<'_>) -> Option<TableName> {
    let is_string = |token: &&Token| token.kind == Kind::String;
    let string = expression.tokens().iter().find(is_string)?;
    let name = plain_string(expression.slice(*string)).ok()?;
    let pieces = split(&name).ok()?;
    let written = Cursor::new(&name, &pieces.first()?.tokens).name().ok()?;
    schema.place(&written, false).ok()
}

fn chosen(table: &TableName, columns: Option<&str>, ending: &str) -> Ident {
    Ident::new(make_object_name(table.name.as_str(), columns, ending))
}
