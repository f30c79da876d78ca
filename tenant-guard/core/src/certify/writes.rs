//! Rows that are written.

use crate::{TableKind, TenantType};

use super::names::{Meaning, TenantTable, short_name};
use super::syntax::{self, CMD_INSERT, NOT_MATCHED_BY_SOURCE, SETOP_NONE};
use super::tree::{Pair, Tree};
use super::{Prover, Result, holds};

impl Prover<'_> {
    pub(super) fn write(&mut self, mut statement: Pair) -> Result<()> {
        let outside = self.queries.len();
        self.same(statement.take("with_clause"))?;
        let name = statement.take("relation");
        let Meaning::Table(table) = self.meaning(&name.before)? else {
            return Err("something is written that is no table");
        };
        match table.kind() {
            _ if table.is_read_only() => return Err("a table is written that is only read"),
            TableKind::TenantSchema => {}
            TableKind::Distributed(_) => {
                let target = self.tenant_table(&name.before);
                let target = target.ok_or("a target's columns are renamed")?;
                match statement.before.name() {
                    "InsertStmt" => self.insert(&mut statement, &target)?,
                    "MergeStmt" => self.merge(&mut statement, &target)?,
                    _ => self.change(&mut statement, &target)?,
                }
            }
            TableKind::Reference | TableKind::Local | TableKind::Opaque { .. } => {
                return Err("a table is written that is no tenant's");
            }
        }
        self.named(name)?;
        self.rest(statement)?;
        self.queries.truncate(outside);
        Ok(())
    }

    /// `UPDATE t SET … WHERE t.tenant = $n AND (…)`, `DELETE FROM t WHERE …`
    fn change(&mut self, statement: &mut Pair, target: &TenantTable<'_>) -> Result<()> {
        keeps(statement.before.field("target_list"), target)?;
        let columns = [target.column.clone()];
        self.condition(statement.take("where_clause"), &columns, None)
    }

    /// `INSERT INTO t (…, tenant)` with the tenant behind each row; or nothing is added to it, and the
    /// rows are copies.
    fn insert(&mut self, statement: &mut Pair, target: &TenantTable<'_>) -> Result<()> {
        let conflict = statement.before.field("on_conflict_clause");
        keeps(conflict.field("target_list"), target)?;
        let rows = statement.take("select_stmt");
        let columns = statement.before.field("cols");
        if columns == statement.after.field("cols") {
            let copies =
                |prover: &mut Self, rows: &mut Pair| prover.copies(columns, &rows.before, target);
            return self.query(rows, copies);
        }
        self.columns(statement.take("cols"), target)?;
        if rows.before == Tree::Nothing {
            // DEFAULT VALUES
            let is_row = rows.after == syntax::values(&self.tenant);
            return holds(is_row, "a row of defaults is not the tenant's");
        }
        let tenant_type = &target.tenant.tenant_type;
        self.query(rows, |prover, rows| prover.rows(rows, tenant_type))
    }

    /// The columns of new rows: those that were named, and the tenant column behind them. A row without
    /// names is one for the table's first columns (`transformInsertStmt`, PostgreSQL 15
    /// `src/backend/parser/analyze.c`). Where these are not as many as its values, PostgreSQL fails.
    fn columns(&mut self, mut columns: Pair, target: &TenantTable<'_>) -> Result<()> {
        let last = columns.after.pop();
        if columns.before == Tree::Nothing {
            let all = target.table.column_list().iter();
            let all = all.map(|column| syntax::target(column.name.as_str()));
            columns.before = Tree::list(all.take(columns.after.items().len()).collect());
        }
        keeps(&columns.before, target)?;
        self.rest(columns)?;
        let tenant = syntax::target(target.tenant.column.as_str());
        holds(last == tenant, "a row's tenant column is missing")
    }

    /// `VALUES (…, $n)`, or `SELECT …, $n::type`, or a union of such.
    fn rows(&mut self, query: &mut Pair, tenant_type: &TenantType) -> Result<()> {
        if query.before.number("op") != SETOP_NONE {
            let rows = |prover: &mut Self, arm: &mut Pair| prover.rows(arm, tenant_type);
            self.query(query.take("larg"), rows)?;
            return self.query(query.take("rarg"), rows);
        }
        if !query.before.has("values_lists") {
            let last = self.added(query.take("target_list"))?;
            let names = last.field("val").field("type_name").field("names");
            let is_typed = last == syntax::output(syntax::cast(&self.tenant, names));
            let names: Vec<_> = names.items().iter().map(|name| name.text("sval")).collect();
            let is_right = TenantType::from_sql(&names.join(".")) == *tenant_type;
            return holds(is_typed && is_right, "a selected row is not the tenant's");
        }
        for mut row in query.take("values_lists").parts()? {
            let last = self.added(row.take("items"))?;
            holds(last == self.tenant, "a row is not the tenant's")?;
            self.rest(row)?;
        }
        Ok(())
    }

    /// All rows are those of one tenant table, which is restricted like any other, and what the tenant
    /// column gets is that table's. `*` is one value after the other.
    fn copies(&self, columns: &Tree, select: &Tree, target: &TenantTable<'_>) -> Result<()> {
        let missing = "rows are copied that are not the tenant's";
        let [item] = select.field("from_clause").items() else {
            return Err(missing);
        };
        let source = self.tenant_table(item).ok_or(missing)?;
        let (from, to) = (&source.tenant.column, &target.tenant.column);
        let mut named = columns.items().iter();
        let place = match columns {
            Tree::Nothing => target.table.position(to),
            _ => named.position(|column| *column == syntax::target(to.as_str())),
        };
        let place = place.ok_or(missing)?;
        let forms = [source.column, syntax::bare(from.as_str())];
        let stars = [syntax::star(), syntax::star_of(short_name(item))];
        let values = select.field("target_list").items().iter();
        let values: Vec<&Tree> = values.map(|output| output.field("val")).collect();
        let is_tenant = match values[..] {
            [star] if stars.contains(star) => source.table.position(from) == Some(place),
            _ => {
                let mut nodes = values.iter().flat_map(|value| value.nodes());
                nodes.all(|node| !node.is("AStar"))
                    && values.get(place).is_some_and(|value| forms.contains(value))
            }
        };
        holds(is_tenant && !select.has("group_clause"), missing)
    }

    /// `MERGE INTO t USING … ON t.tenant = $n AND (…)`. Where the source is just a tenant table, its
    /// column is said to be equal, and is the tenant of new rows.
    fn merge(&mut self, merge: &mut Pair, target: &TenantTable<'_>) -> Result<()> {
        let source = merge.take("source_relation");
        let equal = match self.tenant_table(&source.before) {
            Some(table) if source.before.is("RangeVar") && !table.table.is_read_only() => {
                Some(table.column)
            }
            _ => None,
        };
        self.same(source)?;
        let columns = [target.column.clone()];
        self.condition(merge.take("join_condition"), &columns, equal.as_ref())?;
        let tenant = equal.unwrap_or_else(|| self.tenant.clone());
        for mut arm in merge.take("merge_when_clauses").parts()? {
            // Here the rows of all tenants are met.
            if arm.before.number("match_kind") == NOT_MATCHED_BY_SOURCE {
                self.condition(arm.take("condition"), &columns, None)?;
            }
            if arm.before.number("command_type") == CMD_INSERT {
                self.columns(arm.take("target_list"), target)?;
                let last = self.added(arm.take("values"))?;
                holds(last == tenant, "a MERGE's new row is not the tenant's")?;
            }
            keeps(arm.before.field("target_list"), target)?;
            self.rest(arm)?;
        }
        Ok(())
    }
}

/// Nothing is given to the tenant column.
fn keeps(columns: &Tree, target: &TenantTable<'_>) -> Result<()> {
    let tenant = target.tenant.column.as_str();
    let mut names = columns.items().iter().map(|column| column.text("name"));
    let is_kept = names.all(|name| name != tenant);
    holds(is_kept, "the tenant column is assigned")
}
