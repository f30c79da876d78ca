//! Characters that cannot be seen.
//!
//! For PostgreSQL every character beyond ASCII can be part of a name, a no-break space as well as a
//! letter (`ident_start` in `src/backend/parser/scan.l`). A text that was copied from a page would
//! then name a table that nobody can tell from another.

use crate::facts::Span;
use crate::{Code, Refusal};

/// Refuses unquoted names with white space, controls or marks of no width in them.
pub(super) fn check_names<'t>(
    sql: &str,
    tokens: impl Iterator<Item = &'t Span>,
) -> Result<(), Refusal> {
    if sql.is_ascii() {
        return Ok(());
    }
    for span in tokens {
        let token = sql.get(span.clone()).unwrap_or_default();
        if token.contains(['\'', '"', '$']) {
            continue;
        }
        if let Some((offset, unseen)) = token.char_indices().find(|(_, c)| is_unseen(*c)) {
            let start = span.start + offset;
            return Err(Refusal::new(
                Code::Syntax,
                format!(
                    "a name holds U+{:04X}, a character that cannot be seen",
                    u32::from(unseen)
                ),
                "write a plain space, or quote the name",
            )
            .at(start..start + unseen.len_utf8()));
        }
    }
    Ok(())
}

fn is_unseen(c: char) -> bool {
    let has_no_width = matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}');
    !c.is_ascii() && (c.is_whitespace() || c.is_control() || has_no_width)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(sql: &str) -> Option<Span> {
        // Words stand for tokens here.
        let spans = sql.split(' ').map(|word| {
            let start = word.as_ptr() as usize - sql.as_ptr() as usize;
            start..start + word.len()
        });
        let spans: Vec<Span> = spans.collect();
        check_names(sql, spans.iter()).err().map(|refusal| {
            assert_eq!(refusal.code(), Code::Syntax);
            refusal.span().unwrap()
        })
    }

    #[test]
    fn names_that_look_like_others_are_refused_where_they_do() {
        for unseen in [
            '\u{a0}', '\u{200b}', '\u{feff}', '\u{2003}', '\u{85}', '\u{202e}',
        ] {
            let sql = format!("SELECT ta{unseen}sks");
            assert_eq!(checked(&sql), Some(9..9 + unseen.len_utf8()), "{sql:?}");
        }
        assert_eq!(checked("\u{feff}SELECT 1"), Some(0..3));
    }

    #[test]
    fn letters_literals_and_quoted_names_may_be_anything() {
        for sql in [
            "SELECT größe",
            "SELECT 'a\u{a0}b'",
            "SELECT \"a\u{a0}b\"",
            "SELECT $$\u{200b}$$",
        ] {
            assert_eq!(checked(sql), None, "{sql:?}");
        }
    }
}
