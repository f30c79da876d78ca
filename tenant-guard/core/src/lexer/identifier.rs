//! Identifiers as PostgreSQL stores them.

use crate::Ident;

/// An identifier without quotes as PostgreSQL stores it: ASCII letters in lower case
/// (`downcase_truncate_identifier`, `src/backend/parser/scansup.c`; in UTF-8, only ASCII folds).
pub(crate) fn fold(written: &str) -> Ident {
    Ident::new(truncate(written.to_ascii_lowercase()))
}

/// A quoted identifier as PostgreSQL stores it.
pub(crate) fn unquote(written: &str) -> Ident {
    let inner = written
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(written);
    Ident::new(truncate(inner.replace("\"\"", "\"")))
}

/// Cuts a name to PostgreSQL's 63 bytes (`NAMEDATALEN - 1`), between characters.
pub(crate) fn truncate(mut name: String) -> String {
    const LONGEST: usize = 63;
    if name.len() > LONGEST {
        let end = (0..=LONGEST)
            .rev()
            .find(|end| name.is_char_boundary(*end))
            .unwrap_or(0);
        name.truncate(end);
    }
    name
}
