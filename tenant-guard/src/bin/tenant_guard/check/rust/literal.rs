//! String literals of Rust, and where each character of their values is written.

use std::ops::Range;

use crate::check::sql_text::SqlText;

/// The value of a string literal that begins at a byte of the file. `None` where the token is no
/// string literal that gives a `&str`.
pub(crate) fn value(token: &str, start: usize) -> Option<SqlText> {
    if let Some(cooked) = token.strip_prefix('"') {
        let (content, _suffix) = cooked.rsplit_once('"')?;
        return cooked_value(content, start + 1);
    }
    let quoted = token.strip_prefix('r')?.trim_start_matches('#');
    let opening = token.len() - quoted.len() + 1;
    let (content, _suffix) = quoted.strip_prefix('"')?.rsplit_once('"')?;
    Some(raw_value(content, start + opening))
}

/// A line break is `\n` in the value, however the file has it.
fn raw_value(content: &str, start: usize) -> SqlText {
    let mut sql = SqlText::new(start);
    let mut at = 0;
    for (crlf, _) in content.match_indices("\r\n") {
        sql.push_verbatim(&content[at..crlf], start + at);
        sql.push_escape('\n', start + crlf..start + crlf + 2);
        at = crlf + 2;
    }
    sql.push_verbatim(&content[at..], start + at);
    sql
}

fn cooked_value(content: &str, start: usize) -> Option<SqlText> {
    let mut sql = SqlText::new(start);
    let mut at = 0;
    while let Some(found) = content[at..].find(['\\', '\r']) {
        let escape = at + found;
        sql.push_verbatim(&content[at..escape], start + at);
        let rest = &content[escape..];
        let (character, length) = match rest.strip_prefix('\\') {
            Some(rest) => {
                let (character, length) = escape_sequence(rest)?;
                (character, length + 1)
            }
            None if rest.starts_with("\r\n") => (Some('\n'), 2),
            None => (Some('\r'), 1),
        };
        if let Some(character) = character {
            sql.push_escape(character, shifted(escape..escape + length, start));
        }
        at = escape + length;
    }
    sql.push_verbatim(&content[at..], start + at);
    Some(sql)
}

/// What follows a backslash: the character it stands for, if for any, and its length
/// (<https://doc.rust-lang.org/reference/tokens.html#character-escapes>).
fn escape_sequence(rest: &str) -> Option<(Option<char>, usize)> {
    let simple = |character| Some((Some(character), 1));
    match rest.chars().next()? {
        'n' => simple('\n'),
        'r' => simple('\r'),
        't' => simple('\t'),
        '0' => simple('\0'),
        character @ ('\\' | '\'' | '"') => simple(character),
        'x' => {
            let code = u8::from_str_radix(rest.get(1..3)?, 16).ok()?;
            Some((Some(char::from(code)), 3))
        }
        'u' => {
            let digits = rest.strip_prefix("u{")?.split_once('}')?.0;
            let code = u32::from_str_radix(&digits.replace('_', ""), 16).ok()?;
            Some((Some(char::from_u32(code)?), 2 + digits.len() + 1))
        }
        // The line goes on: nothing up to the next character that is no space.
        '\n' | '\r' => {
            let after = rest.trim_start_matches([' ', '\t', '\n', '\r']);
            Some((None, rest.len() - after.len()))
        }
        _ => None,
    }
}

fn shifted(range: Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How a character of a value can be written in a literal.
    fn written() -> impl Strategy<Value = (&'static str, String)> {
        prop_oneof![
            Just(("a", "a".to_owned())),
            Just(("ä", "ä".to_owned())),
            Just(("\u{1f980}", "\u{1f980}".to_owned())),
            Just(("\t", "\t".to_owned())),
            Just(("\n", "\n".to_owned())),
            Just(("\n", "\r\n".to_owned())),
            Just(("\n", r"\n".to_owned())),
            Just(("\"", "\\\"".to_owned())),
            Just(("'", r"\'".to_owned())),
            Just(("\\", r"\\".to_owned())),
            Just(("A", r"\x41".to_owned())),
            Just(("€", r"\u{20_AC}".to_owned())),
            Just(("", "\\\n   \t".to_owned())),
            Just(("", "\\\r\n\n ".to_owned())),
            // After a line that goes on, space would be no part of the value.
            Just((";", ";".to_owned())),
        ]
    }

    /// What may stand in a literal.
    fn valid() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "a",
            "ä",
            "表",
            "'",
            " ",
            "\t",
            "\n",
            "\r\n",
            "{}",
            "--",
            r"\n",
            r"\r",
            r"\t",
            r"\0",
            r"\\",
            r"\'",
            "\\\"",
            r"\x00",
            r"\x41",
            r"\x7f",
            r"\u{0}",
            r"\u{e9}",
            r"\u{1_F980}",
            "\\\n  ",
            "\\\r\n\t",
            "\\\n\n",
        ])
    }

    proptest! {
        #[test]
        fn each_character_is_found_where_it_is_written(
            before in "[ a-zä\n]{0,20}",
            parts in prop::collection::vec(written(), 0..40),
        ) {
            // Space after a line that goes on belongs to the break.
            let mut parts = parts;
            for index in 1..parts.len() {
                let broken = parts[..index].iter().rev().find(|part| !part.1.is_empty());
                let eaten = broken.is_some_and(|part| part.0.is_empty())
                    && parts[index].1.starts_with(['\n', '\t', '\r']);
                if eaten {
                    parts[index] = (";", ";".to_owned());
                }
            }
            let content: String = parts.iter().map(|part| part.1.as_str()).collect();
            let file = format!("{before}\"{content}\"");
            let sql = value(&file[before.len()..], before.len()).unwrap();
            let expected: String = parts.iter().map(|part| part.0).collect();
            prop_assert_eq!(sql.text(), expected.as_str());

            let (mut in_value, mut in_file) = (0, before.len() + 1);
            for (character, written) in parts {
                if !character.is_empty() {
                    let place = sql.locate(in_value..in_value + character.len());
                    prop_assert_eq!(&file[place.clone()], written.as_str());
                    prop_assert_eq!(place.start, in_file);
                }
                in_value += character.len();
                in_file += written.len();
            }
        }

        #[test]
        fn the_value_is_the_one_that_rust_has(parts in prop::collection::vec(valid(), 0..40)) {
            let token = format!("\"{}\"", parts.concat());
            // Each part is valid wherever it stands, so that each case compares two values.
            let literal: syn::LitStr = syn::parse_str(&token).unwrap();
            let sql = value(&token, 0).unwrap();
            prop_assert_eq!(sql.text(), literal.value());
        }

        #[test]
        fn raw_literals_are_found_byte_by_byte(content in "[a-zä€\n\t\\\\ ]{0,30}", hashes in 1..4_usize) {
            let hash = "#".repeat(hashes);
            let token = format!("r{hash}\"{content}\"{hash}");
            let literal: syn::LitStr = syn::parse_str(&token).unwrap();
            let sql = value(&token, 7).unwrap();
            prop_assert_eq!(sql.text(), literal.value());
            for (at, character) in content.char_indices() {
                let start = 7 + hashes + 2 + at;
                prop_assert_eq!(sql.locate(at..at + character.len_utf8()), start..start + character.len_utf8());
            }
        }
    }

    #[test]
    fn a_raw_literal_has_no_carriage_return_at_its_line_breaks() {
        let sql = value("r\"a\r\nb\"", 0).unwrap();
        assert_eq!(sql.text(), "a\nb");
        assert_eq!(sql.locate(1..3), 3..6);
    }

    #[test]
    fn other_literals_are_none() {
        for token in ["b\"a\"", "c\"a\"", "'a'", "1", "br\"a\"", "true"] {
            assert_eq!(value(token, 0), None, "{token}");
        }
    }
}
