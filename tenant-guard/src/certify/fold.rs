//! Folding restrictions back. Runs over a resolved tree, where a table's name has its schema and a
//! `WITH` query's has none.

use crate::{Distribution, Table, TableKind, Tenancy, TenantType};

use super::Failure;
use super::shape::{
    conjuncts, derived_table, is_barrier, is_tenant_condition, is_tenant_param,
    is_typed_tenant_param, string,
};
use super::tree::Tree;

/// Folds every restriction back and counts them. Fails at a tenant table without one, and at a
/// table that is no business of a tenant's.
pub(super) fn fold(
    tree: &mut Tree,
    tenancy: &Tenancy,
    tenant_param: u32,
) -> Result<usize, Failure> {
    let mut folder = Folder {
        tenancy,
        tenant_param,
        restrictions: 0,
    };
    folder.walk(tree)?;
    Ok(folder.restrictions)
}

struct Folder<'t> {
    tenancy: &'t Tenancy,
    tenant_param: u32,
    restrictions: usize,
}

impl Folder<'_> {
    fn walk(&mut self, tree: &mut Tree) -> Result<(), Failure> {
        if tree.is("RangeSubselect") && self.derived(tree) {
            return Ok(());
        }
        if tree.is("LockingClause") {
            return Ok(());
        }
        if tree.is("RangeVar") {
            return self.unrestricted(tree);
        }
        // Where a table is restricted by its statement, the table itself is done with.
        let done = match tree.name() {
            "SelectStmt" if self.single_table(tree) => Some("from_clause"),
            "UpdateStmt" | "DeleteStmt" => {
                self.target_with_condition(tree)?;
                Some("relation")
            }
            "InsertStmt" => {
                self.insert(tree)?;
                Some("relation")
            }
            _ => None,
        };
        tree.children_mut()
            .filter(|(name, _)| Some(*name) != done)
            .try_for_each(|(_, child)| self.walk(child))
    }

    fn distribution(&self, table: &Tree) -> Option<&Distribution> {
        let schema = Some(table.text("schemaname"));
        self.tenancy
            .resolve(schema, table.text("relname"))?
            .distribution()
    }

    /// The tenant column of a resolved table's name.
    fn tenant_column(&self, table: &Tree) -> Option<String> {
        Some(self.distribution(table)?.column.as_str().to_owned())
    }

    /// A table that is read as it is: a `WITH` query or a reference table.
    fn unrestricted(&self, table: &Tree) -> Result<(), Failure> {
        let schema = table.text("schemaname");
        if schema.is_empty() {
            return Ok(());
        }
        match self
            .tenancy
            .resolve(Some(schema), table.text("relname"))
            .map(Table::kind)
        {
            Some(TableKind::Reference) => Ok(()),
            Some(TableKind::Distributed(_)) => {
                Err("a tenant table is read without its restriction")
            }
            Some(TableKind::Local) | None => Err("a table is read that no tenant may read"),
        }
    }

    /// `(SELECT * FROM t WHERE t.tenant = $n) AS a` is `t AS a`.
    fn derived(&mut self, subselect: &mut Tree) -> bool {
        if !subselect.has_only(&["subquery", "alias"]) {
            return false;
        }
        let column = |table: &Tree| self.tenant_column(table);
        let Some(mut table) = subselect
            .field("subquery")
            .and_then(|select| derived_table(select, column, self.tenant_param))
            .cloned()
        else {
            return false;
        };
        if let Some(alias) = subselect.take("alias") {
            let repeats = alias.text("aliasname") == table.text("relname");
            if !(repeats && alias.has_only(&["aliasname"])) {
                table.insert("alias", alias);
            }
        }
        *subselect = table;
        self.restrictions += 1;
        true
    }

    /// `SELECT … FROM t WHERE t.tenant = $n AND (…)`, one table and no more.
    fn single_table(&mut self, select: &mut Tree) -> bool {
        let table = match select.field("from_clause").map(Tree::items) {
            Some([table]) if table.is("RangeVar") => table,
            _ => return false,
        };
        let Some(column) = self.tenant_column(table) else {
            return false;
        };
        let Some(qualifier) = reference_name(table) else {
            return false;
        };
        self.take_condition(select, &qualifier, &column)
    }

    /// `UPDATE t … WHERE t.tenant = $n AND (…)`, `DELETE FROM t …`.
    fn target_with_condition(&mut self, statement: &mut Tree) -> Result<(), Failure> {
        let target = statement
            .field("relation")
            .ok_or("a statement has no target")?;
        let column = self
            .tenant_column(target)
            .ok_or("a table is written that is no tenant's")?;
        let qualifier = reference_name(target).ok_or("a target's columns are renamed")?;
        let assigns = statement.is("UpdateStmt") && assigns(statement, &column);
        if assigns {
            return Err("the tenant column is assigned");
        }
        if self.take_condition(statement, &qualifier, &column) {
            Ok(())
        } else {
            Err("a tenant table is written without its restriction")
        }
    }

    /// Takes `qualifier.column = $n`, and the barrier behind it, off the front of a `WHERE`.
    fn take_condition(&mut self, statement: &mut Tree, qualifier: &str, column: &str) -> bool {
        let Some(condition) = statement.take("where_clause") else {
            return false;
        };
        let is_condition =
            |tree: &Tree| is_tenant_condition(tree, qualifier, column, self.tenant_param);
        let is_barrier = |tree: &Tree| is_barrier(tree, qualifier, column, self.tenant_param);
        // The grammar flattens `a AND b` on the left only, so that what was written is one argument.
        let rest = match conjuncts(&condition) {
            [] if is_condition(&condition) => None,
            [first, barrier] if is_condition(first) && is_barrier(barrier) => None,
            [first, rest] if is_condition(first) => Some(rest.clone()),
            [first, barrier, rest] if is_condition(first) && is_barrier(barrier) => {
                Some(rest.clone())
            }
            _ => {
                statement.insert("where_clause", condition);
                return false;
            }
        };
        if let Some(rest) = rest {
            statement.insert("where_clause", rest);
        }
        self.restrictions += 1;
        true
    }

    /// `INSERT INTO t (…, tenant) VALUES (…, $n)` or `SELECT …, $n::type`.
    fn insert(&mut self, insert: &mut Tree) -> Result<(), Failure> {
        let target = insert
            .field("relation")
            .ok_or("a statement has no target")?;
        let distribution = self
            .distribution(target)
            .ok_or("a table is written that is no tenant's")?;
        let column = distribution.column.as_str().to_owned();
        let tenant_type = distribution.tenant_type.clone();
        if insert
            .field("on_conflict_clause")
            .is_some_and(|clause| assigns(clause, &column))
        {
            return Err("the tenant column is assigned");
        }
        let columns = insert
            .field_mut("cols")
            .ok_or("an INSERT has no column list")?;
        let last = columns.pop().ok_or("an INSERT has no column list")?;
        let added = last.is("ResTarget") && last.text("name") == column && last.has_only(&["name"]);
        if !added
            || columns
                .items()
                .iter()
                .any(|other| other.text("name") == column)
        {
            return Err("an INSERT's tenant column is not the one that was added");
        }
        let source = insert
            .field_mut("select_stmt")
            .ok_or("an INSERT has no values")?;
        self.added_values(source, &tenant_type)?;
        self.restrictions += 1;
        Ok(())
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
                let row = row.field_mut("items").ok_or(missing)?;
                if !row
                    .pop()
                    .is_some_and(|last| is_tenant_param(&last, self.tenant_param))
                {
                    return Err(missing);
                }
            }
            return Ok(());
        }
        let targets = select.field_mut("target_list").ok_or(missing)?;
        match targets.pop() {
            Some(last) if is_typed_tenant_param(&last, tenant_type, self.tenant_param) => Ok(()),
            _ => Err(missing),
        }
    }
}

/// The name by which a table's columns are qualified; `None` where the alias renames columns, so
/// that the tenant column's name could mean another.
fn reference_name(table: &Tree) -> Option<String> {
    match table.field("alias") {
        Some(alias) if alias.has_only(&["aliasname"]) => Some(alias.text("aliasname").to_owned()),
        Some(_) => None,
        None => Some(table.text("relname").to_owned()),
    }
}

/// Whether a `SET` list assigns this column.
fn assigns(statement: &Tree, column: &str) -> bool {
    statement.field("target_list").is_some_and(|targets| {
        targets
            .items()
            .iter()
            .any(|target| target.text("name") == column || string(target) == column)
    })
}
