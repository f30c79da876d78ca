//! The tenancy that a schema makes.

use super::super::{Table, TableName, Tenancy, TenancyError, TenantType};
use super::schema::{Placement, Relation, Schema, TableState, UserType};

impl Schema {
    /// The tenancy that all this makes.
    pub(super) fn build(mut self) -> Result<Tenancy, TenancyError> {
        self.end_session();
        let path = self.path.for_sessions();
        let path = if path.is_empty() {
            vec!["public".into()]
        } else {
            path.to_vec()
        };
        let mut builder = Tenancy::builder().search_path(path.clone());
        for (name, relation) in &self.relations {
            builder = match relation {
                Relation::Table(state) => builder.table(self.table_for_guard(name, state)),
                Relation::View(view) => view.add_to(builder, name, &path),
                Relation::Opaque(what) => {
                    let table = Table::opaque(name.name.as_str(), what);
                    builder.table(table.schema(name.schema.as_str()))
                }
                Relation::Sequence => builder,
            };
        }
        for (name, definition) in &self.types {
            // A type's name is known without its schema, so none of that name may run code.
            let harmful = self.types.iter().any(|(other, definition)| {
                other.name == name.name && matches!(definition, UserType::Opaque)
            });
            builder = match definition {
                _ if harmful => builder,
                UserType::Enum => builder.enum_type(name.name.clone()),
                UserType::Composite(fields) => {
                    builder.composite_type(name.name.clone(), fields.iter().cloned())
                }
                UserType::Opaque => builder,
            };
        }
        for function in &self.functions {
            builder = builder.user_function(function.clone());
        }
        builder.build()
    }

    fn table_for_guard(&self, name: &TableName, state: &TableState) -> Table {
        let root = self.table(self.root(name)).unwrap_or(state);
        let columns = root.columns.as_deref().unwrap_or_default();
        let table = match &root.placement {
            Placement::Local => Table::local(name.name.as_str()),
            Placement::Reference => Table::reference(name.name.as_str()),
            Placement::Distributed { column, group } => {
                let tenant_type = columns
                    .iter()
                    .find(|candidate| candidate.name == *column)
                    .map_or(TenantType::Other("unknown".to_owned()), |column| {
                        tenant_type(&column.data_type)
                    });
                Table::distributed(name.name.as_str(), column.as_str(), tenant_type)
                    .colocated_with(group.name())
            }
        };
        let mut table = table
            .schema(name.schema.as_str())
            .columns(columns.iter().map(|column| column.name.clone()));
        for key in state.keys.iter().filter(|key| key.unique) {
            table = table.named_unique_key(key.name.as_str(), key.columns.iter().cloned());
        }
        // A partition has an index of its own for each key of the tables above it.
        let mut above = state.parent.as_ref();
        while let Some(state) = above.and_then(|name| self.table(name).ok()) {
            for key in state.keys.iter().filter(|key| key.unique) {
                table = table.unique_key(key.columns.iter().cloned());
            }
            above = state.parent.as_ref();
        }
        table
    }
}

/// The type of a tenant column: modifiers do not count, and a serial column is an integer.
pub(super) fn tenant_type(written: &str) -> TenantType {
    let mut bare = String::with_capacity(written.len());
    let mut depth = 0_usize;
    for character in written.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => bare.push(character),
            _ => {}
        }
    }
    let bare = bare
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_ascii_lowercase();
    match bare.as_str() {
        "smallserial" | "serial2" => TenantType::Int2,
        "serial" | "serial4" => TenantType::Int4,
        "bigserial" | "serial8" => TenantType::Int8,
        "char varying" => TenantType::Varchar,
        // The one-byte type "char" is not character(1).
        "\"char\"" => TenantType::Other("\"char\"".to_owned()),
        _ => TenantType::from_sql(&bare),
    }
}
