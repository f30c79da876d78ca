//! What of PostgreSQL's own functions, operators and types guarded SQL may name.
//!
//! All three are closed lists: a name that PostgreSQL gains later is refused until someone has read
//! what it does.

mod functions;
mod operators;
mod types;

pub(crate) use functions::{
    Basis, Class, Danger, class as function_class, is_safe as is_safe_function,
};
pub(crate) use operators::is_operator;
pub(crate) use types::is_safe_type;
