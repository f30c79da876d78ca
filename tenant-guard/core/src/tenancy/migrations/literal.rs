//! The values of string constants.

use super::error::MigrationProblem as Problem;

/// The value of a string constant without escapes: `'it''s'`, or `$$it's$$`.
pub(super) fn plain_string(written: &str) -> Result<String, Problem> {
    if let Some(rest) = written.strip_prefix('\'') {
        let inner = rest.strip_suffix('\'').unwrap_or(rest);
        // A single quote that is left ends the first of several parts on several lines.
        if !inner.replace("''", "").contains('\'') {
            return Ok(inner.replace("''", "'"));
        }
    }
    if written.starts_with('$') {
        return Ok(dollar_body(written).to_owned());
    }
    Err(Problem::Unread {
        what: "a string with escapes, or over several lines, could not be read".to_owned(),
    })
}

/// What stands between the tags of a dollar-quoted string.
pub(super) fn dollar_body(written: &str) -> &str {
    let tag = written
        .get(1..)
        .and_then(|rest| rest.find('$'))
        .map_or(0, |end| end + 2);
    written
        .get(tag..written.len().saturating_sub(tag))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_without_escapes_are_read() {
        assert_eq!(plain_string("'it''s'").unwrap(), "it's");
        assert_eq!(plain_string("$$a'b$$").unwrap(), "a'b");
        assert_eq!(plain_string("$x$a$$b$x$").unwrap(), "a$$b");
        assert!(plain_string("E'a'").is_err());
        assert!(plain_string("'a'\n'b'").is_err());
    }
}
