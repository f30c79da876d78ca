//! The schema that migrations have made so far.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Ident, TableName};
use super::colocation::{Colocation, Group};
use super::cursor::{Cursor, Name};
use super::details::Details;
use super::error::MigrationProblem as Problem;
use super::key::{Key, Label, names_in};
use super::search_path::SearchPath;
use super::split::split;
use super::view::ViewState;

/// The schema that stands for each session's own temporary one.
const TEMPORARY: &str = "pg_temp";

/// Everything that is followed. Cloned when a transaction begins, and taken back on `ROLLBACK`.
#[derive(Clone, Debug, Default)]
pub(super) struct Schema {
    pub(super) relations: BTreeMap<TableName, Relation>,
    pub(super) types: BTreeMap<TableName, UserType>,
    pub(super) functions: BTreeSet<Ident>,
    pub(super) path: SearchPath,
    pub(super) colocation: Colocation,
    /// Something that only the doctor wants to know could not be read.
    pub(super) unread: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Relation {
    Table(TableState),
    View(ViewState),
    /// A relation of which nobody has said whose rows it holds, and what it is.
    Opaque(&'static str),
    /// Known by name, as it shares names with tables.
    Sequence,
}

/// A table as it is so far.
#[derive(Clone, Debug, Default)]
pub(super) struct TableState {
    /// `None` where a query made the table, so that its columns are not known.
    pub(super) columns: Option<Vec<ColumnState>>,
    pub(super) keys: Vec<Key>,
    pub(super) placement: Placement,
    /// The partitioned table that it is a partition of.
    pub(super) parent: Option<TableName>,
    /// What the guard does not need.
    pub(super) details: Box<Details>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ColumnState {
    pub(super) name: Ident,
    pub(super) data_type: String,
    pub(super) collation: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Placement {
    #[default]
    Local,
    Reference,
    Distributed {
        column: Ident,
        group: Group,
    },
}

/// A type that the schema defines.
#[derive(Clone, Debug)]
pub(super) enum UserType {
    Enum,
    Composite(Vec<Ident>),
    /// A domain, a range or a base type: making a value may run code.
    Opaque,
}

impl Schema {
    /// The schema-qualified name of something that is to be made.
    pub(super) fn place(&self, name: &Name, temporary: bool) -> Result<TableName, Problem> {
        let schema = match &name.schema {
            _ if temporary => Ident::new(TEMPORARY),
            Some(schema) => schema.clone(),
            None => self
                .path
                .current()?
                .first()
                .ok_or(Problem::EmptySearchPath)?
                .clone(),
        };
        Ok(TableName::new(schema, name.name.clone()))
    }

    /// The full names that a written name may mean, in order.
    fn candidates(&self, name: &Name) -> Result<Vec<TableName>, Problem> {
        if let Some(schema) = &name.schema {
            return Ok(vec![TableName::new(schema.clone(), name.name.clone())]);
        }
        let temporary = TableName::new(TEMPORARY, name.name.clone());
        let path = self.path.current()?;
        let along_path = path
            .iter()
            .map(|schema| TableName::new(schema.clone(), name.name.clone()));
        Ok(std::iter::once(temporary).chain(along_path).collect())
    }

    /// The relation that a written name means, or `None`.
    pub(super) fn find(&self, name: &Name) -> Result<Option<TableName>, Problem> {
        let candidates = self.candidates(name)?;
        Ok(candidates
            .into_iter()
            .find(|candidate| self.relations.contains_key(candidate)))
    }

    /// The type that a written name means, or `None`.
    pub(super) fn find_type(&self, name: &Name) -> Result<Option<TableName>, Problem> {
        let candidates = self.candidates(name)?;
        Ok(candidates
            .into_iter()
            .find(|candidate| self.types.contains_key(candidate)))
    }

    /// The table that a written name means.
    pub(super) fn find_table(&self, name: &Name) -> Result<TableName, Problem> {
        match self.find(name)? {
            Some(full) if matches!(self.relations.get(&full), Some(Relation::Table(_))) => Ok(full),
            _ => Err(Problem::UnknownTable {
                name: name.to_string(),
            }),
        }
    }

    pub(super) fn table(&self, name: &TableName) -> Result<&TableState, Problem> {
        match self.relations.get(name) {
            Some(Relation::Table(table)) => Ok(table),
            _ => Err(unknown(name)),
        }
    }

    pub(super) fn table_mut(&mut self, name: &TableName) -> Result<&mut TableState, Problem> {
        match self.relations.get_mut(name) {
            Some(Relation::Table(table)) => Ok(table),
            _ => Err(unknown(name)),
        }
    }

    pub(super) fn tables(&self) -> impl Iterator<Item = (&TableName, &TableState)> {
        self.relations
            .iter()
            .filter_map(|(name, relation)| match relation {
                Relation::Table(table) => Some((name, table)),
                Relation::View(_) | Relation::Opaque(_) | Relation::Sequence => None,
            })
    }

    pub(super) fn contains(&self, name: &TableName) -> bool {
        self.relations.contains_key(name)
    }

    pub(super) fn insert(&mut self, name: TableName, relation: Relation) -> Result<(), Problem> {
        if self.relations.contains_key(&name) {
            return Err(Problem::Exists {
                name: name.to_string(),
            });
        }
        self.name_made(&name);
        self.relations.insert(name, relation);
        Ok(())
    }

    /// Makes a materialized view, a foreign table or a sequence.
    pub(super) fn insert_other(
        &mut self,
        name: TableName,
        relation: Relation,
    ) -> Result<(), Problem> {
        if let Some(Relation::Table(_)) = self.relations.get(&name) {
            return Err(Problem::Exists {
                name: name.to_string(),
            });
        }
        self.name_made(&name);
        self.relations.insert(name, relation);
        Ok(())
    }

    /// Makes or replaces a view.
    pub(super) fn insert_view(
        &mut self,
        name: TableName,
        view: ViewState,
        replaces: bool,
    ) -> Result<(), Problem> {
        match self.relations.get(&name) {
            Some(Relation::View(_)) if replaces => self.name_changed(&name.name),
            Some(_) => {
                return Err(Problem::Exists {
                    name: name.to_string(),
                });
            }
            None => self.name_made(&name),
        }
        self.relations.insert(name, Relation::View(view));
        Ok(())
    }

    pub(super) fn relation_mut(&mut self, name: &TableName) -> Option<&mut Relation> {
        self.relations.get_mut(name)
    }

    /// Whether a temporary relation has this name.
    pub(super) fn is_temporary(&self, name: &Ident) -> bool {
        let name = TableName::new(TEMPORARY, name.clone());
        self.relations.contains_key(&name)
    }

    fn views_mut(&mut self) -> impl Iterator<Item = &mut ViewState> {
        self.relations
            .values_mut()
            .filter_map(|relation| match relation {
                Relation::View(view) => Some(view),
                Relation::Table(_) | Relation::Opaque(_) | Relation::Sequence => None,
            })
    }

    /// A new relation can take the place of another one of its name along a search path.
    fn name_made(&mut self, name: &TableName) {
        let hides = self
            .relations
            .keys()
            .any(|other| other.name == name.name && other.schema != name.schema);
        if hides && name.schema.as_str() != TEMPORARY {
            self.name_changed(&name.name);
        }
    }

    fn name_changed(&mut self, name: &Ident) {
        self.views_mut().for_each(|view| view.name_changed(name));
    }

    /// A column was made, renamed or dropped.
    pub(super) fn columns_changed(&mut self, relation: &TableName, column: &Ident) {
        self.views_mut()
            .for_each(|view| view.column_changed(&relation.name, column));
    }

    /// Drops a relation, and a partitioned table's partitions with it.
    pub(super) fn remove(&mut self, name: &TableName) {
        self.relations.remove(name);
        if name.schema.as_str() != TEMPORARY {
            self.name_changed(&name.name);
        }
        for table in self.all_details() {
            table.drop_target(name, None);
        }
        let partitions: Vec<TableName> = self
            .tables()
            .filter(|(_, table)| table.parent.as_ref() == Some(name))
            .map(|(partition, _)| partition.clone())
            .collect();
        for partition in partitions {
            self.remove(&partition);
        }
    }

    /// Gives a relation another name; partitions go on pointing at it.
    pub(super) fn rename(&mut self, from: &TableName, to: &TableName) -> Result<(), Problem> {
        let relation = self.relations.remove(from).ok_or_else(|| unknown(from))?;
        self.name_changed(&from.name);
        self.insert(to.clone(), relation)?;
        for relation in self.relations.values_mut() {
            if let Relation::Table(table) = relation
                && table.parent.as_ref() == Some(from)
            {
                table.parent = Some(to.clone());
            }
        }
        for table in self.all_details() {
            table.rename_target(from, to);
        }
        Ok(())
    }

    pub(super) fn drop_schema(&mut self, schema: &Ident) {
        let gone: Vec<TableName> = self
            .relations
            .keys()
            .filter(|name| name.schema == *schema)
            .cloned()
            .collect();
        for name in gone {
            self.remove(&name);
        }
        self.types.retain(|name, _| name.schema != *schema);
    }

    pub(super) fn rename_schema(&mut self, from: &Ident, to: &Ident) -> Result<(), Problem> {
        let moved: Vec<TableName> = self
            .relations
            .keys()
            .filter(|name| name.schema == *from)
            .cloned()
            .collect();
        for name in moved {
            let target = TableName::new(to.clone(), name.name.clone());
            self.rename(&name, &target)?;
        }
        self.name_changed(from);
        let types = std::mem::take(&mut self.types);
        self.types = types
            .into_iter()
            .map(|(mut name, definition)| {
                if name.schema == *from {
                    name.schema = to.clone();
                }
                (name, definition)
            })
            .collect();
        Ok(())
    }

    /// A table of which the columns and the placement hold for this one too: itself, or the
    /// outermost partitioned table.
    pub(super) fn root<'a>(&'a self, name: &'a TableName) -> &'a TableName {
        let mut at = name;
        // A partition is attached to what existed before it, so the way up ends.
        while let Ok(TableState {
            parent: Some(parent),
            ..
        }) = self.table(at)
        {
            at = parent;
        }
        at
    }

    /// The columns of a table.
    pub(super) fn columns(&self, name: &TableName) -> Result<&[ColumnState], Problem> {
        let root = self.root(name);
        self.table(root)?
            .columns
            .as_deref()
            .ok_or(Problem::Unsupported {
                what: "a table whose columns come from a query",
                fix: "Make the table with a list of columns, and fill it with INSERT … SELECT.",
            })
    }

    /// The details of every table.
    pub(super) fn all_details(&mut self) -> impl Iterator<Item = &mut Details> {
        self.relations
            .values_mut()
            .filter_map(|relation| match relation {
                Relation::Table(table) => Some(&mut *table.details),
                Relation::View(_) | Relation::Opaque(_) | Relation::Sequence => None,
            })
    }

    /// The columns of a table's primary key; none where it has no such key.
    pub(super) fn primary_key(&self, table: &TableName) -> Vec<Ident> {
        let keys = self
            .table(self.root(table))
            .map(|table| table.keys.as_slice());
        let primary = keys
            .unwrap_or_default()
            .iter()
            .find(|key| key.label == Label::PrimaryKey);
        primary.map(|key| key.columns.clone()).unwrap_or_default()
    }

    /// Whether a column has a type of this name, in whatever schema.
    pub(super) fn is_column_type(&self, name: &Ident) -> Result<bool, Problem> {
        let columns = self
            .tables()
            .filter_map(|(_, table)| table.columns.as_ref());
        for column in columns.flatten() {
            let written = &column.data_type;
            for piece in split(written)? {
                if names_in(Cursor::new(written, &piece.tokens)).contains(name) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Whether no relation, index or constraint of the schema has this name.
    pub(super) fn is_free(&self, schema: &Ident, name: &str) -> bool {
        let full = TableName::new(schema.clone(), name);
        !self.relations.contains_key(&full)
            && !self
                .tables()
                .filter(|(table, _)| table.schema == *schema)
                .any(|(_, table)| table.keys.iter().any(|key| key.name.as_str() == name))
    }

    /// The table with this index, and the index' place among its keys.
    pub(super) fn find_index(&self, name: &Name) -> Result<Option<(TableName, usize)>, Problem> {
        let candidates = self.candidates(name)?;
        Ok(candidates.into_iter().find_map(|candidate| {
            self.tables()
                .filter(|(table, _)| table.schema == candidate.schema)
                .find_map(|(table, state)| {
                    let place = state
                        .keys
                        .iter()
                        .position(|key| key.name == candidate.name)?;
                    Some((table.clone(), place))
                })
        }))
    }

    /// Forgets the temporary tables: a file's session is over.
    pub(super) fn end_session(&mut self) {
        self.drop_schema(&Ident::new(TEMPORARY));
    }
}

fn unknown(name: &TableName) -> Problem {
    Problem::UnknownTable {
        name: name.to_string(),
    }
}
