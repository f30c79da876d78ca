//! The name that PostgreSQL gives to an expression's column.
//!
//! Follows `FigureColname`, PostgreSQL 18 `src/backend/parser/parse_target.c`.

use crate::Ident;
use crate::facts::Output;

/// A name, and how sure PostgreSQL is of it: a cast's own name yields to a column's or function's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Figured {
    Nothing,
    Weak(Ident),
    Strong(Ident),
}

impl Figured {
    pub(super) fn strong(name: &str) -> Self {
        Self::Strong(name.into())
    }

    /// This name if it is sure, or else the other, unsure.
    pub(super) fn or_weak(self, name: Ident) -> Self {
        match self {
            Self::Strong(_) => self,
            Self::Nothing | Self::Weak(_) => Self::Weak(name),
        }
    }

    /// What an entry of a select list without an alias gives.
    pub(super) fn into_output(self) -> Output {
        match self {
            Self::Nothing => Output::Unnamed,
            Self::Weak(name) | Self::Strong(name) => Output::Named(name),
        }
    }
}
