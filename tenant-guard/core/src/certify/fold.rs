//! Folding restrictions back. Runs over a resolved tree, where a table's name has its schema and a
//! `WITH` query's has none.

use crate::policy::Catalogs;
use crate::{Distribution, Table, TableKind, TableName, Tenancy, TenantType};

use super::Failure;
use super::columns::{forget_implied, pop};
use super::shape::{
    Column, Wanted, has_star, is_column, is_column_output, is_from_tenant_table, is_star,
    is_star_of, is_tenant_param, is_typed_tenant_param, string, take_restrictions,
};
use super::tree::Tree;

/// Folds every restriction back and counts them. Fails at a tenant table without one, and at a
/// table that is no business of a tenant's.
pub(super) fn fold(
    tree: &mut Tree,
    tenancy: &Tenancy,
    catalogs: &Catalogs,
    tenant_param: u32,
) -> Result<usize, Failure> {
    let mut folder = Folder {
        tenancy,
        catalogs,
        tenant_param,
        restrictions: 0,
    };
    folder.walk(tree)?;
    Ok(folder.restrictions)
}

struct Folder<'t> {
    tenancy: &'t Tenancy,
    catalogs: &'t Catalogs,
    tenant_param: u32,
    restrictions: usize,
}

impl Folder<'_> {
    fn walk(&mut self, tree: &mut Tree) -> Result<(), Failure> {
        if tree.is("RangeSubselect") && self.derived(tree) {
            // What is left of the table is its sample's arguments.
            return self.children(tree, &["relation"]);
        }
        match tree.name() {
            "RangeVar" => self.unrestricted(tree),
            "SelectStmt" => {
                self.read_from(tree)?;
                self.children(tree, &["from_clause"])
            }
            "UpdateStmt" | "DeleteStmt" | "InsertStmt" | "MergeStmt"
                if self.is_in_tenant_schema(tree) =>
            {
                self.children(tree, &["relation"])
            }
            "UpdateStmt" | "DeleteStmt" => {
                self.target(tree)?;
                self.children(tree, &["relation"])
            }
            "InsertStmt" => {
                self.insert(tree)?;
                self.children(tree, &["relation"])
            }
            "MergeStmt" => {
                self.merge(tree)?;
                self.children(tree, &["relation", "source_relation"])
            }
            _ => self.children(tree, &[]),
        }
    }

    /// Everything below but the fields that are done with.
    fn children(&mut self, tree: &mut Tree, done: &[&str]) -> Result<(), Failure> {
        tree.children_mut()
            .filter(|(name, _)| !done.contains(name))
            .try_for_each(|(_, child)| self.walk(child))
    }

    fn table(&self, name: &Tree) -> Option<&Table> {
        let schema = name.text("schemaname");
        if schema.is_empty() {
            return None;
        }
        self.tenancy.resolve(Some(schema), name.text("relname"))
    }

    fn distribution(&self, name: &Tree) -> Option<&Distribution> {
        self.table(name)?.distribution()
    }

    /// The tenant column of a table, as it is qualified; `None` for what is no tenant table, and where
    /// the alias renames columns, so that the tenant column's name could mean another.
    fn tenant_column(&self, name: &Tree) -> Option<Column> {
        let column = self.distribution(name)?.column.as_str().to_owned();
        let qualifier = match name.field("alias") {
            Some(alias) if alias.has_only(&["aliasname"]) => alias.text("aliasname").to_owned(),
            Some(_) => return None,
            None => name.text("relname").to_owned(),
        };
        Some(Column { qualifier, column })
    }

    /// Whether a statement writes a table of which all rows are the tenant's.
    fn is_in_tenant_schema(&self, statement: &Tree) -> bool {
        let target = statement.field("relation");
        let table = target.and_then(|name| self.table(name));
        table.is_some_and(|table| {
            matches!(table.kind(), TableKind::TenantSchema) && !table.is_read_only()
        })
    }

    /// A table that is read as it is: a `WITH` query, a reference table or a catalog.
    fn unrestricted(&self, name: &Tree) -> Result<(), Failure> {
        let schema = name.text("schemaname");
        if schema.is_empty() {
            return Ok(());
        }
        let catalog = || TableName::new(schema, name.text("relname"));
        match self.table(name).map(Table::kind) {
            Some(TableKind::Reference | TableKind::TenantSchema) => Ok(()),
            Some(TableKind::Distributed(_)) => {
                Err("a tenant table is read without its restriction")
            }
            None if self.catalogs.contains_key(&catalog()) => Ok(()),
            Some(TableKind::Local | TableKind::Opaque { .. }) | None => {
                Err("a table is read that no tenant may read")
            }
        }
    }

    /// `(SELECT * FROM t WHERE t.tenant = $n) AS a` is `t AS a`, and
    /// `(SELECT * FROM t AS a TABLESAMPLE … WHERE a.tenant = $n) AS a` is `t AS a TABLESAMPLE …`.
    fn derived(&mut self, subselect: &mut Tree) -> bool {
        if !subselect.has_only(&["subquery", "alias"]) {
            return false;
        }
        let Some(mut select) = subselect.field("subquery").cloned() else {
            return false;
        };
        let Some(mut item) = is_from_tenant_table(&select).cloned() else {
            return false;
        };
        let name = item.field("relation").unwrap_or(&item);
        let Some(column) = self.tenant_column(name) else {
            return false;
        };
        let relname = name.text("relname").to_owned();
        let is_sample = item.is("RangeTableSample");
        let plain = is_sample || item.field("alias").is_none();
        let qualifier = column.qualifier.clone();
        let wanted = [Wanted::of(column)];
        if !plain || !take_restrictions(&mut select, "where_clause", &wanted, self.tenant_param) {
            return false;
        }
        if select.field("where_clause").is_some() {
            return false;
        }
        let alias = subselect.take("alias");
        let repeats = |name: &str| {
            alias.as_ref().is_some_and(|alias| {
                alias.text("aliasname") == name && alias.has_only(&["aliasname"])
            })
        };
        if is_sample && !repeats(&qualifier) {
            return false;
        }
        if !is_sample
            && !repeats(&relname)
            && let Some(alias) = alias
        {
            item.insert("alias", alias);
        }
        *subselect = item;
        self.restrictions += 1;
        true
    }

    /// Tables of a `FROM` list that are restricted by the `WHERE` of the query.
    fn read_from(&mut self, select: &mut Tree) -> Result<(), Failure> {
        let mut wanted = Vec::new();
        if let Some(items) = select.field_mut("from_clause") {
            for (_, item) in items.children_mut() {
                self.read_item(item, true, &mut wanted)?;
            }
        }
        self.take(select, "where_clause", &wanted)
    }

    /// A condition on a table's rows says the same in `WHERE` as before the joins where the joins
    /// above it keep or drop its rows by what they are: not on the side that an outer join fills up.
    fn read_item(
        &mut self,
        item: &mut Tree,
        in_where: bool,
        wanted: &mut Vec<Wanted>,
    ) -> Result<(), Failure> {
        let name = item.field("relation").unwrap_or(item);
        if in_where
            && (item.is("RangeVar") || item.is("RangeTableSample"))
            && let Some(column) = self.tenant_column(name)
        {
            wanted.push(Wanted::of(column));
            return self.children(item, &["relation"]);
        }
        if !item.is("JoinExpr") {
            return self.walk(item);
        }
        // `JOIN_INNER` is 1, `JOIN_LEFT` 2, `JOIN_FULL` 3, `JOIN_RIGHT` 4.
        let kind = item.number("jointype");
        let in_where = in_where && item.field("alias").is_none();
        for (side, kinds) in [("larg", [1, 2]), ("rarg", [1, 4])] {
            let side = item.field_mut(side).ok_or("a join has one side")?;
            self.read_item(side, in_where && kinds.contains(&kind), wanted)?;
        }
        self.children(item, &["larg", "rarg"])
    }

    /// Takes restrictions off the front of a condition.
    fn take(
        &mut self,
        statement: &mut Tree,
        field: &'static str,
        wanted: &[Wanted],
    ) -> Result<(), Failure> {
        if !take_restrictions(statement, field, wanted, self.tenant_param) {
            return Err("a tenant table stands without its restriction");
        }
        self.restrictions += wanted.len();
        Ok(())
    }

    /// The table that is written.
    fn written(&self, statement: &Tree) -> Result<(Column, TenantType), Failure> {
        let target = statement
            .field("relation")
            .ok_or("a statement has no target")?;
        let distribution = self
            .table(target)
            .filter(|table| !table.is_read_only())
            .and_then(Table::distribution)
            .ok_or("a table is written that is no tenant's")?;
        let column = self
            .tenant_column(target)
            .ok_or("a target's columns are renamed")?;
        Ok((column, distribution.tenant_type.clone()))
    }

    /// `UPDATE t … WHERE t.tenant = $n AND (…)`, `DELETE FROM t …`.
    fn target(&mut self, statement: &mut Tree) -> Result<(), Failure> {
        let (column, _) = self.written(statement)?;
        check_kept(statement, &column)?;
        self.take(statement, "where_clause", &[Wanted::of(column)])
    }

    /// `MERGE INTO t USING … ON t.tenant = $n AND (…)`. Where the source is just a tenant table, its
    /// column is said to be equal, and is the tenant of new rows.
    fn merge(&mut self, merge: &mut Tree) -> Result<(), Failure> {
        let (column, _) = self.written(merge)?;
        let source = merge
            .field_mut("source_relation")
            .ok_or("a MERGE has no source")?;
        self.walk(source)?;
        let source = Some(&*source).filter(|source| source.is("RangeVar"));
        let source = source.and_then(|source| self.tenant_column(source));
        let mut wanted = Wanted::of(column.clone());
        wanted.equal_to.clone_from(&source);
        self.take(merge, "join_condition", &[wanted])?;

        let table = merge.field("relation").and_then(|name| self.table(name));
        let table = table.ok_or("a statement has no target")?.clone();
        let param = self.tenant_param;
        let is_tenant = |value: &Tree| match &source {
            Some(source) => is_column(value, source),
            None => is_tenant_param(value, param),
        };
        let arms = merge.field_mut("merge_when_clauses");
        for (_, arm) in arms.into_iter().flat_map(Tree::children_mut) {
            // `MERGE_WHEN_NOT_MATCHED_BY_SOURCE` is 2.
            if arm.number("match_kind") == 2 {
                let wanted = [Wanted::of(column.clone())];
                if !take_restrictions(arm, "condition", &wanted, param) {
                    return Err("rows without a source are met without their restriction");
                }
            }
            // `CMD_INSERT` is 4.
            if arm.number("command_type") == 4 {
                pop_tenant_column(arm, "target_list", &column)?;
                if !pop(arm, "values").is_some_and(|last| is_tenant(&last)) {
                    return Err("a MERGE's new row is not the tenant's");
                }
                forget_implied(arm, "target_list", &table);
            } else {
                check_kept(arm, &column)?;
            }
        }
        Ok(())
    }

    /// `INSERT INTO t (…, tenant) VALUES (…, $n)` or `SELECT …, $n::type`.
    fn insert(&mut self, insert: &mut Tree) -> Result<(), Failure> {
        let (column, tenant_type) = self.written(insert)?;
        if let Some(clause) = insert.field("on_conflict_clause") {
            check_kept(clause, &column)?;
        }
        let table = insert.field("relation").and_then(|name| self.table(name));
        let table = table.ok_or("a statement has no target")?.clone();
        if self.copies_tenant(insert, &table, &column) {
            forget_implied(insert, "cols", &table);
            self.restrictions += 1;
            return Ok(());
        }
        pop_tenant_column(insert, "cols", &column)?;
        let source = insert
            .field_mut("select_stmt")
            .ok_or("an INSERT has no values")?;
        self.added_values(source, &tenant_type)?;
        // A row of the tenant alone stands for `DEFAULT VALUES`.
        let rows = source.field("values_lists").map_or(&[][..], Tree::items);
        let is_empty_row = matches!(rows, [row] if row.field("items").is_none());
        if is_empty_row && insert.field("cols").is_none() {
            insert.remove("select_stmt");
        }
        forget_implied(insert, "cols", &table);
        self.restrictions += 1;
        Ok(())
    }

    /// `INSERT INTO t [(…)] SELECT … FROM s`, where `s` is one restricted tenant table, and what the
    /// tenant column of `t` gets is that of `s`. The restriction itself is folded when the walk goes on.
    fn copies_tenant(&self, insert: &Tree, target: &Table, tenant: &Column) -> bool {
        let select = insert.field("select_stmt").filter(|select| {
            // `SETOP_NONE` is 1.
            select.is("SelectStmt")
                && select.number("op") == 1
                && select.field("values_lists").is_none()
                && select.field("group_clause").is_none()
        });
        let field = |name| select.and_then(|select| select.field(name));
        let [item] = field("from_clause").map_or(&[][..], Tree::items) else {
            return false;
        };
        let mut source = item.clone();
        let mut folder = Folder {
            tenancy: self.tenancy,
            catalogs: self.catalogs,
            tenant_param: self.tenant_param,
            restrictions: 0,
        };
        if !folder.derived(&mut source) || !source.is("RangeVar") {
            return false;
        }
        let Some(from) = self.tenant_column(&source) else {
            return false;
        };
        let named = |columns: &Tree| {
            let mut columns = columns.items().iter();
            columns.position(|column| {
                column.text("name") == tenant.column && column.has_only(&["name"])
            })
        };
        let place = match insert.field("cols") {
            Some(columns) => named(columns),
            None => place_of(target, &tenant.column),
        };
        match field("target_list").map_or(&[][..], Tree::items) {
            [star] if is_star(star) || is_star_of(star, &from.qualifier) => {
                let source = self.table(&source);
                let in_source = source.and_then(|table| place_of(table, &from.column));
                place.is_some() && in_source == place
            }
            outputs => {
                let output = place.and_then(|place| outputs.get(place));
                outputs.iter().all(|output| !has_star(output))
                    && output.is_some_and(|output| is_column_output(output, &from))
            }
        }
    }

    /// Takes the tenant off the end of each row or select list.
    fn added_values(&self, select: &mut Tree, tenant_type: &TenantType) -> Result<(), Failure> {
        let missing = "an INSERT's row is not the tenant's";
        if !select.is("SelectStmt") {
            return Err(missing);
        }
        // `SETOP_NONE` is 1.
        if select.number("op") != 1 {
            for arm in ["larg", "rarg"] {
                self.added_values(select.field_mut(arm).ok_or(missing)?, tenant_type)?;
            }
            return Ok(());
        }
        if let Some(rows) = select.field_mut("values_lists") {
            for (_, row) in rows.children_mut() {
                if !pop(row, "items").is_some_and(|last| is_tenant_param(&last, self.tenant_param))
                {
                    return Err(missing);
                }
            }
            return Ok(());
        }
        match pop(select, "target_list") {
            Some(last) if is_typed_tenant_param(&last, tenant_type, self.tenant_param) => Ok(()),
            _ => Err(missing),
        }
    }
}

/// The place of a column in its table.
fn place_of(table: &Table, column: &str) -> Option<usize> {
    let mut columns = table.column_list().iter();
    columns.position(|known| known.name.as_str() == column)
}

/// Takes the tenant column, which was added, off the end of a column list that does not have it.
fn pop_tenant_column(
    statement: &mut Tree,
    field: &'static str,
    tenant: &Column,
) -> Result<(), Failure> {
    let is_added = pop(statement, field).is_some_and(|last| {
        last.is("ResTarget") && last.text("name") == tenant.column && last.has_only(&["name"])
    });
    let others = statement.field(field).map_or(&[][..], Tree::items);
    if is_added
        && others
            .iter()
            .all(|other| other.text("name") != tenant.column)
    {
        Ok(())
    } else {
        Err("an INSERT's tenant column is not the one that was added")
    }
}

/// Fails where a `SET` list assigns the tenant column.
fn check_kept(statement: &Tree, tenant: &Column) -> Result<(), Failure> {
    let targets = statement.field("target_list").map_or(&[][..], Tree::items);
    if targets
        .iter()
        .any(|target| target.text("name") == tenant.column || string(target) == tenant.column)
    {
        return Err("the tenant column is assigned");
    }
    Ok(())
}
