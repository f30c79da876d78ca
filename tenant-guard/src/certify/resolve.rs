//! Which table each name means.

use crate::Tenancy;

use super::Failure;
use super::tree::Tree;

/// Gives every table's name its schema, leaves names of `WITH` queries bare, and counts the tenant
/// tables. An alias that only repeats the table's name is dropped: it changes nothing.
pub(super) fn resolve(tree: &mut Tree, tenancy: &Tenancy) -> Result<usize, Failure> {
    let mut resolver = Resolver {
        tenancy,
        ctes: Vec::new(),
        tenant_tables: 0,
    };
    resolver.walk(tree)?;
    Ok(resolver.tenant_tables)
}

struct Resolver<'t> {
    tenancy: &'t Tenancy,
    /// The names of the `WITH` queries in scope.
    ctes: Vec<String>,
    tenant_tables: usize,
}

impl Resolver<'_> {
    fn walk(&mut self, tree: &mut Tree) -> Result<(), Failure> {
        if tree.is("RangeVar") {
            return self.table(tree);
        }
        // `FOR UPDATE OF name` names aliases.
        if tree.is("LockingClause") {
            return Ok(());
        }
        let outside = self.ctes.len();
        if let Some(with) = tree.field_mut("with_clause") {
            self.with(with)?;
        }
        let walked = tree
            .children_mut()
            .filter(|(name, _)| *name != "with_clause")
            .try_for_each(|(_, child)| self.walk(child));
        self.ctes.truncate(outside);
        walked
    }

    /// Without RECURSIVE a query sees those before it; with it, all of them.
    fn with(&mut self, with: &mut Tree) -> Result<(), Failure> {
        let recursive = with.number("recursive") != 0;
        let Some(ctes) = with.field_mut("ctes") else {
            return Ok(());
        };
        if recursive {
            self.ctes.extend(
                ctes.items()
                    .iter()
                    .map(|cte| cte.text("ctename").to_owned()),
            );
        }
        for (_, cte) in ctes.children_mut() {
            self.walk(cte)?;
            if !recursive {
                self.ctes.push(cte.text("ctename").to_owned());
            }
        }
        Ok(())
    }

    fn table(&mut self, table: &mut Tree) -> Result<(), Failure> {
        let name = table.text("relname").to_owned();
        let schema = table.text("schemaname").to_owned();
        if !table.text("catalogname").is_empty() {
            return Err("a table is named with its database");
        }
        if repeats_name(table, &name) {
            table.remove("alias");
        }
        if schema.is_empty() && self.ctes.contains(&name) {
            return Ok(());
        }
        let schema = (!schema.is_empty()).then_some(schema);
        let known = self
            .tenancy
            .resolve(schema.as_deref(), &name)
            .ok_or("a table is not in the tenancy")?;
        self.tenant_tables += usize::from(known.distribution().is_some());
        table.set_text("schemaname", known.name().schema.as_str());
        Ok(())
    }
}

fn repeats_name(table: &Tree, name: &str) -> bool {
    table
        .field("alias")
        .is_some_and(|alias| alias.text("aliasname") == name && alias.has_only(&["aliasname"]))
}
