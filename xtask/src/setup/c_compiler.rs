//! The C compiler that the crate `cc` will find.

use std::env;

use crate::command::is_in_path;

pub(super) fn is_there() -> bool {
    env::var_os("CC").is_some_and(|value| !value.is_empty())
        || ["cc", "gcc", "clang"].into_iter().any(is_in_path)
}
