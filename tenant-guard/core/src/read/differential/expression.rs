//! Expressions whose reading is all a matter of precedence.

use super::mutation::Mutator;

/// Operators of all kinds between, before and behind operands, in no order and without
/// parentheses.
pub(super) fn expression(random: &mut Mutator) -> String {
    const BEFORE: &[&str] = &["-", "+", "NOT", "~", "@", "- -", "|/"];
    const BEHIND: &[&str] = &[
        "::int",
        "::text",
        "IS NULL",
        "NOTNULL",
        "IS NOT TRUE",
        "COLLATE \"C\"",
        "[1]",
        "IN (1, 2)",
        "NOT IN (SELECT 1)",
        "= ANY ($1)",
        "IS NOT UNKNOWN",
    ];
    const BETWEEN: &[&str] = &[
        "+",
        "-",
        "*",
        "/",
        "%",
        "^",
        "||",
        "->",
        "->>",
        "@>",
        "~",
        "!~*",
        "&&",
        "=",
        "<",
        "<>",
        ">=",
        "AND",
        "OR",
        "LIKE",
        "NOT ILIKE",
        "SIMILAR TO",
        "IS DISTINCT FROM",
        "AT TIME ZONE",
        "BETWEEN 1 AND",
        "NOT BETWEEN a AND",
        "#",
        "<<",
        "<->",
        "^@",
    ];
    const OPERANDS: &[&str] = &[
        "a",
        "t.b",
        "1",
        "'x'",
        "$1",
        "f(a)",
        "NULL",
        "(1)",
        "(a, 1)",
        "(SELECT c)",
        "now()",
        "CASE WHEN a THEN b END",
        "date '2020-01-01'",
        "ARRAY[1]",
        "EXISTS (SELECT 1)",
        "user",
    ];
    let mut pieces = Vec::new();
    for step in 0..=random.below(4) {
        if step > 0 {
            pieces.push(*random.pick(BETWEEN));
        }
        if random.below(4) == 0 {
            pieces.push(*random.pick(BEFORE));
        }
        pieces.push(*random.pick(OPERANDS));
        if random.below(3) == 0 {
            pieces.push(*random.pick(BEHIND));
        }
    }
    pieces.join(" ")
}
