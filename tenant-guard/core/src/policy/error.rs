//! Why a declaration is not understood.

/// A declaration of a [`Policy`](crate::Policy) that is not understood. Its text says how it is
/// written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Not a function with its signature.
    #[error(
        "`{text}` is no function with its signature: {problem}; write it as `slugify(text, integer)`"
    )]
    Function {
        /// What was given.
        text: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Not an operator.
    #[error("`{text}` is no operator; write it as `<=>`, or with its schema as `public.<=>`")]
    Operator {
        /// What was given.
        text: String,
    },
    /// Not the name of a type.
    #[error(
        "`{text}` is no name of a type; write it as `vector`, or with its schema as `public.vector`"
    )]
    Type {
        /// What was given.
        text: String,
    },
    /// Not an extension that is known.
    #[error("`{text}` is no extension that is known; declare what you use of it one by one")]
    Extension {
        /// What was given.
        text: String,
    },
    /// A catalog that cannot be allowed.
    #[error(
        "`{text}` cannot be allowed: only catalogs that describe the schema and hold no counts and no \
         values of rows can, such as `pg_catalog.pg_enum` or `information_schema.columns`"
    )]
    Catalog {
        /// What was given.
        text: String,
    },
}
