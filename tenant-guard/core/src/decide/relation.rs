//! What a named table is, and what is done to it.

use crate::facts::{ConditionSite, Relation};
use crate::tenancy::PLACEHOLDER;
use crate::{Access, Code, Distribution, Ident, Refusal, Table, TableKind};

use super::scope::{Columns, CteScope, Item};
use super::{Decider, Edit, Flat, Restriction};

impl<'a> Decider<'a> {
    /// A table, or a `WITH` query, that is read.
    pub(super) fn read_relation(
        &mut self,
        relation: &Relation,
        ctes: &CteScope<'_>,
        flat: &mut Flat<'_>,
    ) -> Result<Item, Refusal> {
        if let Some(columns) = cte(relation, ctes) {
            return Ok(item(relation, columns.clone()));
        }
        let schema = relation.schema.as_ref().map(Ident::as_str);
        if let Some(view) = self.tenancy.resolve_view(schema, relation.name.as_str()) {
            return self.expand(relation, view);
        }
        if let Some(item) = self.read_catalog(relation) {
            return Ok(item);
        }
        let table = self.known_table(relation)?;
        let mut item = item(relation, columns(table));
        if table.is_read_only() {
            self.note_view(&relation.name_span);
        }
        match table.kind() {
            TableKind::Distributed(distribution)
                if !table.is_read_only() && flat.takes(relation, table, distribution) =>
            {
                return self.keep(relation, table);
            }
            TableKind::Distributed(distribution) => {
                self.touch(distribution, relation)?;
                item.is_tenant_table = !table.is_read_only();
                item.row_is_renamed = relation.renames_columns();
                self.select_star(relation);
                self.edits.push(Edit::Derive {
                    relation: relation.clone(),
                    table: table.name().clone(),
                    tenant_column: distribution.column.clone(),
                });
            }
            TableKind::TenantSchema => return self.keep(relation, table),
            TableKind::Reference => {
                if self.access == Access::Nothing {
                    self.access = Access::Reference;
                }
                self.note_reference_table(&relation.name_span);
                self.qualify(relation, table);
                item.plain_table = plain(relation, table);
            }
            TableKind::Local => return Err(local(relation)),
            TableKind::Opaque { what } => return Err(opaque(relation, what)),
        }
        Ok(item)
    }

    /// A catalog that the policy lets be read, unless a table of the schema is meant.
    fn read_catalog(&mut self, relation: &Relation) -> Option<Item> {
        let schema = relation.schema.as_ref();
        if self
            .tenancy
            .resolve(schema.map(Ident::as_str), relation.name.as_str())
            .is_some()
        {
            return None;
        }
        let (name, columns) = self.policy.catalog(schema, &relation.name)?;
        // Its rows are as little a tenant's as a reference table's: nobody may lock them.
        self.note_reference_table(&relation.name_span);
        self.edits.push(Edit::Qualify {
            relation: relation.clone(),
            table: name.clone(),
        });
        let mut item = item(relation, Columns::Known(columns.to_vec()));
        item.plain_table = relation.alias.is_none().then(|| name.clone());
        Some(item)
    }

    /// A tenant table that stays a table: a condition restricts it.
    pub(super) fn keep_and_restrict(
        &mut self,
        relation: &Relation,
        table: &Table,
        condition: &ConditionSite,
    ) -> Result<Item, Refusal> {
        let item = self.keep(relation, table)?;
        if let Some(distribution) = table.distribution() {
            self.edits.push(Edit::Condition {
                site: condition.clone(),
                restrictions: vec![Restriction {
                    qualifier: relation.reference_name().clone(),
                    tenant_column: distribution.column.clone(),
                    equal_to: None,
                }],
            });
        }
        Ok(item)
    }

    /// `TABLE name` has no place for a condition.
    pub(super) fn select_star(&mut self, relation: &Relation) {
        if let Some(keyword) = relation.table_keyword.clone() {
            self.edits.push(Edit::SelectStar { keyword });
        }
    }

    /// A tenant table that stays a table; what restricts it is the caller's part.
    pub(super) fn keep(&mut self, relation: &Relation, table: &Table) -> Result<Item, Refusal> {
        if let Some(distribution) = table.distribution() {
            self.touch(distribution, relation)?;
            self.select_star(relation);
        }
        self.qualify(relation, table);
        let mut item = item(relation, columns(table));
        if matches!(table.kind(), TableKind::TenantSchema) {
            self.access = Access::TenantSchema;
        } else {
            item.plain_table = plain(relation, table);
        }
        item.is_tenant_table = true;
        Ok(item)
    }

    /// The table that is written to: a tenant's, never a `WITH` query. It has a tenant column, or is in
    /// the tenant's schema.
    pub(super) fn written_table(
        &mut self,
        relation: &Relation,
        ctes: &CteScope<'_>,
    ) -> Result<(&'a Table, Option<&'a Distribution>), Refusal> {
        if cte(relation, ctes).is_some() {
            return Err(Refusal::new(
                Code::RelationUse,
                format!(
                    "{} is a WITH query here, which cannot be written to",
                    relation.name
                ),
                "give the WITH query another name",
            )
            .at(relation.name_span.clone()));
        }
        self.writes = true;
        if self.expansions.is_within_view() {
            return Err(Refusal::new(
                Code::RelationUse,
                "a view's query writes, which PostgreSQL does not allow",
                "correct the view's definition in the tenancy",
            )
            .at(relation.name_span.clone()));
        }
        let schema = relation.schema.as_ref().map(Ident::as_str);
        if self
            .tenancy
            .resolve_view(schema, relation.name.as_str())
            .is_some()
        {
            return Err(written_view(relation));
        }
        let table = self.known_table(relation)?;
        if table.is_read_only() {
            return Err(written_view(relation));
        }
        match table.kind() {
            TableKind::Distributed(distribution) => Ok((table, Some(distribution))),
            TableKind::TenantSchema => Ok((table, None)),
            TableKind::Reference => Err(Refusal::new(
                Code::ReferenceWrite,
                format!(
                    "{} is a reference table, which every tenant reads",
                    relation.name
                ),
                "change reference tables with `unscoped`",
            )
            .at(relation.name_span.clone())),
            TableKind::Local => Err(local(relation)),
            TableKind::Opaque { what } => Err(opaque(relation, what)),
        }
    }

    fn known_table(&self, relation: &Relation) -> Result<&'a Table, Refusal> {
        let schema = relation.schema.as_ref().map(Ident::as_str);
        let known = self.tenancy.resolve(schema, relation.name.as_str());
        // What stands for a tenant's schema is not for statements to name.
        known.filter(|_| schema != Some(PLACEHOLDER)).ok_or_else(|| {
            let name = match &relation.schema {
                Some(schema) => format!("{schema}.{}", relation.name),
                None => relation.name.to_string(),
            };
            Refusal::new(
                Code::UnknownTable,
                format!("{name} is not a table of this tenancy"),
                "check the spelling; views and tables made outside the migrations have to be added to the tenancy",
            )
            .at(relation.name_span.clone())
        })
    }

    fn qualify(&mut self, relation: &Relation, table: &Table) {
        self.edits.push(Edit::Qualify {
            relation: relation.clone(),
            table: table.name().clone(),
        });
    }

    /// Notes that a tenant table is touched; all have to be in one group, so that one node has
    /// all of the tenant's rows.
    fn touch(&mut self, distribution: &Distribution, relation: &Relation) -> Result<(), Refusal> {
        match &self.access {
            Access::Tenant { colocation, .. } if *colocation != distribution.colocation => {
                Err(Refusal::new(
                    Code::MixedColocation,
                    format!(
                        "{} is in colocation group {}, other tables of the statement in {colocation}",
                        relation.name, distribution.colocation
                    ),
                    "distribute the tables together (colocate_with), or use two statements",
                )
                .at(relation.name_span.clone()))
            }
            _ => {
                self.access = Access::Tenant {
                    colocation: distribution.colocation.clone(),
                    tenant_type: distribution.tenant_type.clone(),
                };
                Ok(())
            }
        }
    }
}

fn cte<'s>(relation: &Relation, ctes: &'s CteScope<'_>) -> Option<&'s Columns> {
    match relation.schema {
        Some(_) => None,
        None => ctes.find(&relation.name),
    }
}

pub(super) fn item(relation: &Relation, columns: Columns) -> Item {
    let columns = match &relation.alias {
        Some(alias) => columns.renamed(&alias.columns),
        None => columns,
    };
    Item {
        name: Some(relation.reference_name().clone()),
        columns,
        plain_table: None,
        is_tenant_table: false,
        row_is_renamed: false,
    }
}

pub(super) fn columns(table: &Table) -> Columns {
    Columns::Known(
        table
            .column_list()
            .iter()
            .map(|column| column.name.clone())
            .collect(),
    )
}

fn plain(relation: &Relation, table: &Table) -> Option<crate::TableName> {
    relation.alias.is_none().then(|| table.name().clone())
}

fn local(relation: &Relation) -> Refusal {
    Refusal::new(
        Code::LocalTable,
        format!(
            "{} is a local table, which the workers do not have",
            relation.name
        ),
        "distribute it by the tenant, make it a reference table, or use `unscoped`",
    )
    .at(relation.name_span.clone())
}

fn opaque(relation: &Relation, what: &str) -> Refusal {
    Refusal::new(
        Code::UnknownTable,
        format!(
            "{} is {what}, and nobody has said whose rows it holds",
            relation.name
        ),
        "declare what it is (Tenancy::declare), or read the tables that it is made of",
    )
    .at(relation.name_span.clone())
}

fn written_view(relation: &Relation) -> Refusal {
    Refusal::new(
        Code::RelationUse,
        format!("{} is a view, which cannot be written to", relation.name),
        "write to the table behind it",
    )
    .at(relation.name_span.clone())
}
