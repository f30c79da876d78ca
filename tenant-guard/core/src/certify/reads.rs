//! Rows that are read.

use crate::TableKind;

use super::names::{Meaning, replaced, table_name};
use super::syntax::{self, AND_EXPR, JOIN_INNER, JOIN_LEFT, JOIN_RIGHT};
use super::tree::{Pair, Tree};
use super::{Prover, Result, holds};

impl Prover<'_> {
    /// A name in a `FROM` list, or a sample of what it names.
    pub(super) fn read(&mut self, item: Pair) -> Result<()> {
        match self.meaning(table_name(&item.before))? {
            Meaning::Query | Meaning::Catalog(_) => self.named(item),
            Meaning::View(view) => self.view(item, view),
            Meaning::Table(table) => match table.kind() {
                TableKind::Distributed(_) => self.restricted(item),
                TableKind::Reference | TableKind::TenantSchema => self.named(item),
                TableKind::Local | TableKind::Opaque { .. } => Err("no tenant reads this table"),
            },
        }
    }

    /// `t AS a` is `(SELECT * FROM t WHERE t.tenant = $n [OFFSET 0]) AS a`. In a sample of `t AS a` the
    /// alias stays inside, too, and `a` is restricted.
    fn restricted(&mut self, mut item: Pair) -> Result<()> {
        let mut select = replaced(&mut item.before, item.after)?;
        let table = self.tenant_table(&item.before);
        let column = table.ok_or("a sample's columns are renamed")?.column;
        let mut from = select.take("from_clause");
        let (before, after) = (item.before, from.pop());
        self.named(Pair { before, after })?;
        let (before, after) = (Tree::Nothing, select.take("where_clause"));
        self.condition(Pair { before, after }, &[column], None)?;
        let forms = [syntax::select_star(), syntax::select_star_offset()];
        let is_alone = from == Tree::Nothing && forms.contains(&select);
        holds(is_alone, "a restricted table is not alone")
    }

    /// A query. What is special about its rows is proven by `rows`, where its `WITH` queries are known.
    pub(super) fn query(
        &mut self,
        mut query: Pair,
        rows: impl FnOnce(&mut Self, &mut Pair) -> Result<()>,
    ) -> Result<()> {
        let outside = self.queries.len();
        self.same(query.take("with_clause"))?;
        rows(self, &mut query)?;
        let mut columns = Vec::new();
        for item in query.take("from_clause").parts()? {
            self.joined(item, true, &mut columns)?;
        }
        self.condition(query.take("where_clause"), &columns, None)?;
        self.rest(query)?;
        self.queries.truncate(outside);
        Ok(())
    }

    /// A tenant table may stay one where a condition on its rows says the same in `WHERE`, `in_where`:
    /// not on the side that an outer join fills up, nor where its name is hidden. Then its column is one
    /// of those that `WHERE` has to restrict.
    fn joined(&mut self, mut item: Pair, in_where: bool, columns: &mut Vec<Tree>) -> Result<()> {
        if item.before.is("JoinExpr") {
            let kind = item.before.number("jointype");
            let in_where = in_where && !item.before.has("alias");
            for (side, kept_by) in [("larg", JOIN_LEFT), ("rarg", JOIN_RIGHT)] {
                let in_where = in_where && [JOIN_INNER, kept_by].contains(&kind);
                self.joined(item.take(side), in_where, columns)?;
            }
            return self.rest(item);
        }
        if in_where
            && item.before.name() == item.after.name()
            && let Some(table) = self.tenant_table(&item.before)
        {
            columns.push(table.column);
            return self.named(item);
        }
        self.same(item)
    }

    /// A condition that begins with restrictions in this order: `a.tenant = $n AND b.tenant = $n AND
    /// (before)`. What follows them is one argument of `AND`, which the grammar flattens on its left
    /// only, so that it is what stood there before. A `source` is said to be equal, too.
    pub(super) fn condition(
        &mut self,
        Pair { before, mut after }: Pair,
        columns: &[Tree],
        source: Option<&Tree>,
    ) -> Result<()> {
        if columns.is_empty() {
            return self.same(Pair { before, after });
        }
        let parts = match after.number("boolop") {
            AND_EXPR => after.take("args").into_items(),
            _ => vec![after],
        };
        let mut parts = parts.into_iter().peekable();
        for column in columns {
            let restriction = parts.next_if_eq(&syntax::equal(column, &self.tenant));
            holds(restriction.is_some(), "a table is not restricted")?;
            // It may say the same once more, in a form that costs less.
            parts.next_if_eq(&syntax::equal_to_any(column, &self.tenant));
            if let Some(source) = source {
                let equality = parts.next_if_eq(&syntax::equal(column, source));
                holds(equality.is_some(), "a source is not restricted")?;
            }
        }
        let after = parts.next().unwrap_or(Tree::Nothing);
        holds(parts.next().is_none(), "a condition says more")?;
        self.same(Pair { before, after })
    }
}
