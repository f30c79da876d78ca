//! `U&"…"` and `U&'…'`.

/// What stands between the quotes, decoded and with its doubled quotes; nothing where an escape is
/// none or stands for half a character (`str_udeescape`, PostgreSQL `src/backend/parser/parser.c`).
pub(super) fn decoded(text: &str) -> Option<String> {
    let inner = text.get(3..text.len().checked_sub(1)?)?;
    let mut decoded = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        decoded.push_str(&rest[..at]);
        let escape = &rest[at + 1..];
        let (digits, behind) = match escape.chars().next()? {
            '\\' => {
                decoded.push('\\');
                rest = &escape[1..];
                continue;
            }
            '+' => (escape.get(1..7)?, escape.get(7..)?),
            _ => (escape.get(..4)?, escape.get(4..)?),
        };
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let character = u32::from_str_radix(digits, 16)
            .ok()
            .and_then(char::from_u32)?;
        match character {
            '\0' => return None,
            // Doubled, as all that stands in quotes is.
            '"' => decoded.push_str("\"\""),
            other => decoded.push(other),
        }
        rest = behind;
    }
    decoded.push_str(rest);
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read() {
        assert_eq!(decoded(r#"U&"t\0061sks""#).as_deref(), Some("tasks"));
        assert_eq!(decoded(r#"u&"\+00006b\\""#).as_deref(), Some(r"k\"));
        assert_eq!(decoded(r#"U&"a\0022""#).as_deref(), Some("a\"\""));
        assert_eq!(decoded(r#"U&"a\006""#), None);
        assert_eq!(decoded(r#"U&"\d83d\de00""#), None);
        assert_eq!(decoded(r#"U&"\0000""#), None);
        assert_eq!(decoded(r#"U&"é\+é00061""#), None);
    }
}
