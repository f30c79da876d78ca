//! From tokens to sqlparser's tree.
//!
//! sqlparser never sees the text: its own lexer cuts it otherwise. It gets PostgreSQL's tokens, one for
//! one, but for what [`adapt`](super::adapt) takes out and puts in.

use sqlparser::ast;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Span, Token as Theirs, TokenWithSpan};

use crate::Refusal;
use crate::read::limits::too_deep;

use super::adapt::adapted;
use super::refusal::unreadable;
use super::tokens::Token;

/// The tree of the one statement.
pub(super) fn parse(sql: &str, tokens: &[Token]) -> Result<ast::Statement, Refusal> {
    let pieces = adapted(sql, tokens)?;
    // Each is a column of its own, so that no two are taken for neighbours.
    let located = (1_u64..).zip(&pieces).map(|(column, piece)| TokenWithSpan {
        token: piece.token.clone(),
        span: Span::new(
            Location::new(1, 2 * column),
            Location::new(1, 2 * column + 1),
        ),
    });
    let dialect = PostgreSqlDialect {};
    let mut parser = Parser::new(&dialect).with_tokens_with_locations(located.collect());
    let place = |parser: &Parser<'_>| {
        let piece = pieces.get(parser.index()).or(pieces.last());
        let token = piece.and_then(|piece| tokens.get(piece.of));
        token.map_or(0..0, |token| token.span.clone())
    };
    let is_query = tokens
        .first()
        .is_some_and(|first| sql[first.span.clone()].eq_ignore_ascii_case("table"));
    let tree = if is_query {
        parser.parse_query().map(ast::Statement::Query)
    } else {
        parser.parse_statement()
    };
    let tree = tree.map_err(|error| match error {
        ParserError::RecursionLimitExceeded => too_deep(),
        ParserError::TokenizerError(_) | ParserError::ParserError(_) => {
            unreadable().at(place(&parser))
        }
    })?;
    match parser.peek_token_ref().token {
        Theirs::EOF => Ok(tree),
        _ => Err(unreadable().at(place(&parser))),
    }
}
