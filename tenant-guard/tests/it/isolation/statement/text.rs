//! The ways to write the same string.

use super::super::data::literal;
use super::Generator;

impl Generator<'_, '_> {
    /// The string as a literal, in one of the forms that PostgreSQL has.
    pub(super) fn text_literal(&mut self, value: &str) -> String {
        let plain = value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if value.is_empty() || !plain || !self.tape.one_in(5) {
            return format!("{}::text", literal(value));
        }
        let (first, rest) = (value.as_bytes()[0], &value[1..]);
        let forms = [
            "literal.dollar",
            "literal.escape",
            "literal.unicode",
            "literal.continued",
        ];
        match self.tape.production(&forms) {
            "literal.dollar" => format!("$x${value}$x$::text"),
            "literal.escape" => format!("E'\\x{first:02x}{rest}'::text"),
            "literal.unicode" => format!("U&'\\{first:04x}{rest}'::text"),
            _ => format!("('{value}'\n'')::text"),
        }
    }
}
