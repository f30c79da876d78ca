//! Which table each name means.

use crate::policy::Catalogs;
use crate::tenancy::PLACEHOLDER;
use crate::{TableName, Tenancy, View};

use super::Failure;
use super::tree::Tree;

/// Views within views.
const MAX_DEPTH: usize = 8;

/// Which tree it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    /// It may name views, each of which is replaced by the tree of its query, and leave schemas out.
    Input,
    /// It names tables alone, each with its schema.
    Output,
}

/// What a tree names, its views' queries included.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) tenant_tables: usize,
    /// Tables that were named without their schema.
    pub(super) unqualified: usize,
}

/// Gives every table's name its schema, leaves names of `WITH` queries bare, and counts. An alias
/// that only repeats the table's name is dropped: it changes nothing.
pub(super) fn resolve(
    tree: &mut Tree,
    tenancy: &Tenancy,
    catalogs: &Catalogs,
    text: Text,
) -> Result<Names, Failure> {
    let mut resolver = Resolver {
        tenancy,
        catalogs,
        text,
        depth: 0,
        ctes: Vec::new(),
        names: Names::default(),
    };
    resolver.walk(tree)?;
    Ok(resolver.names)
}

struct Resolver<'t> {
    tenancy: &'t Tenancy,
    catalogs: &'t Catalogs,
    text: Text,
    /// How many views stand around.
    depth: usize,
    /// The names of the `WITH` queries in scope.
    ctes: Vec<String>,
    names: Names,
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
        self.names.unqualified += usize::from(schema.is_empty());
        if schema == PLACEHOLDER && self.text == Text::Input {
            return Err("the placeholder of a tenant's schema is named");
        }
        let schema = (!schema.is_empty()).then_some(schema);
        if let Some(view) = self.tenancy.resolve_view(schema.as_deref(), &name) {
            return self.view(table, view, name);
        }
        if let Some(known) = self.tenancy.resolve(schema.as_deref(), &name) {
            self.names.tenant_tables += usize::from(known.distribution().is_some());
            table.set_text("schemaname", known.name().schema.as_str());
            return Ok(());
        }
        let schema = schema.as_deref().unwrap_or("pg_catalog");
        if !self.catalogs.contains_key(&TableName::new(schema, name)) {
            return Err("a table is not in the tenancy");
        }
        table.set_text("schemaname", schema);
        Ok(())
    }
}

impl Resolver<'_> {
    /// `v AS a` is `(query) AS a`, and the query sees no `WITH` query of the statement.
    fn view(&mut self, table: &mut Tree, view: &View, name: String) -> Result<(), Failure> {
        if self.text == Text::Output {
            return Err("a view is named");
        }
        if table.number("inh") == 0 || self.depth == MAX_DEPTH {
            return Err("a view is named in a way that is not known");
        }
        let parsed = pg_query::parse(&view.query(), 0).map_err(|_| "a view's query is none")?;
        let mut query = match parsed.protobuf.stmts.as_slice() {
            [one] => one.stmt.as_ref().and_then(|query| Tree::of(&**query)),
            _ => None,
        };
        let query = query
            .as_mut()
            .filter(|query| query.is("SelectStmt"))
            .ok_or("a view's query is none")?;
        let outside = std::mem::take(&mut self.ctes);
        self.depth += 1;
        self.walk(query)?;
        self.depth -= 1;
        self.ctes = outside;

        let alias = table
            .take("alias")
            .unwrap_or_else(|| Tree::node("Alias", [("aliasname", Tree::Text(name))]));
        *table = Tree::node(
            "RangeSubselect",
            [("subquery", query.clone()), ("alias", alias)],
        );
        Ok(())
    }
}

fn repeats_name(table: &Tree, name: &str) -> bool {
    table
        .field("alias")
        .is_some_and(|alias| alias.text("aliasname") == name && alias.has_only(&["aliasname"]))
}
