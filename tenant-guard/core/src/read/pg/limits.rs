//! The bounds, checked on PostgreSQL's own tokens.

use pg_query::protobuf::Token as Kind;

use crate::read::characters::check_names;
use crate::read::limits::{Step, check_depth, check_text};
use crate::{Policy, Refusal};

use super::syntax_refusal;
use super::tokens::Tokens;

/// Scans the text if it is within the bounds.
pub(super) fn scan_within(sql: &str, policy: &Policy) -> Result<Tokens, Refusal> {
    check_text(sql, policy)?;
    let tokens = Tokens::scan(sql).map_err(|error| syntax_refusal(&error))?;
    check_names(sql, tokens.iter().map(|token| &token.span))?;
    check_depth(tokens.iter().map(|token| (step(token.kind), &token.span)))?;
    Ok(tokens)
}

fn step(kind: Kind) -> Step {
    match kind {
        Kind::Ascii40 | Kind::Ascii91 | Kind::Case => Step::Opens,
        Kind::Ascii41 | Kind::Ascii93 | Kind::EndP => Step::Closes,
        Kind::Ascii44 => Step::Separates,
        _ => Step::Continues,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;
    use crate::read::pg::parse;

    fn code(sql: &str) -> Option<Code> {
        parse(sql, &Policy::default())
            .err()
            .map(|refusal| refusal.code())
    }

    #[test]
    fn bombs_are_refused_before_they_are_parsed() {
        let bombs = [
            format!("SELECT {}1{}", "(".repeat(100_000), ")".repeat(100_000)),
            format!("SELECT {}", "(".repeat(100_000)),
            format!("SELECT {}", "[".repeat(10_000)),
            format!("SELECT 1{}", " || 1".repeat(40_000)),
            format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(10_000)),
            format!(
                "SELECT {}1{}",
                "CASE WHEN true THEN ".repeat(5_000),
                " END".repeat(5_000)
            ),
            format!("SELECT {}1", "- ".repeat(100_000)),
            format!("SELECT {}true", "NOT ".repeat(50_000)),
            format!("SELECT a{}", ".b".repeat(50_000)),
            format!("SELECT 1{}", "::int".repeat(50_000)),
            "x".repeat(300_000),
        ];
        for bomb in bombs {
            assert_eq!(code(&bomb), Some(Code::TooComplex), "{}", &bomb[..40]);
        }
    }

    #[test]
    fn what_is_long_but_flat_is_read() {
        let rows = vec!["($1, $2, 'text', now())"; 2_000].join(", ");
        assert_eq!(
            code(&format!("INSERT INTO t (a, b, c, d) VALUES {rows}")),
            None
        );
        let list = vec!["'0123456789'"; 5_000].join(", ");
        assert_eq!(code(&format!("SELECT 1 FROM t WHERE a IN ({list})")), None);
        let conjuncts = vec!["a = 1"; 500].join(" AND ");
        assert_eq!(code(&format!("SELECT 1 FROM t WHERE {conjuncts}")), None);
    }

    #[test]
    fn what_passes_the_scanner_but_is_too_deep_is_refused_by_the_decoder() {
        let chain = format!("SELECT 1{}", " || 1".repeat(200));
        assert_eq!(code(&chain), Some(Code::TooComplex));
    }

    #[test]
    fn a_small_stack_is_enough_for_the_worst_that_is_parsed() {
        let worst = [
            format!("SELECT 1{}", " || 1".repeat(1_990)),
            format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(990)),
            format!("SELECT {}1{}", "(".repeat(64), ")".repeat(64)),
            format!("SELECT {}true", "NOT ".repeat(3_990)),
            format!("SELECT 1{}", "::int".repeat(1_990)),
        ];
        // A worker thread of tokio has 2 MiB.
        let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
        let refused = thread
            .spawn(move || worst.map(|sql| code(&sql)))
            .unwrap()
            .join()
            .unwrap();
        assert!(
            refused
                .iter()
                .all(|code| matches!(code, None | Some(Code::TooComplex))),
            "{refused:?}"
        );
    }

    #[test]
    fn a_no_break_space_is_no_part_of_a_name() {
        let refusal = parse("SELECT *\u{a0}FROM tasks", &Policy::default()).unwrap_err();
        assert_eq!(refusal.code(), Code::Syntax);
        assert_eq!(refusal.span(), Some(8..10));
        assert_eq!(code("SELECT '\u{a0}' AS größe /* \u{200b} */"), None);
    }

    #[test]
    fn a_nul_byte_is_refused_where_it_stands() {
        let refusal = parse("SELECT '\0'", &Policy::default()).unwrap_err();
        assert_eq!((refusal.code(), refusal.span()), (Code::Syntax, Some(8..9)));
    }
}
