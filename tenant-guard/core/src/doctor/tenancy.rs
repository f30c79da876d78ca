//! The tenancy that a Citus cluster itself tells.

use std::collections::BTreeMap;

use super::{CitusTable, Column, Relation, RelationKind, SchemaFacts};
use crate::{Table, TableName, Tenancy, TenancyError, TenantType};

impl SchemaFacts {
    /// The tenancy as Citus' catalogs have it: distributed tables with their columns and groups,
    /// reference tables, and all other tables as local. Without [`SchemaFacts::citus`] all tables are
    /// local. Views, whose queries these facts do not tell, materialized views and foreign tables are
    /// [opaque](crate::TableKind::Opaque), unless Citus keeps them.
    ///
    /// # Errors
    /// See [`TenancyError`].
    pub fn tenancy(&self) -> Result<Tenancy, TenancyError> {
        let placements: BTreeMap<&TableName, &CitusTable> = self
            .citus
            .iter()
            .flat_map(|citus| &citus.tables)
            .map(|table| (&table.table, table))
            .collect();
        let mut builder = Tenancy::builder();
        if !self.search_path.is_empty() {
            builder = builder.search_path(self.search_path.iter().cloned());
        }
        for relation in &self.relations {
            builder = builder.table(table(relation, placements.get(&relation.table).copied()));
        }
        for function in &self.functions {
            builder = builder.user_function(function.name.clone());
        }
        builder.build()
    }
}

fn table(relation: &Relation, placement: Option<&CitusTable>) -> Table {
    let name = relation.table.name.as_str();
    let table = match placement {
        Some(placement) if placement.is_reference() => Table::reference(name),
        Some(CitusTable {
            column: Some(column),
            method,
            colocation,
            ..
        }) => {
            let tenant_type = relation.column(column).map(Column::tenant_type);
            let tenant_type = tenant_type.unwrap_or(TenantType::Other("unknown".to_owned()));
            let group = if method == "h" && *colocation > 0 {
                colocation.to_string()
            } else {
                format!("of {}", relation.table)
            };
            Table::distributed(name, column.as_str(), tenant_type).colocated_with(&group)
        }
        Some(_) | None => match relation.kind {
            RelationKind::Table => Table::local(name),
            RelationKind::View => Table::opaque(name, "a view whose query was not read"),
            RelationKind::MaterializedView => Table::opaque(name, "a materialized view"),
            RelationKind::ForeignTable => Table::opaque(name, "a foreign table"),
        },
    };
    let mut table = table
        .schema(relation.table.schema.as_str())
        .columns(relation.columns.iter().map(|column| column.name.clone()));
    for key in &relation.keys {
        table = table.named_unique_key(key.name.as_str(), key.columns.iter().cloned());
    }
    table
}

impl Column {
    /// A domain is none of the types that are known by name.
    fn tenant_type(&self) -> TenantType {
        match &self.domain_over {
            Some(_) => TenantType::Other(self.data_type.clone()),
            None => TenantType::from_sql(&self.data_type),
        }
    }
}

impl CitusTable {
    /// Whether it is the same on every node.
    pub fn is_reference(&self) -> bool {
        self.method == "n" && self.replication == "t"
    }
}

#[cfg(test)]
mod tests {
    use crate::TableKind;

    use super::*;

    #[test]
    fn what_is_no_table_is_no_local_table() {
        let facts: SchemaFacts = serde_json::from_str(
            r#"{"relations": [
                {"schema": "public", "name": "jobs", "kind": "table"},
                {"schema": "public", "name": "open", "kind": "view"},
                {"schema": "public", "name": "totals", "kind": "materialized_view"},
                {"schema": "public", "name": "elsewhere", "kind": "foreign_table"}
            ]}"#,
        )
        .unwrap();
        let tenancy = facts.tenancy().unwrap();
        let is = |name| match tenancy.resolve(None, name).unwrap().kind() {
            TableKind::Opaque { what } => what.clone(),
            other => format!("{other:?}"),
        };
        assert_eq!(is("jobs"), "Local");
        assert_eq!(is("open"), "a view whose query was not read");
        assert_eq!(is("totals"), "a materialized view");
        assert_eq!(is("elsewhere"), "a foreign table");
    }
}
