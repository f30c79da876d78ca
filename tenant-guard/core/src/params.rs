//! How many parameters a text takes, by its tokens alone.

use crate::lexer::{Kind, Lexer};
use crate::{Code, Refusal};

/// The highest `$n` of one statement, 0 where there is none: how many parameters it takes. The text is cut
/// into tokens as PostgreSQL does, and nothing is said of whether it is good.
///
/// ```
/// let sql = "SELECT '$9' FROM tasks WHERE id = $2 -- not $3";
/// assert_eq!(tenant_guard::highest_param(sql)?, 2);
/// # Ok::<(), tenant_guard::Refusal>(())
/// ```
///
/// # Errors
/// [`Code::Syntax`] for what cannot be cut, [`Code::NotOneStatement`] for no statement or several,
/// [`Code::TooComplex`] for a number that PostgreSQL does not have (65,535 is the last).
pub fn highest_param(sql: &str) -> Result<u32, Refusal> {
    let mut highest = 0;
    let (mut statements, mut ended) = (0_usize, true);
    let mut lexer = Lexer::new(sql);
    let hint = "write the statement as PostgreSQL's grammar has it, with $1, $2, … for parameters";
    while let Some(token) = lexer
        .next()
        .map_err(|error| Refusal::new(Code::Syntax, error.what, hint).at(error.at..error.at + 1))?
    {
        if token.kind == Kind::Punctuation(b';') {
            ended = true;
            continue;
        }
        statements += usize::from(ended);
        ended = false;
        if token.kind == Kind::Parameter {
            let span = token.start..token.end;
            let number = sql.get(token.start + 1..token.end).unwrap_or_default();
            let number: u16 = number.parse().map_err(|_| {
                Refusal::new(
                    Code::TooComplex,
                    "there is no such parameter: $65535 is the last",
                    "number the parameters from $1",
                )
                .at(span)
            })?;
            highest = highest.max(u32::from(number));
        }
    }
    match statements {
        1 => Ok(highest),
        0 => Err(Refusal::new(
            Code::NotOneStatement,
            "the text holds no statement",
            "send one statement at a time",
        )),
        count => Err(Refusal::new(
            Code::NotOneStatement,
            format!("the text holds {count} statements"),
            "send one statement at a time",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_counted_by_their_highest() {
        for (sql, highest) in [
            ("SELECT 1", 0),
            ("SELECT $1, $3;", 3),
            ("SELECT $$ $4 $$, '$5', \"$6\", /* $7 */ $2", 2),
        ] {
            assert_eq!(highest_param(sql), Ok(highest), "{sql}");
        }
    }

    #[test]
    fn what_is_no_single_statement_is_refused() {
        for (sql, code) in [
            ("", Code::NotOneStatement),
            (" ; -- $1", Code::NotOneStatement),
            ("SELECT 1; SELECT 2", Code::NotOneStatement),
            ("SELECT 'a", Code::Syntax),
            ("SELECT $65536", Code::TooComplex),
            ("SELECT $99999999999999999999", Code::TooComplex),
        ] {
            assert_eq!(highest_param(sql).unwrap_err().code(), code, "{sql}");
        }
    }
}
