//! The reader that is trusted: PostgreSQL's own grammar (libpg_query).
//!
//! It knows a closed list of syntax nodes, each with all its fields; anything else is refused.

mod expression;
mod from;
mod insert;
mod json;
mod limits;
mod merge;
mod name;
mod nodes;
mod output;
mod relation;
mod returning;
mod sites;
mod statement;
mod tokens;
mod with;

use pg_query::protobuf::ParseResult;

use crate::facts::Statement;
use crate::read::limits::too_deep;
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
    let message = match error {
        pg_query::Error::Parse(message) | pg_query::Error::Scan(message) => message.as_str(),
        pg_query::Error::Decode(_) => return too_deep(),
        _ => "the text cannot be read",
    };
    if ["stack depth limit", "memory exhausted", "too deeply"]
        .iter()
        .any(|limit| message.contains(limit))
    {
        return too_deep();
    }
    let detail = match message.split_once(" at or near ") {
        Some((_, token)) if is_word(token) => message,
        Some((what, _)) => what,
        None if message.contains('"') => "syntax error",
        None => message,
    };
    Refusal::new(
        Code::Syntax,
        detail,
        "write the statement as PostgreSQL's grammar has it, with $1, $2, … for parameters",
    )
}

/// Whether a quoted token is a keyword or name, and no literal.
fn is_word(token: &str) -> bool {
    token.trim_matches('"').chars().all(char::is_alphabetic)
}
