//! Reading texts as PostgreSQL's input functions do, where every version reads them alike.

/// `int8in`: decimal digits with a sign, blanks around. The hexadecimal numbers and underscores of
/// PostgreSQL 16 are not read, because 15 refuses them.
pub(super) fn integer(text: &str) -> Option<i64> {
    let text = text.trim_matches(is_space);
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// `boolin`: `true`, `false`, `yes`, `no`, `on`, `off`, `1`, `0` and what can only be the beginning
/// of one of them.
pub(super) fn boolean(text: &str) -> Option<bool> {
    let text = text.trim_matches(is_space);
    let begins = |word: &str, shortest: usize| {
        (shortest..=word.len()).contains(&text.len())
            && word.as_bytes()[..text.len()].eq_ignore_ascii_case(text.as_bytes())
    };
    if text == "1" || begins("true", 1) || begins("yes", 1) || begins("on", 2) {
        Some(true)
    } else if text == "0" || begins("false", 1) || begins("no", 1) || begins("off", 2) {
        Some(false)
    } else {
        None
    }
}

/// `uuid_in`: 32 hexadecimal digits, a hyphen allowed after each four, braces allowed around.
pub(super) fn uuid(text: &str) -> Option<[u8; 16]> {
    let inner = match text.strip_prefix('{') {
        Some(rest) => rest.strip_suffix('}')?,
        None => text,
    };
    let mut uuid = [0; 16];
    let mut bytes = inner.bytes();
    for (index, byte) in uuid.iter_mut().enumerate() {
        *byte = hex_digit(bytes.next()?)? << 4 | hex_digit(bytes.next()?)?;
        if index % 2 == 1 && index < 15 && bytes.clone().next() == Some(b'-') {
            bytes.next();
        }
    }
    bytes.next().is_none().then_some(uuid)
}

/// `byteain` of the hexadecimal format. The older escape format is not read: a text in it looks
/// like any other.
pub(super) fn bytea(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("\\x")?.as_bytes();
    let pairs = digits.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs
        .map(|pair| Some(hex_digit(pair[0])? << 4 | hex_digit(pair[1])?))
        .collect()
}

fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// C's `isspace` in ASCII.
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t'..='\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers() {
        assert_eq!(integer(" -007\n"), Some(-7));
        assert_eq!(integer("+7"), Some(7));
        for refused in [
            "",
            " ",
            "-",
            "+-7",
            "0x10",
            "1_000",
            "7.0",
            "७",
            "9223372036854775808",
        ] {
            assert_eq!(integer(refused), None, "{refused}");
        }
    }

    #[test]
    fn booleans() {
        for text in ["t", "TRUE", " yes ", "y", "on", "1"] {
            assert_eq!(boolean(text), Some(true), "{text}");
        }
        for text in ["f", "fal", "no", "n", "of", "off", "0"] {
            assert_eq!(boolean(text), Some(false), "{text}");
        }
        for text in ["", "o", "2", "truest", "tö"] {
            assert_eq!(boolean(text), None, "{text}");
        }
    }

    #[test]
    fn uuids() {
        let uuid_bytes = uuid("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11").unwrap();
        for same in [
            "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
            "{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}",
            "a0eebc999c0b4ef8bb6d6bb9bd380a11",
            "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11",
        ] {
            assert_eq!(uuid(same), Some(uuid_bytes), "{same}");
        }
        for refused in [
            "",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11-",
            "a0e-ebc999c0b4ef8bb6d6bb9bd380a11",
            "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            " a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        ] {
            assert_eq!(uuid(refused), None, "{refused}");
        }
    }

    #[test]
    fn byte_strings() {
        assert_eq!(bytea("\\x00fF"), Some(vec![0, 255]));
        assert_eq!(bytea("\\x"), Some(vec![]));
        for refused in ["", "abc", "\\x0", "\\xzz"] {
            assert_eq!(bytea(refused), None, "{refused}");
        }
    }
}
