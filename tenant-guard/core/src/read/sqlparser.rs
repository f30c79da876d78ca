//! The reader without C: sqlparser's parser, watched.
//!
//! sqlparser reads more than PostgreSQL, and some of it otherwise. So it never sees the text, and its
//! tree is never taken at its word. [`tokens`] cuts the text as PostgreSQL does, and [`parse`] gives
//! these tokens to sqlparser's parser. Then the tree is *spelled*: [`Reader`](reader::Reader) walks it
//! in the order of the text and takes, token by token, what PostgreSQL's grammar writes for each node.
//! A statement is read when
//!
//! - every node of the tree is one that is known here, with all its fields,
//! - the tree spells exactly the tokens of the text, so that nothing is left out or made up,
//! - every name is one that PostgreSQL's keywords allow in its place, and
//! - every operator stands to its operands as PostgreSQL's precedences have it.
//!
//! Then the tree is a derivation of the text by PostgreSQL's grammar, and there is no other. Anything
//! else is refused. Positions come from the tokens alone.

mod adapt;
mod call;
mod cast;
mod expression;
mod figured;
mod from;
mod insert;
mod keyword_call;
mod keywords;
mod merge;
mod operator;
mod parse;
mod precedence;
mod reader;
mod refusal;
mod sample;
mod select;
mod statement;
mod tokens;
mod type_name;
mod unicode;
mod value;
mod window;
mod write;

use crate::facts::Statement;
use crate::{Policy, Refusal};

/// What the statement says.
pub(crate) fn read(sql: &str, policy: &Policy) -> Result<Statement, Refusal> {
    let tokens = tokens::cut(sql, policy)?;
    let tree = parse::parse(sql, &tokens)?;
    reader::Reader::new(sql, &tokens).statement(&tree)
}
