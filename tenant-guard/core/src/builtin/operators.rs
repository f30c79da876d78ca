//! PostgreSQL's own operators.

/// Whether `pg_catalog` has an operator of this name (PostgreSQL 15). All of them compute from
/// their operands alone.
pub(crate) fn is_operator(name: &str) -> bool {
    OPERATORS.binary_search(&name).is_ok()
}

/// `SELECT DISTINCT oprname FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace`, from
/// PostgreSQL 15.20. `!=` is missing because PostgreSQL's lexer turns it into `<>`.
#[rustfmt::skip]
static OPERATORS: &[&str] = &[
    "!!", "!~", "!~*", "!~~", "!~~*", "#", "##", "#-", "#>", "#>>", "%", "&", "&&", "&<", "&<|",
    "&>", "*", "*<", "*<=", "*<>", "*=", "*>", "*>=", "+", "-", "->", "->>", "-|-", "/", "<", "<->",
    "<<", "<<=", "<<|", "<=", "<>", "<@", "<^", "=", ">", ">=", ">>", ">>=", ">^", "?", "?#", "?&",
    "?-", "?-|", "?|", "?||", "@", "@-@", "@>", "@?", "@@", "@@@", "^", "^@", "|", "|&>", "|/",
    "|>>", "||", "||/", "~", "~*", "~<=~", "~<~", "~=", "~>=~", "~>~", "~~", "~~*",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operators_can_be_searched() {
        assert!(OPERATORS.is_sorted_by(|one, next| one < next));
    }

    #[test]
    fn operators_are_postgresql_s_own() {
        for name in [
            "=", "<>", "||", "->>", "@>", "?", "?|", "~~*", "&&", "@@", "<->", "^@",
        ] {
            assert!(is_operator(name), "{name}");
        }
        for name in ["===", "", "<=>", "=>", "%%"] {
            assert!(!is_operator(name), "{name}");
        }
    }
}
