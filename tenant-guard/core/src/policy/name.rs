//! Names that a team declares: with their schema or without.

use crate::Ident;
use crate::lexer::{Kind, Lexer, Token};
use crate::tenancy::Cursor;

/// The name of a function, operator or type of the database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DeclaredName {
    pub(crate) schema: Option<Ident>,
    pub(crate) name: Ident,
}

impl DeclaredName {
    /// `name` or `schema.name`, as SQL writes names.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let tokens = tokens(text)?;
        let mut at = Cursor::new(text, &tokens);
        let name = at.name().ok()?;
        at.is_at_end().then_some(Self {
            schema: name.schema,
            name: name.name,
        })
    }

    /// `<=>` or `schema.<=>`.
    pub(super) fn of_operator(text: &str) -> Option<Self> {
        let tokens = tokens(text)?;
        let mut at = Cursor::new(text, &tokens);
        let is_bare = at.peek()?.kind == Kind::Operator;
        let schema = if is_bare {
            None
        } else {
            let schema = at.ident().ok()?;
            at.eat_punctuation(b'.').then_some(())?;
            Some(schema)
        };
        let operator = at.next().filter(|token| token.kind == Kind::Operator)?;
        at.is_at_end().then(|| Self {
            schema,
            name: at.slice(operator).into(),
        })
    }

    /// Whether it is explicitly one of PostgreSQL's own.
    pub(crate) fn is_builtin(&self) -> bool {
        self.schema
            .as_ref()
            .is_some_and(|schema| schema.as_str() == "pg_catalog")
    }

    /// Whether a name in a statement can only mean this one, as far as names go. A declaration
    /// without schema is for the name in every schema of the search path. One with a schema is for
    /// names without it only where no other schema is searched.
    pub(crate) fn covers(&self, schema: Option<&Ident>, name: &Ident, path: &[Ident]) -> bool {
        let schema_fits = match (&self.schema, schema) {
            (Some(declared), Some(written)) => declared == written,
            (Some(declared), None) => {
                self.is_builtin() || path.iter().all(|searched| searched == declared)
            }
            (None, Some(written)) => path.contains(written),
            (None, None) => true,
        };
        self.name == *name && schema_fits
    }
}

pub(super) fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut lexer = Lexer::new(text);
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next().ok()? {
        tokens.push(token);
    }
    Some(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(
        declared: (Option<&str>, &str),
        written: (Option<&str>, &str),
        path: &[&str],
    ) -> bool {
        let path: Vec<Ident> = path.iter().map(|schema| Ident::from(*schema)).collect();
        let declared = DeclaredName {
            schema: declared.0.map(Ident::from),
            name: declared.1.into(),
        };
        declared.covers(
            written.0.map(Ident::from).as_ref(),
            &written.1.into(),
            &path,
        )
    }

    #[test]
    fn a_schema_says_which_one_is_meant() {
        let path = &["app", "public"];
        assert!(covers((None, "f"), (None, "f"), path));
        assert!(covers((None, "f"), (Some("public"), "f"), path));
        assert!(!covers((None, "f"), (Some("other"), "f"), path));
        assert!(!covers((None, "f"), (None, "g"), path));
        assert!(covers((Some("app"), "f"), (Some("app"), "f"), path));
        assert!(!covers((Some("app"), "f"), (Some("public"), "f"), path));
        // public.f could be meant.
        assert!(!covers((Some("app"), "f"), (None, "f"), path));
        assert!(covers((Some("app"), "f"), (None, "f"), &["app"]));
        assert!(covers((Some("other"), "f"), (Some("other"), "f"), path));
        assert!(covers((Some("pg_catalog"), "f"), (None, "f"), path));
    }
}
