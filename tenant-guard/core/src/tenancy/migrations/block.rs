//! `DO` blocks.
//!
//! A block runs code, so what it does to tables cannot be read in general. Two forms can: one
//! without any word that changes the schema, and one that runs plain statements in a row and passes
//! over those that fail because the thing exists already.

use super::cursor::Cursor;
use super::error::MigrationProblem as Problem;
use super::schema::Schema;
use super::split::split;
use super::{citus, literal, statement};
use crate::lexer::Kind;

/// Words without which a block changes no schema.
const CHANGING: &[&str] = &[
    "create",
    "alter",
    "drop",
    "rename",
    "execute",
    "call",
    "import",
    "set_config",
    "search_path",
];

/// Reads from behind `DO`.
pub(super) fn run(schema: &mut Schema, at: Cursor<'_>) -> Result<(), Problem> {
    let body = at
        .tokens()
        .iter()
        .find(|token| matches!(token.kind, Kind::String | Kind::DollarString));
    let Some(body) = body else {
        return Err(Problem::misread("the text of a block is missing", at));
    };
    // LANGUAGE may stand on either side, and its name may be a string.
    let written = at.slice(*body);
    let is_plain = written.starts_with('$')
        && !at
            .words()
            .any(|word| { word.eq_ignore_ascii_case("language") } && !is_plpgsql(at));
    if !is_plain {
        return Err(hidden());
    }
    let text = literal::dollar_body(written);
    if changes_nothing(text)? {
        return Ok(());
    }
    in_a_row(schema, text)
}

fn is_plpgsql(at: Cursor<'_>) -> bool {
    at.words().any(|word| word.eq_ignore_ascii_case("plpgsql"))
}

fn hidden() -> Problem {
    Problem::Hidden {
        what: "a DO block".to_owned(),
    }
}

fn changes_nothing(text: &str) -> Result<bool, Problem> {
    for piece in split(text)? {
        let mut performed = Cursor::new(text, &piece.tokens);
        if performed.eat("PERFORM") {
            statement::require_harmless_calls(performed)?;
        }
        let changes = Cursor::new(text, &piece.tokens).words().any(|word| {
            let word = word.to_ascii_lowercase();
            CHANGING.contains(&word.as_str()) || citus::is_followed(&word)
        });
        if changes {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `BEGIN statement; … [EXCEPTION WHEN … THEN NULL; …] END`
///
/// Whatever else PL/pgSQL knows (`IF`, `FOR`, `DECLARE`, …) starts a piece with a word that is no
/// statement's, and so is an error.
fn in_a_row(schema: &mut Schema, text: &str) -> Result<(), Problem> {
    let mut statements = Vec::new();
    let mut handled = false;
    let pieces = split(text)?;
    for (place, piece) in pieces.iter().enumerate() {
        let mut at = Cursor::new(text, &piece.tokens);
        if place == 0 && !at.eat("BEGIN") {
            return Err(hidden());
        }
        handled |= at.eat("EXCEPTION");
        if at.sees("END") {
            continue;
        }
        if !handled {
            statements.push(at);
        } else if !passes_over(at) {
            return Err(hidden());
        }
    }
    // A failing statement takes those before it back.
    let before = schema.clone();
    for statement in statements {
        // In PL/pgSQL, INTO fills a variable.
        if statement.sees("SELECT") && statement.find("INTO").is_some() {
            return Err(hidden());
        }
        match statement::apply(schema, statement) {
            Err(Problem::Exists { .. }) if handled => {
                *schema = before;
                return Ok(());
            }
            Err(Problem::UnknownStatement) => return Err(hidden()),
            result => result?,
        }
    }
    Ok(())
}

/// `WHEN condition [OR condition]… THEN NULL`
fn passes_over(mut at: Cursor<'_>) -> bool {
    at.eat("WHEN")
        && at
            .find("THEN")
            .is_some_and(|mut then| then.eat("THEN NULL") && then.is_at_end())
}
