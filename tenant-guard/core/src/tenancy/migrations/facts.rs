//! What migrations tell the doctor.

use std::collections::BTreeSet;
use std::path::Path;

use super::super::{Ident, TableName};
use super::build::tenant_type;
use super::details::{Constraint, Details, PolicyDetails};
use super::schema::{ColumnState, Placement, Schema, TableState};
use super::{MigrationError, migration_files, read_files, read_schema};
use crate::doctor::{
    Aspect, CitusFacts, CitusTable, Column, Expression, ForeignKey, Key, Parent, Place, Policy,
    Relation, RelationKind, Routine, SchemaFacts, Trigger,
};

impl SchemaFacts {
    /// Reads the facts from migrations, as [`Tenancy::from_migrations`](crate::Tenancy::from_migrations)
    /// reads the tenancy. What migrations cannot tell is in [`SchemaFacts::untold`].
    ///
    /// # Errors
    /// [`MigrationError`], with file, line and a way to fix it.
    pub fn from_migrations(path: impl AsRef<Path>) -> Result<Self, MigrationError> {
        let files = migration_files(path)?;
        Ok(facts(&read_files(&files)?))
    }

    /// Like [`SchemaFacts::from_migrations`], from one text.
    ///
    /// # Errors
    /// As [`SchemaFacts::from_migrations`]; the file is called `<sql>`.
    ///
    /// ```
    /// use tenant_guard::doctor::SchemaFacts;
    ///
    /// let facts = SchemaFacts::from_sql("CREATE TABLE notes (id bigint REFERENCES notes (id))")?;
    /// assert_eq!(facts.relations[0].foreign_keys[0].name.as_str(), "notes_id_fkey");
    /// # Ok::<(), tenant_guard::MigrationError>(())
    /// ```
    pub fn from_sql(sql: &str) -> Result<Self, MigrationError> {
        Ok(facts(&read_schema([("<sql>", sql)])?))
    }
}

fn facts(schema: &Schema) -> SchemaFacts {
    let mut untold = [
        Aspect::Collations,
        Aspect::Domains,
        Aspect::Operators,
        Aspect::Privileges,
        Aspect::Strays,
        Aspect::Views,
    ]
    .into_iter()
    .collect::<BTreeSet<_>>();
    if schema.unread || schema.tables().any(|(_, table)| table.details.unread) {
        untold.insert(Aspect::Unread);
    }
    let routine = |name: &Ident| Routine {
        schema: None,
        name: name.clone(),
    };
    SchemaFacts {
        search_path: schema.path.for_sessions().to_vec(),
        relations: schema
            .tables()
            .map(|(name, table)| relation(schema, name, table))
            .collect(),
        citus: citus(schema),
        functions: schema.functions.iter().map(routine).collect(),
        untold,
        ..SchemaFacts::default()
    }
}

/// As Citus' catalogs have it; `None` where no migration calls Citus.
fn citus(schema: &Schema) -> Option<CitusFacts> {
    let mut groups: Vec<&str> = Vec::new();
    let mut tables = Vec::new();
    for (name, _) in schema.tables() {
        let placement = schema.table(schema.root(name)).map(|root| &root.placement);
        let (method, replication, colocation, column) = match placement {
            Ok(Placement::Distributed { column, group }) => {
                let known = groups.iter().position(|known| *known == group.name());
                let place = known.unwrap_or_else(|| {
                    groups.push(group.name());
                    groups.len() - 1
                });
                (
                    "h",
                    "s",
                    u32::try_from(place + 1).unwrap_or(u32::MAX),
                    Some(column.clone()),
                )
            }
            Ok(Placement::Reference) => ("n", "t", 0, None),
            Ok(Placement::Local) | Err(_) => continue,
        };
        tables.push(CitusTable {
            table: name.clone(),
            method: method.to_owned(),
            replication: replication.to_owned(),
            colocation,
            column,
        });
    }
    (!tables.is_empty()).then_some(CitusFacts { tables })
}

fn relation(schema: &Schema, name: &TableName, table: &TableState) -> Relation {
    let details = &table.details;
    // A partition has the columns of the table above it, and what hangs on them.
    let root = schema.table(schema.root(name)).unwrap_or(table);
    let columns = root.columns.iter().flatten();
    let policies = details.policies.iter();
    Relation {
        table: name.clone(),
        kind: RelationKind::Table,
        columns: columns.map(|state| column(state, &root.details)).collect(),
        keys: table
            .keys
            .iter()
            .filter(|key| key.unique)
            .map(|key| Key {
                name: key.name.clone(),
                columns: key.columns.clone(),
            })
            .collect(),
        foreign_keys: details
            .constraints
            .iter()
            .filter_map(|(key, constraint)| foreign_key(schema, key, constraint))
            .collect(),
        expressions: expressions(details),
        triggers: details
            .triggers
            .iter()
            .map(|(name, function)| Trigger {
                name: name.clone(),
                function: Routine {
                    schema: function.schema.clone(),
                    name: function.name.clone(),
                },
            })
            .collect(),
        rules: Vec::new(),
        row_security: details.row_security,
        row_security_forced: details.row_security_forced,
        policies: policies
            .map(|(name, PolicyDetails { permissive, .. })| Policy {
                name: name.clone(),
                permissive: *permissive,
            })
            .collect(),
        parents: table
            .parent
            .iter()
            .map(|parent| Parent {
                table: parent.clone(),
                partition: true,
            })
            .collect(),
        reads: Vec::new(),
    }
}

fn column(state: &ColumnState, details: &Details) -> Column {
    let known = details.columns.get(&state.name);
    let data_type = tenant_type(&state.data_type);
    Column {
        name: state.name.clone(),
        data_type: data_type.as_sql().to_owned(),
        domain_over: None,
        not_null: known.is_some_and(|known| known.not_null),
        collation: state.collation.clone(),
        nondeterministic: false,
        sequence: known.and_then(|known| known.sequence.clone()),
    }
}

fn foreign_key(schema: &Schema, name: &Ident, constraint: &Constraint) -> Option<ForeignKey> {
    let Constraint::ForeignKey(key) = constraint else {
        return None;
    };
    let target = key.target.clone()?;
    let target_columns = if key.target_columns.is_empty() {
        schema.primary_key(&target)
    } else {
        key.target_columns.clone()
    };
    Some(ForeignKey {
        name: name.clone(),
        columns: key.columns.clone(),
        target,
        target_columns,
        on_delete: key.on_delete,
        on_update: key.on_update,
        delete_sets: key.delete_sets.clone(),
    })
}

fn expressions(details: &Details) -> Vec<Expression> {
    let columns = details.columns.iter().filter_map(|(name, column)| {
        let (place, calls) = column.calls.as_ref()?;
        Some((*place, name, calls))
    });
    let checks = details
        .constraints
        .iter()
        .filter_map(|(name, constraint)| match constraint {
            Constraint::Check(calls) => Some((Place::Check, name, calls)),
            Constraint::ForeignKey(_) => None,
        });
    let indexes = details
        .indexes
        .iter()
        .map(|(name, calls)| (Place::Index, name, calls));
    let policies = details
        .policies
        .iter()
        .map(|(name, policy)| (Place::Policy, name, &policy.calls));
    let all = columns.chain(checks).chain(indexes).chain(policies);
    all.filter(|(_, _, calls)| !calls.is_empty())
        .map(|(place, name, calls)| Expression {
            place,
            name: name.clone(),
            calls: calls.iter().map(called).collect(),
        })
        .collect()
}

/// A call by its name alone: PostgreSQL's own, unless the schema defines one of that name.
fn called(name: &Ident) -> Routine {
    Routine {
        schema: None,
        name: name.clone(),
    }
}
