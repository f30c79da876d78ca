//! Bounds that hold before a parser sees the text.
//!
//! Parsers recurse, so that a bomb of nested parentheses or chained operators could overflow the
//! stack of the calling thread. Scanners do not.

use crate::facts::Span;
use crate::{Code, Policy, Refusal};

/// Parentheses, brackets and `CASE`s inside one another.
const MAX_NESTING: usize = 64;

/// Tokens between two commas, summed over the levels of nesting that are open: a bound of the
/// length of any chain (`a || b || …`, `… UNION ALL …`) and so of the depth of the tree.
const MAX_CHAIN: usize = 4_000;

/// Bytes that PostgreSQL's scanner may look at more than once.
const MAX_REPEATED: usize = 4 * 1024 * 1024;

/// What a token does to the depth of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Opens,
    Closes,
    Separates,
    Continues,
}

/// Refuses a text that is too long, or that holds a NUL byte, where C would see its end.
pub(super) fn check_text(sql: &str, policy: &Policy) -> Result<(), Refusal> {
    if sql.len() > policy.max_bytes {
        return Err(Refusal::new(
            Code::TooComplex,
            format!(
                "the statement has {} bytes, more than the {} that are read",
                sql.len(),
                policy.max_bytes
            ),
            "bind long values as parameters, or raise Policy::max_bytes",
        ));
    }
    if let Some(position) = sql.find('\0') {
        return Err(Refusal::new(
            Code::Syntax,
            "the statement holds a NUL byte",
            "bind binary values as parameters",
        )
        .at(position..position + 1));
    }
    if repeated_by_comments(sql) > MAX_REPEATED {
        return Err(Refusal::new(
            Code::TooComplex,
            "too many comments start within one another",
            "leave comments out of comments",
        ));
    }
    Ok(())
}

/// How many bytes the scanner takes back at the starts of comments: at each `/*` it reads all operator
/// characters that follow, and then goes back (`xcstart`, PostgreSQL 18 `src/backend/parser/scan.l`). A text
/// of nothing but `/*` would take a time that grows with the square of its length.
fn repeated_by_comments(sql: &str) -> usize {
    let is_operator = |byte: &u8| b"~!@#^&|`?+-*/%<>=".contains(byte);
    sql.as_bytes()
        .split(|byte| !is_operator(byte))
        .map(|run| {
            let starts = run.windows(2).enumerate().filter(|(_, pair)| pair == b"/*");
            starts.map(|(at, _)| run.len() - at).sum::<usize>()
        })
        .sum()
}

/// Refuses tokens that would make too deep a tree.
pub(super) fn check_depth<'t>(
    tokens: impl Iterator<Item = (Step, &'t Span)>,
) -> Result<(), Refusal> {
    let mut open_chains = Vec::new();
    let (mut chain, mut outer) = (0_usize, 0_usize);
    for (step, span) in tokens {
        match step {
            Step::Opens => {
                open_chains.push(chain);
                outer += chain;
                chain = 0;
            }
            Step::Closes => {
                if let Some(resumed) = open_chains.pop() {
                    outer -= resumed;
                    chain = resumed;
                }
            }
            Step::Separates => chain = 0,
            Step::Continues => chain += 1,
        }
        if open_chains.len() > MAX_NESTING || outer + chain > MAX_CHAIN {
            return Err(too_deep().at(span.clone()));
        }
    }
    Ok(())
}

/// The refusal for what would need too deep a tree.
pub(crate) fn too_deep() -> Refusal {
    Refusal::new(
        Code::TooComplex,
        "the statement is nested too deeply",
        "flatten long chains of joins, operators or set operations, or use arrays and = ANY($1)",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_within_one_another_do_not_grow_with_the_square() {
        let code =
            |sql: &str| check_text(sql, &Policy::default()).map_err(|refusal| refusal.code());
        // It took two seconds to scan an eighth of this, and 64 times as long for all.
        assert_eq!(code(&"/*".repeat(128 * 1024)), Err(Code::TooComplex));
        assert_eq!(code(&"/*/".repeat(64 * 1024)), Err(Code::TooComplex));

        let banner = format!("/*{}*/ SELECT 1", "*".repeat(100_000));
        let nested = format!("{}{} SELECT 1", "/*".repeat(500), "*/".repeat(500));
        let many = "/* a comment */ ".repeat(10_000);
        let string = format!("SELECT '{}'", "/* ".repeat(50_000));
        for good in [&banner, &nested, &many, &string] {
            assert_eq!(code(good), Ok(()), "{}", &good[..20]);
        }
    }
}
