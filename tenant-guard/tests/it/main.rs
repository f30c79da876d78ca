//! Integration tests of tenant-guard, one module a theme.

mod cases;
mod schema;
