//! The checks, one file a theme.

mod code;
mod foreign_keys;
mod keys;
mod names;
mod registry;
mod relatives;
mod tenant_column;

use std::collections::{BTreeMap, BTreeSet};

use super::{Exceptions, Finding, Relation, SchemaFacts};
use crate::{Distribution, Ident, Table, TableKind, TableName, Tenancy};

/// What is examined.
pub(super) struct Subject<'a> {
    facts: &'a SchemaFacts,
    tenancy: &'a Tenancy,
    exceptions: &'a Exceptions,
    relations: BTreeMap<&'a TableName, &'a Relation>,
    tables: BTreeMap<&'a TableName, &'a Table>,
}

/// A tenant table of the tenancy that is there.
#[derive(Clone, Copy)]
struct TenantTable<'a> {
    relation: &'a Relation,
    distribution: &'a Distribution,
}

/// Runs all checks.
pub(super) fn all(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for check in [
        keys::check,
        foreign_keys::check,
        tenant_column::check,
        code::check,
        relatives::check,
        names::check,
        registry::check,
    ] {
        check(subject, &mut findings);
    }
    findings
}

impl<'a> Subject<'a> {
    pub(super) fn new(
        facts: &'a SchemaFacts,
        tenancy: &'a Tenancy,
        exceptions: &'a Exceptions,
    ) -> Self {
        let relations = facts.relations.iter();
        Self {
            facts,
            tenancy,
            exceptions,
            relations: relations
                .map(|relation| (&relation.table, relation))
                .collect(),
            tables: tenancy
                .tables()
                .map(|table| (table.name(), table))
                .collect(),
        }
    }

    fn tenant_tables(&self) -> impl Iterator<Item = TenantTable<'a>> {
        self.tenancy.tables().filter_map(|table| {
            Some(TenantTable {
                relation: *self.relations.get(table.name())?,
                distribution: table.distribution()?,
            })
        })
    }

    /// How a table is distributed in the tenancy, where it is a tenant table.
    fn distribution(&self, name: &TableName) -> Option<&'a Distribution> {
        self.tables.get(name)?.distribution()
    }

    /// Whether the tenancy takes it for a table that every tenant reads.
    fn is_for_all(&self, name: &TableName) -> bool {
        self.tables
            .get(name)
            .is_some_and(|table| matches!(table.kind(), TableKind::Reference))
    }

    /// The names of all tenant columns.
    fn tenant_columns(&self) -> BTreeSet<&'a Ident> {
        self.tenancy
            .tables()
            .filter_map(|table| Some(&table.distribution()?.column))
            .collect()
    }

    /// The tables above a relation, at any height.
    fn ancestors(&self, relation: &'a Relation) -> BTreeSet<&'a TableName> {
        self.closure(relation, |relation| {
            relation
                .parents
                .iter()
                .map(|parent| &parent.table)
                .collect()
        })
    }

    /// What a view reads, also by way of other views.
    fn sources(&self, view: &'a Relation) -> BTreeSet<&'a TableName> {
        self.closure(view, |relation| relation.reads.iter().collect())
    }

    fn closure(
        &self,
        start: &'a Relation,
        next: impl Fn(&'a Relation) -> Vec<&'a TableName>,
    ) -> BTreeSet<&'a TableName> {
        let mut reached = BTreeSet::new();
        let mut open = next(start);
        while let Some(name) = open.pop() {
            if reached.insert(name)
                && let Some(relation) = self.relations.get(name)
            {
                open.extend(next(relation));
            }
        }
        reached
    }
}

impl TenantTable<'_> {
    /// The name of something that belongs to the table: `public.tasks.tasks_pkey`.
    fn part(&self, name: &Ident) -> String {
        part(self.relation, name)
    }
}

fn part(relation: &Relation, name: &Ident) -> String {
    format!("{}.{name}", relation.table)
}

/// Names in a sentence.
fn joined<T: ToString>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    names.join(", ")
}
