//! Pieces of SQL as PostgreSQL's grammar reads them. It knows nothing of tenants.

use super::tree::Tree;

/// Values of libpg_query's enums.
pub(super) const AND_EXPR: i64 = 1;
pub(super) const CMD_INSERT: i64 = 4;
pub(super) const JOIN_INNER: i64 = 1;
pub(super) const JOIN_LEFT: i64 = 2;
pub(super) const JOIN_RIGHT: i64 = 4;
pub(super) const NOT_MATCHED_BY_SOURCE: i64 = 2;
pub(super) const SETOP_NONE: i64 = 1;
const AEXPR_OP: i64 = 1;
const AEXPR_OP_ANY: i64 = 2;
const LIMIT_OPTION_DEFAULT: i64 = 1;
const LIMIT_OPTION_COUNT: i64 = 2;

pub(super) fn text(text: &str) -> Tree {
    Tree::Text(text.to_owned())
}

fn string(string: &str) -> Tree {
    Tree::node("String", [("sval", text(string))])
}

/// `$number`
pub(super) fn param(number: u32) -> Tree {
    Tree::node("ParamRef", [("number", Tree::Number(number.into()))])
}

/// `AS name`
pub(super) fn alias(name: &str) -> Tree {
    Tree::node("Alias", [("aliasname", text(name))])
}

/// `column`, in a list of columns.
pub(super) fn target(column: &str) -> Tree {
    Tree::node("ResTarget", [("name", text(column))])
}

/// `value`, in a select list.
pub(super) fn output(value: Tree) -> Tree {
    Tree::node("ResTarget", [("val", value)])
}

/// `column`
pub(super) fn bare(column: &str) -> Tree {
    reference([string(column)])
}

/// `table.column`
pub(super) fn column(table: &str, column: &str) -> Tree {
    reference([string(table), string(column)])
}

/// `*`
pub(super) fn star() -> Tree {
    reference([Tree::node("AStar", [])])
}

/// `table.*`
pub(super) fn star_of(table: &str) -> Tree {
    reference([string(table), Tree::node("AStar", [])])
}

fn reference<const N: usize>(fields: [Tree; N]) -> Tree {
    Tree::node("ColumnRef", [("fields", Tree::List(fields.into()))])
}

/// `left = right`
pub(super) fn equal(left: &Tree, right: &Tree) -> Tree {
    equality(AEXPR_OP, left, right.clone())
}

/// `left = ANY(ARRAY[right])`
pub(super) fn equal_to_any(left: &Tree, right: &Tree) -> Tree {
    let elements = Tree::List(vec![right.clone()]);
    let array = Tree::node("AArrayExpr", [("elements", elements)]);
    equality(AEXPR_OP_ANY, left, array)
}

fn equality(kind: i64, left: &Tree, right: Tree) -> Tree {
    let kind = ("kind", Tree::Number(kind));
    let name = ("name", Tree::List(vec![string("=")]));
    let (left, right) = (("lexpr", left.clone()), ("rexpr", right));
    Tree::node("AExpr", [kind, name, left, right])
}

/// `value::type`, with the type's names and without a modifier, which would cut the value.
pub(super) fn cast(value: &Tree, type_names: &Tree) -> Tree {
    let (names, typemod) = (("names", type_names.clone()), ("typemod", Tree::Number(-1)));
    let type_name = Tree::node("TypeName", [names, typemod]);
    Tree::node(
        "TypeCast",
        [("arg", value.clone()), ("type_name", type_name)],
    )
}

/// `VALUES (value)`
pub(super) fn values(value: &Tree) -> Tree {
    let row = Tree::node("List", [("items", Tree::List(vec![value.clone()]))]);
    select("values_lists", row, LIMIT_OPTION_DEFAULT)
}

/// `SELECT *`
pub(super) fn select_star() -> Tree {
    select("target_list", output(star()), LIMIT_OPTION_DEFAULT)
}

/// `SELECT * OFFSET 0`
pub(super) fn select_star_offset() -> Tree {
    let zero = Tree::node("AConst", [("val", Tree::node("Integer", []))]);
    let mut select = select("target_list", output(star()), LIMIT_OPTION_COUNT);
    select.set("limit_offset", zero);
    select
}

fn select(field: &'static str, item: Tree, limit_option: i64) -> Tree {
    let items = (field, Tree::List(vec![item]));
    let op = ("op", Tree::Number(SETOP_NONE));
    let limit_option = ("limit_option", Tree::Number(limit_option));
    Tree::node("SelectStmt", [items, op, limit_option])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A statement's tree.
    fn parsed(sql: &str) -> Tree {
        let parsed = pg_query::parse(sql, 0).unwrap().protobuf;
        let mut tree = Tree::of(&parsed).unwrap();
        tree.take("stmts").pop().take("stmt")
    }

    /// The one value of a select list.
    fn value(sql: &str) -> Tree {
        parsed(&format!("SELECT {sql}"))
            .take("target_list")
            .pop()
            .take("val")
    }

    #[test]
    fn each_piece_is_what_the_grammar_reads() {
        let (one, t_c) = (param(1), column("t", "c"));
        assert_eq!(one, value("$1"));
        assert_eq!(one.location(), -1);
        assert_eq!(t_c, value("t.c"));
        assert_eq!(bare("c"), value("c"));
        assert_eq!(star(), value("*"));
        assert_eq!(star_of("t"), value("t.*"));
        assert_eq!(equal(&t_c, &one), value("t.c = $1"));
        assert_eq!(equal_to_any(&t_c, &one), value("t.c = ANY(ARRAY[$1])"));
        let names = Tree::List(vec![string("pg_catalog"), string("int8")]);
        assert_eq!(cast(&one, &names), value("$1::bigint"));
        assert_eq!(values(&one), parsed("VALUES ($1)"));
        assert_eq!(select_star(), parsed("SELECT *"));
        assert_eq!(select_star_offset(), parsed("SELECT * OFFSET 0"));
        let mut select = parsed("SELECT $1 FROM t AS a");
        assert_eq!(output(one), select.take("target_list").pop());
        assert_eq!(alias("a"), select.take("from_clause").pop().take("alias"));
        let mut insert = parsed("INSERT INTO t (c) VALUES (1)");
        assert_eq!(target("c"), insert.take("cols").pop());
    }

    #[test]
    fn a_name_is_no_star() {
        assert_ne!(bare("*"), star());
        assert_ne!(column("t", "*"), star_of("t"));
    }

    #[test]
    fn enums_have_the_values_of_the_grammar() {
        let condition = parsed("SELECT WHERE a AND b").take("where_clause");
        assert_eq!(condition.number("boolop"), AND_EXPR);
        let join = |kind: &str| {
            let mut select = parsed(&format!("SELECT FROM a {kind} JOIN b ON true"));
            select.take("from_clause").pop().number("jointype")
        };
        let kinds = ["INNER", "LEFT", "RIGHT"].map(join);
        assert_eq!(kinds, [JOIN_INNER, JOIN_LEFT, JOIN_RIGHT]);
        let mut merge = parsed(
            "MERGE INTO t USING s ON true WHEN NOT MATCHED BY SOURCE THEN DELETE \
             WHEN NOT MATCHED THEN INSERT VALUES (1)",
        );
        let mut arms = merge.take("merge_when_clauses");
        assert_eq!(arms.pop().number("command_type"), CMD_INSERT);
        assert_eq!(arms.pop().number("match_kind"), NOT_MATCHED_BY_SOURCE);
    }
}
