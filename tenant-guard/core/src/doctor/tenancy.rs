//! The tenancy that a Citus cluster itself tells.

use std::collections::BTreeMap;

use super::{CitusTable, Column, Relation, SchemaFacts};
use crate::{Table, TableName, Tenancy, TenancyError, TenantType};

impl SchemaFacts {
    /// The tenancy as Citus' catalogs have it: distributed tables with their columns and groups,
    /// reference tables, and everything else as local. Without [`SchemaFacts::citus`] all tables are
    /// local.
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
        Some(_) | None => Table::local(name),
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
