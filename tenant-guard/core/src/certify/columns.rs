//! Column lists of `INSERT` that only say what is meant without them.

use crate::{Table, Tenancy};

use super::tree::Tree;

/// Drops every column list that names a table's first columns in their order.
///
/// Such a list changes nothing: PostgreSQL takes a row without one for values of the first columns
/// (`transformInsertStmt`, PostgreSQL 15 `src/backend/parser/analyze.c`). With a list of another length
/// than the row has, it fails; without, it could not, so that nothing is put into a wrong column.
pub(super) fn forget_all_implied(tree: &mut Tree, tenancy: &Tenancy) {
    let target = tree.field("relation");
    let table = target
        .and_then(|name| tenancy.resolve(Some(name.text("schemaname")), name.text("relname")));
    if let Some(table) = table {
        match tree.name() {
            "InsertStmt" => forget_implied(tree, "cols", table),
            "MergeStmt" => {
                let arms = tree.field_mut("merge_when_clauses");
                for (_, arm) in arms.into_iter().flat_map(Tree::children_mut) {
                    // `CMD_INSERT` is 4; an UPDATE's list has values, too.
                    if arm.number("command_type") == 4 {
                        forget_implied(arm, "target_list", table);
                    }
                }
            }
            _ => {}
        }
    }
    for (_, child) in tree.children_mut() {
        forget_all_implied(child, tenancy);
    }
}

pub(super) fn forget_implied(statement: &mut Tree, field: &'static str, table: &Table) {
    let columns = statement.field(field).map_or(&[][..], Tree::items);
    let first = table
        .column_list()
        .iter()
        .map(|column| column.name.as_str());
    let is_implied = columns.len() <= table.column_list().len()
        && columns
            .iter()
            .zip(first)
            .all(|(column, first)| column.text("name") == first && column.has_only(&["name"]));
    if is_implied {
        statement.remove(field);
    }
}

/// Takes the last item off a list, and an empty list away, as the grammar has none.
pub(super) fn pop(statement: &mut Tree, field: &'static str) -> Option<Tree> {
    let list = statement.field_mut(field)?;
    let popped = list.pop();
    if list.items().is_empty() {
        statement.remove(field);
    }
    popped
}
