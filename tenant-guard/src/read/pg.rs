//! The reader that is trusted: PostgreSQL's own grammar (libpg_query).
//!
//! It knows a closed list of syntax nodes, each with all its fields; anything else is refused.

mod expression;
mod from;
mod insert;
mod limits;
mod nodes;
mod output;
mod relation;
mod sites;
mod statement;
mod tokens;

use pg_query::protobuf::ParseResult;

use crate::facts::Statement;
use crate::{Code, Policy, Refusal};

use tokens::Tokens;

/// A statement as PostgreSQL's grammar reads it.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) tree: ParseResult,
    tokens: Tokens,
}

/// Parses a text of bounded size and depth that holds exactly one statement.
pub(crate) fn parse(sql: &str, policy: &Policy) -> Result<Parsed, Refusal> {
    let tokens = limits::scan_within(sql, policy)?;
    let tree = pg_query::parse(sql, 0)
        .map_err(|error| syntax_refusal(&error))?
        .protobuf;
    match tree.stmts.len() {
        1 => Ok(Parsed { tree, tokens }),
        count => Err(Refusal::new(
            Code::NotOneStatement,
            if count == 0 {
                "the text holds no statement".to_owned()
            } else {
                format!("the text holds {count} statements")
            },
            "send one statement at a time",
        )),
    }
}

/// What the statement says.
pub(crate) fn facts(parsed: &Parsed) -> Result<Statement, Refusal> {
    statement::Reader::new(&parsed.tokens).statement(&parsed.tree)
}

/// libpg_query's message without what it quotes of the text, which may be data.
fn syntax_refusal(error: &pg_query::Error) -> Refusal {
    let detail = match error {
        pg_query::Error::Parse(message) | pg_query::Error::Scan(message) => {
            match message.split_once(" at or near ") {
                Some((what, token)) if token.trim_matches('"').chars().all(char::is_alphabetic) => {
                    format!("{what} at or near {token}")
                }
                Some((what, _)) => what.to_owned(),
                None if message.contains('"') => "syntax error".to_owned(),
                None => message.clone(),
            }
        }
        pg_query::Error::Decode(_) => {
            return Refusal::new(
                Code::TooComplex,
                "the statement is nested too deeply",
                "flatten long chains of joins, operators or set operations, or use arrays and = ANY($1)",
            );
        }
        _ => "the text cannot be read".to_owned(),
    };
    Refusal::new(
        Code::Syntax,
        detail,
        "write the statement as PostgreSQL's grammar has it, with $1, $2, … for parameters",
    )
}
