//! Functions with their signatures.

use std::ops::RangeInclusive;
use std::str::FromStr;

use super::PolicyError;
use super::name::{DeclaredName, tokens};
use crate::Ident;
use crate::lexer::Kind;
use crate::tenancy::Cursor;

/// A function as a team declares it: `app.slugify(text, integer DEFAULT 80)`,
/// `concat_all(VARIADIC text[])`, `search(text) RETURNS TABLE (id bigint, rank real)`.
///
/// The guard knows no types of arguments, so that of the arguments it keeps their number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FunctionSignature {
    pub(crate) name: DeclaredName,
    required: usize,
    /// With those that have a default; the last is the array of a variadic function.
    accepted: usize,
    is_variadic: bool,
    /// The columns of a row that it returns, where they are told.
    columns: Vec<Ident>,
}

impl FunctionSignature {
    /// A function with this number of arguments, in any schema of the search path.
    pub(super) fn of_extension(name: &str, arguments: RangeInclusive<usize>) -> Self {
        Self {
            name: DeclaredName {
                schema: None,
                name: name.into(),
            },
            required: *arguments.start(),
            accepted: *arguments.end(),
            is_variadic: false,
            columns: Vec::new(),
        }
    }

    /// Whether a call with this number of arguments can mean it. `is_variadic`: the last one is
    /// given as `VARIADIC array`.
    pub(crate) fn takes(&self, arguments: usize, is_variadic: bool) -> bool {
        let most = if self.is_variadic && !is_variadic {
            usize::MAX
        } else {
            self.accepted
        };
        (self.is_variadic || !is_variadic) && (self.required..=most).contains(&arguments)
    }

    /// The columns that it has in `FROM`; none where they were not told.
    pub(crate) fn columns(&self) -> &[Ident] {
        &self.columns
    }

    /// All of it, for a fingerprint.
    pub(super) fn numbers(&self) -> [usize; 3] {
        [self.required, self.accepted, usize::from(self.is_variadic)]
    }
}

impl FromStr for FunctionSignature {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        tokens(text)
            .ok_or("it is not cut into words as SQL is")
            .and_then(|tokens| read(Cursor::new(text, &tokens)))
            .map_err(|problem| PolicyError::Function {
                text: text.to_owned(),
                problem,
            })
    }
}

fn read(mut at: Cursor<'_>) -> Result<FunctionSignature, &'static str> {
    let name = at.name().map_err(|_| "it begins with no name")?;
    let arguments = at.group().ok_or("the types of its arguments are missing")?;
    let mut signature = FunctionSignature {
        name: DeclaredName {
            schema: name.schema,
            name: name.name,
        },
        required: 0,
        accepted: 0,
        is_variadic: false,
        columns: Vec::new(),
    };
    for argument in arguments.list() {
        signature.add(argument)?;
    }
    if at.eat("RETURNS TABLE") {
        let columns = at.group().ok_or("the columns of its table are missing")?;
        for mut column in columns.list() {
            let name = column
                .ident()
                .map_err(|_| "a column of its table has no name")?;
            signature.columns.push(name);
        }
    } else if at.eat("RETURNS") {
        // What is no row has one column, which is called like the function.
        return if at.is_at_end() {
            Err("what it returns is missing")
        } else {
            Ok(signature)
        };
    }
    if at.is_at_end() {
        Ok(signature)
    } else {
        Err("something follows that is no part of a signature")
    }
}

impl FunctionSignature {
    fn add(&mut self, mut argument: Cursor<'_>) -> Result<(), &'static str> {
        let is_output = argument.eat("OUT");
        let is_both = !is_output && argument.eat("INOUT");
        let is_variadic = !is_output && !is_both && argument.eat("VARIADIC");
        if !is_output && !is_both && !is_variadic {
            argument.eat("IN");
        }
        if is_output || is_both {
            let name = argument
                .ident()
                .map_err(|_| "an OUT argument has no name")?;
            self.columns.push(name);
        }
        let typed = argument
            .peek()
            .is_some_and(|token| matches!(token.kind, Kind::Word | Kind::QuotedWord));
        if !typed {
            return Err("an argument has no type");
        }
        if is_output {
            return Ok(());
        }
        if self.is_variadic {
            return Err("VARIADIC is for the last argument");
        }
        let has_default = argument.find("DEFAULT").is_some()
            || argument
                .tokens()
                .iter()
                .any(|token| argument.slice(*token) == "=");
        self.is_variadic = is_variadic;
        self.accepted += 1;
        if !has_default {
            self.required = self.accepted;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(text: &str) -> FunctionSignature {
        text.parse().unwrap()
    }

    #[test]
    fn the_number_of_arguments_is_what_counts() {
        let counts = |text: &str| -> Vec<usize> {
            let signature = signature(text);
            (0..6)
                .filter(|count| signature.takes(*count, false))
                .collect()
        };
        assert_eq!(counts("f()"), [0]);
        assert_eq!(counts("f(text)"), [1]);
        assert_eq!(counts("f(double precision, timestamp with time zone)"), [2]);
        assert_eq!(counts("f(numeric(10, 2), text[])"), [2]);
        assert_eq!(counts("f(title text, width integer DEFAULT 80)"), [1, 2]);
        assert_eq!(counts("f(a text = 'x,)', b int = 1)"), [0, 1, 2]);
        assert_eq!(counts("f(IN text, OUT a int, INOUT b int)"), [2]);
        assert_eq!(counts("f(text, VARIADIC text[])"), [2, 3, 4, 5]);
    }

    #[test]
    fn an_array_is_given_for_the_rest_to_variadic_functions_alone() {
        assert!(signature("f(text, VARIADIC text[])").takes(2, true));
        assert!(!signature("f(text, VARIADIC text[])").takes(3, true));
        assert!(!signature("f(text, text[])").takes(2, true));
    }

    #[test]
    fn names_are_stored_as_postgresql_stores_them() {
        let name = signature("App.\"Slug\"(text)").name;
        assert_eq!(name.schema, Some("app".into()));
        assert_eq!(name.name.as_str(), "Slug");
    }

    #[test]
    fn columns_are_those_of_a_table_or_out_arguments() {
        let columns = |text: &str| -> Vec<String> {
            signature(text)
                .columns()
                .iter()
                .map(ToString::to_string)
                .collect()
        };
        assert_eq!(
            columns("f(text) RETURNS TABLE (id bigint, \"Rank\" real)"),
            ["id", "Rank"]
        );
        assert_eq!(
            columns("f(text, OUT id bigint, OUT rank real)"),
            ["id", "rank"]
        );
        assert!(columns("f(text) RETURNS SETOF bigint").is_empty());
    }

    #[test]
    fn what_is_no_signature_says_how_one_is_written() {
        for (text, problem) in [
            ("slugify", "the types of its arguments are missing"),
            ("slugify(text", "the types of its arguments are missing"),
            ("", "it begins with no name"),
            ("a.b.c(text)", "it begins with no name"),
            (
                "slugify(text) x",
                "something follows that is no part of a signature",
            ),
            (
                "slugify(text); DROP TABLE t",
                "something follows that is no part of a signature",
            ),
            ("slugify(text,)", "an argument has no type"),
            ("slugify($1)", "an argument has no type"),
            (
                "slugify(VARIADIC text[], int)",
                "VARIADIC is for the last argument",
            ),
            ("slugify(text) RETURNS", "what it returns is missing"),
            ("slugify('text)", "it is not cut into words as SQL is"),
        ] {
            let error = text.parse::<FunctionSignature>().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "`{text}` is no function with its signature: {problem}; write it as `slugify(text, integer)`"
                )
            );
        }
    }
}
