//! The canonical restrictions, as PostgreSQL's grammar reads them.

use crate::TenantType;

use super::tree::Tree;

/// `$n`
pub(super) fn is_tenant_param(tree: &Tree, tenant_param: u32) -> bool {
    tree.is("ParamRef") && tree.number("number") == i64::from(tenant_param)
}

/// `qualifier.column = $n`
pub(super) fn is_tenant_condition(
    tree: &Tree,
    qualifier: &str,
    column: &str,
    tenant_param: u32,
) -> bool {
    // `AEXPR_OP` is 1.
    tree.is("AExpr")
        && tree.number("kind") == 1
        && operator(tree) == "="
        && tree
            .field("lexpr")
            .is_some_and(|left| is_column(left, qualifier, column))
        && tree
            .field("rexpr")
            .is_some_and(|right| is_tenant_param(right, tenant_param))
}

/// `qualifier.column = ANY(ARRAY[$n])`, which may follow the condition: it says the same.
pub(super) fn is_barrier(tree: &Tree, qualifier: &str, column: &str, tenant_param: u32) -> bool {
    // `AEXPR_OP_ANY` is 2.
    tree.is("AExpr")
        && tree.number("kind") == 2
        && operator(tree) == "="
        && tree
            .field("lexpr")
            .is_some_and(|left| is_column(left, qualifier, column))
        && tree.field("rexpr").is_some_and(|array| {
            array.is("AArrayExpr")
                && array.has_only(&["elements"])
                && array.field("elements").is_some_and(|elements| {
                    matches!(elements.items(), [one] if is_tenant_param(one, tenant_param))
                })
        })
}

/// The arguments of `a AND b AND …`.
pub(super) fn conjuncts(tree: &Tree) -> &[Tree] {
    // `AND_EXPR` is 1.
    match tree.field("args") {
        Some(args) if tree.is("BoolExpr") && tree.number("boolop") == 1 => args.items(),
        _ => &[],
    }
}

/// `SELECT * FROM table WHERE table.column = $n`, with nothing else; gives the table.
pub(super) fn derived_table(
    select: &Tree,
    column: impl Fn(&Tree) -> Option<String>,
    tenant_param: u32,
) -> Option<&Tree> {
    if !select.is("SelectStmt") || !select.has_only(DERIVED_FIELDS) {
        return None;
    }
    let [target] = select.field("target_list")?.items() else {
        return None;
    };
    let [table] = select.field("from_clause")?.items() else {
        return None;
    };
    let plain = is_star(target) && table.is("RangeVar") && table.field("alias").is_none();
    let condition = select.field("where_clause")?;
    let (qualifier, column) = (table.text("relname"), column(table)?);
    let restricted = match conjuncts(condition) {
        [] => is_tenant_condition(condition, qualifier, &column, tenant_param),
        [first, second] => {
            is_tenant_condition(first, qualifier, &column, tenant_param)
                && is_barrier(second, qualifier, &column, tenant_param)
        }
        _ => false,
    };
    (plain && restricted).then_some(table)
}

/// What a plain `SELECT` has even when nothing was written: these are enums, 1 is their default.
const DERIVED_FIELDS: &[&str] = &[
    "target_list",
    "from_clause",
    "where_clause",
    "limit_option",
    "op",
];

/// `$n::type`, with the type of the tenant column.
pub(super) fn is_typed_tenant_param(
    target: &Tree,
    tenant_type: &TenantType,
    tenant_param: u32,
) -> bool {
    let cast = match target.field("val") {
        Some(value) if target.is("ResTarget") && target.has_only(&["val"]) => value,
        _ => return false,
    };
    cast.is("TypeCast")
        && cast
            .field("arg")
            .is_some_and(|arg| is_tenant_param(arg, tenant_param))
        && cast
            .field("type_name")
            .is_some_and(|name| is_type(name, tenant_type))
}

/// A type without modifiers, which would cut the value.
fn is_type(name: &Tree, tenant_type: &TenantType) -> bool {
    let names = name.field("names").map_or(&[][..], Tree::items);
    let names: Vec<&str> = names.iter().map(string).collect();
    name.has_only(&["names", "typemod"])
        && name.number("typemod") == -1
        && TenantType::from_sql(&names.join(".")) == *tenant_type
}

/// The text of a `String` node.
pub(super) fn string(tree: &Tree) -> &str {
    if tree.is("String") {
        tree.text("sval")
    } else {
        ""
    }
}

/// A `ResTarget` that is `*`.
fn is_star(target: &Tree) -> bool {
    target.is("ResTarget")
        && target.has_only(&["val"])
        && target.field("val").is_some_and(|value| {
            value.is("ColumnRef")
                && value
                    .field("fields")
                    .is_some_and(|fields| matches!(fields.items(), [star] if star.is("AStar")))
        })
}

/// The name of an operator without schema.
fn operator(tree: &Tree) -> &str {
    match tree.field("name").map(Tree::items) {
        Some([name]) => string(name),
        _ => "",
    }
}

/// `qualifier.column`
fn is_column(tree: &Tree, qualifier: &str, column: &str) -> bool {
    tree.is("ColumnRef")
        && tree.field("fields").is_some_and(|fields| {
            matches!(fields.items(), [one, two] if string(one) == qualifier && string(two) == column)
        })
}
