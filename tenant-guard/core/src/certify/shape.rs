//! The canonical restrictions, as PostgreSQL's grammar reads them.

use crate::TenantType;

use super::tree::Tree;

/// `$n`
pub(super) fn is_tenant_param(tree: &Tree, tenant_param: u32) -> bool {
    tree.is("ParamRef") && tree.number("number") == i64::from(tenant_param)
}

/// A table's column.
#[derive(Clone)]
pub(super) struct Column {
    pub(super) qualifier: String,
    pub(super) column: String,
}

/// A restriction that has to be there.
pub(super) struct Wanted {
    tenant: Column,
    /// The column of a MERGE's source that has to be said to be equal.
    pub(super) equal_to: Option<Column>,
}

impl Wanted {
    pub(super) fn of(tenant: Column) -> Self {
        Self {
            tenant,
            equal_to: None,
        }
    }
}

/// Takes restrictions, in this order, off the front of a condition. What may follow them is one
/// argument of the `AND`: the grammar flattens `a AND b` on the left only, so that it is what stood
/// there before.
pub(super) fn take_restrictions(
    statement: &mut Tree,
    field: &'static str,
    wanted: &[Wanted],
    tenant_param: u32,
) -> bool {
    if wanted.is_empty() {
        return true;
    }
    let Some(condition) = statement.take(field) else {
        return false;
    };
    let mut rest = match conjuncts(&condition) {
        [] => std::slice::from_ref(&condition),
        arguments => arguments,
    };
    let mut skip = |is_it: &dyn Fn(&Tree) -> bool| match rest {
        [first, behind @ ..] if is_it(first) => {
            rest = behind;
            true
        }
        _ => false,
    };
    for Wanted { tenant, equal_to } in wanted {
        if !skip(&|tree| is_tenant_condition(tree, tenant, tenant_param)) {
            return false;
        }
        // It says the same once more.
        skip(&|tree| is_barrier(tree, tenant, tenant_param));
        if let Some(source) = equal_to
            && !skip(&|tree| is_equality(tree, tenant, |right| is_column(right, source)))
        {
            return false;
        }
    }
    match rest {
        [] => true,
        [before] => {
            statement.insert(field, before.clone());
            true
        }
        _ => false,
    }
}

/// `qualifier.column = $n`
fn is_tenant_condition(tree: &Tree, tenant: &Column, tenant_param: u32) -> bool {
    is_equality(tree, tenant, |right| is_tenant_param(right, tenant_param))
}

/// `qualifier.column = …`
fn is_equality(tree: &Tree, tenant: &Column, is_right: impl Fn(&Tree) -> bool) -> bool {
    // `AEXPR_OP` is 1.
    tree.is("AExpr")
        && tree.number("kind") == 1
        && operator(tree) == "="
        && tree
            .field("lexpr")
            .is_some_and(|left| is_column(left, tenant))
        && tree.field("rexpr").is_some_and(is_right)
}

/// `qualifier.column = ANY(ARRAY[$n])`, which may follow the condition: it says the same.
fn is_barrier(tree: &Tree, tenant: &Column, tenant_param: u32) -> bool {
    // `AEXPR_OP_ANY` is 2.
    tree.is("AExpr")
        && tree.number("kind") == 2
        && operator(tree) == "="
        && tree
            .field("lexpr")
            .is_some_and(|left| is_column(left, tenant))
        && tree.field("rexpr").is_some_and(|array| {
            array.is("AArrayExpr")
                && array.has_only(&["elements"])
                && array.field("elements").is_some_and(|elements| {
                    matches!(elements.items(), [one] if is_tenant_param(one, tenant_param))
                })
        })
}

/// The arguments of `a AND b AND …`.
fn conjuncts(tree: &Tree) -> &[Tree] {
    // `AND_EXPR` is 1.
    match tree.field("args") {
        Some(args) if tree.is("BoolExpr") && tree.number("boolop") == 1 => args.items(),
        _ => &[],
    }
}

/// `SELECT * FROM table WHERE … [OFFSET 0]`, with nothing else; gives the table, or its sample.
pub(super) fn is_from_tenant_table(select: &Tree) -> Option<&Tree> {
    if !select.is("SelectStmt") || !select.has_only(DERIVED_FIELDS) {
        return None;
    }
    if select
        .field("limit_offset")
        .is_some_and(|offset| !is_zero(offset))
    {
        return None;
    }
    let [target] = select.field("target_list")?.items() else {
        return None;
    };
    let [item] = select.field("from_clause")?.items() else {
        return None;
    };
    let is_table = item.is("RangeVar")
        || (item.is("RangeTableSample")
            && item
                .field("relation")
                .is_some_and(|name| name.is("RangeVar")));
    (is_star(target) && is_table).then_some(item)
}

/// What a plain `SELECT` has even when nothing was written: these are enums, 1 is their default.
const DERIVED_FIELDS: &[&str] = &[
    "target_list",
    "from_clause",
    "where_clause",
    "limit_offset",
    "limit_option",
    "op",
];

/// The number 0, which as a default is left out of the tree.
fn is_zero(tree: &Tree) -> bool {
    tree.is("AConst")
        && tree.has_only(&["val"])
        && tree
            .field("val")
            .is_some_and(|value| value.is("Integer") && value.has_only(&[]))
}

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

/// A `ResTarget` that is `column` or `qualifier.column`, under any name.
pub(super) fn is_column_output(target: &Tree, wanted: &Column) -> bool {
    let is_bare = |value: &Tree| {
        let fields = value.field("fields").map_or(&[][..], Tree::items);
        value.is("ColumnRef") && matches!(fields, [column] if string(column) == wanted.column)
    };
    target.is("ResTarget")
        && target.field("indirection").is_none()
        && target
            .field("val")
            .is_some_and(|value| is_bare(value) || is_column(value, wanted))
}

/// Whether a `ResTarget` gives more columns than one.
pub(super) fn has_star(target: &Tree) -> bool {
    let mut any = false;
    target.visit(&mut |node| any |= node.is("AStar"));
    any
}

/// A `ResTarget` that is `qualifier.*`.
pub(super) fn is_star_of(target: &Tree, qualifier: &str) -> bool {
    let is_it = |value: &Tree| {
        let fields = value.field("fields").map_or(&[][..], Tree::items);
        value.is("ColumnRef")
            && matches!(fields, [name, star] if string(name) == qualifier && star.is("AStar"))
    };
    target.is("ResTarget") && target.has_only(&["val"]) && target.field("val").is_some_and(is_it)
}

/// A `ResTarget` that is `*`.
pub(super) fn is_star(target: &Tree) -> bool {
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
pub(super) fn is_column(tree: &Tree, wanted: &Column) -> bool {
    let is_it = |fields: &Tree| match fields.items() {
        [qualifier, column] => {
            string(qualifier) == wanted.qualifier && string(column) == wanted.column
        }
        _ => false,
    };
    tree.is("ColumnRef") && tree.field("fields").is_some_and(is_it)
}
