//! What names mean, as PostgreSQL resolves them.

use crate::tenancy::PLACEHOLDER;
use crate::{Distribution, Table, TableName, View};

use super::tree::{Pair, Tree};
use super::{Prover, Result, holds, syntax};

pub(super) enum Meaning<'t> {
    /// A query of `WITH`.
    Query,
    View(&'t View),
    Table(&'t Table),
    Catalog(&'t TableName),
}

/// A table with a tenant column.
pub(super) struct TenantTable<'t> {
    pub(super) table: &'t Table,
    pub(super) tenant: &'t Distribution,
    /// The tenant column as the statement names it.
    pub(super) column: Tree,
}

impl<'t> Prover<'t> {
    /// What a `RangeVar` means: without a schema, a `WITH` query comes first.
    pub(super) fn meaning(&self, name: &Tree) -> Result<Meaning<'t>> {
        let (schema, relation) = (name.text("schemaname"), name.text("relname"));
        holds(!name.has("catalogname"), "a database is named")?;
        holds(schema != PLACEHOLDER, "a tenant's schema is named")?;
        if schema.is_empty() && self.queries.iter().any(|query| query == relation) {
            return Ok(Meaning::Query);
        }
        let schema = Some(schema).filter(|schema| !schema.is_empty());
        if let Some(view) = self.tenancy.resolve_view(schema, relation) {
            return Ok(Meaning::View(view));
        }
        if let Some(table) = self.tenancy.resolve(schema, relation) {
            return Ok(Meaning::Table(table));
        }
        let catalog = TableName::new(schema.unwrap_or("pg_catalog"), relation);
        let catalog = self.catalogs.get_key_value(&catalog);
        let (catalog, _) = catalog.ok_or("a table is not in the tenancy")?;
        Ok(Meaning::Catalog(catalog))
    }

    /// The tenant table that is named, or of which a sample is taken. `None` for anything else, and where
    /// an alias renames columns, so that the tenant column's name could mean another.
    pub(super) fn tenant_table(&self, item: &Tree) -> Option<TenantTable<'t>> {
        let name = table_name(item);
        let Ok(Meaning::Table(table)) = self.meaning(name) else {
            return None;
        };
        let tenant = table.distribution()?;
        if name.has("alias") && *name.field("alias") != syntax::alias(short_name(name)) {
            return None;
        }
        let column = syntax::column(short_name(name), tenant.column.as_str());
        Some(TenantTable {
            table,
            tenant,
            column,
        })
    }

    /// `t` is `schema.t`, and a sample of it the same sample of that.
    pub(super) fn named(&mut self, mut item: Pair) -> Result<()> {
        if item.before.is("RangeTableSample") {
            self.named(item.take("relation"))?;
            return self.rest(item);
        }
        let full = match self.meaning(&item.before)? {
            Meaning::Query => return self.rest(item),
            Meaning::View(_) => return Err("a view is named where none can be"),
            Meaning::Table(table) => table.name(),
            Meaning::Catalog(name) => name,
        };
        let schema = syntax::text(full.schema.as_str());
        item.before.set("schemaname", schema);
        self.rest(item)
    }

    /// `v AS a` is `(query) AS a`. The query sees no `WITH` query of the statement.
    pub(super) fn view(&mut self, mut item: Pair, view: &View) -> Result<()> {
        // A sample has no such field.
        holds(item.before.number("inh") == 1, "a view has no ONLY")?;
        let after = replaced(&mut item.before, item.after)?;
        let parsed = pg_query::parse(&view.query(), 0).map_err(|_| "a view is no query")?;
        let parsed = Tree::of(&parsed.protobuf);
        let mut statements = parsed.ok_or("a view cannot be walked")?.take("stmts");
        let before = statements.pop().take("stmt");
        holds(statements == Tree::Nothing, "a view is no query")?;
        let outside = std::mem::take(&mut self.queries);
        self.same(Pair { before, after })?;
        self.queries = outside;
        Ok(())
    }

    /// Without `RECURSIVE` a query sees those before it; with it, all of them.
    pub(super) fn with(&mut self, mut with: Pair) -> Result<()> {
        let name = |query: &Pair| query.before.text("ctename").to_owned();
        let queries = with.take("ctes").parts()?;
        if with.before.has("recursive") {
            self.queries.extend(queries.iter().map(name));
        }
        for query in queries {
            let name = name(&query);
            self.same(query)?;
            self.queries.push(name);
        }
        self.rest(with)
    }
}

/// The `RangeVar` of an item in a `FROM` list, or of the table that it is a sample of.
pub(super) fn table_name(item: &Tree) -> &Tree {
    if item.is("RangeTableSample") {
        item.field("relation")
    } else {
        item
    }
}

/// The name by which a table's columns are named.
pub(super) fn short_name(name: &Tree) -> &str {
    if name.has("alias") {
        name.field("alias").text("aliasname")
    } else {
        name.text("relname")
    }
}

/// `name` is `(…) AS name`. Takes the alias off, and gives what is in the parentheses.
pub(super) fn replaced(before: &mut Tree, mut after: Tree) -> Result<Tree> {
    let mut alias = before.take("alias");
    if alias == Tree::Nothing {
        alias = syntax::alias(short_name(table_name(before)));
    }
    let query = after.take("subquery");
    let is_alone = after == Tree::node("RangeSubselect", [("alias", alias)]);
    holds(is_alone, "something else stands for a name")?;
    Ok(query)
}
