//! The `tenant-guard` command.
fn main() {}
