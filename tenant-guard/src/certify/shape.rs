//! The canonical restrictions, as PostgreSQL's grammar reads them.

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
    let Some(AExpr { name, left, right }) = AExpr::of(tree) else {
        return false;
    };
    name == "="
        && left.is("ColumnRef")
        && left.field("fields").is_some_and(|fields| {
            matches!(fields.items(), [one, two] if string(one) == qualifier && string(two) == column)
        })
        && is_tenant_param(right, tenant_param)
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
    let restricted = is_tenant_condition(
        condition,
        table.text("relname"),
        &column(table)?,
        tenant_param,
    );
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

/// `$n::type`
pub(super) fn is_typed_tenant_param(target: &Tree, tenant_param: u32) -> bool {
    let cast = match target.field("val") {
        Some(value) if target.is("ResTarget") && target.has_only(&["val"]) => value,
        _ => return false,
    };
    cast.is("TypeCast")
        && cast
            .field("arg")
            .is_some_and(|arg| is_tenant_param(arg, tenant_param))
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

/// A plain binary operator.
struct AExpr<'t> {
    name: &'t str,
    left: &'t Tree,
    right: &'t Tree,
}

impl<'t> AExpr<'t> {
    fn of(tree: &'t Tree) -> Option<Self> {
        // `AEXPR_OP` is 1.
        if !tree.is("AExpr") || tree.number("kind") != 1 {
            return None;
        }
        let [name] = tree.field("name")?.items() else {
            return None;
        };
        Some(Self {
            name: string(name),
            left: tree.field("lexpr")?,
            right: tree.field("rexpr")?,
        })
    }
}
