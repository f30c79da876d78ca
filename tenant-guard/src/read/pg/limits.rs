//! Bounds that hold before PostgreSQL's parser sees the text.
//!
//! The parser and the tree's printer recurse in C, so that a bomb of nested parentheses or chained
//! operators could overflow the stack of the calling thread. The scanner does not recurse.

use pg_query::protobuf::Token as Kind;

use crate::{Code, Policy, Refusal};

use super::syntax_refusal;
use super::tokens::Tokens;

/// Parentheses, brackets and `CASE`s inside one another.
const MAX_NESTING: usize = 64;

/// Tokens between two commas, summed over the levels of nesting that are open: a bound of the
/// length of any chain (`a || b || …`, `… UNION ALL …`) and so of the depth of the tree.
const MAX_CHAIN: usize = 4_000;

/// Scans the text if it is within the bounds.
pub(super) fn scan_within(sql: &str, policy: &Policy) -> Result<Tokens, Refusal> {
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
    let tokens = Tokens::scan(sql).map_err(|error| syntax_refusal(&error))?;
    check_depth(&tokens)?;
    Ok(tokens)
}

fn check_depth(tokens: &Tokens) -> Result<(), Refusal> {
    let mut open_chains = Vec::new();
    let (mut chain, mut outer) = (0_usize, 0_usize);
    for token in tokens.iter() {
        match token.kind {
            Kind::Ascii40 | Kind::Ascii91 | Kind::Case => {
                open_chains.push(chain);
                outer += chain;
                chain = 0;
            }
            Kind::Ascii41 | Kind::Ascii93 | Kind::EndP => {
                if let Some(resumed) = open_chains.pop() {
                    outer -= resumed;
                    chain = resumed;
                }
            }
            Kind::Ascii44 => chain = 0,
            _ => chain += 1,
        }
        if open_chains.len() > MAX_NESTING || outer + chain > MAX_CHAIN {
            return Err(Refusal::new(
                Code::TooComplex,
                "the statement is nested too deeply",
                "flatten long chains of joins, operators or set operations, or use arrays and = ANY($1)",
            )
            .at(token.span.clone()));
        }
    }
    Ok(())
}
