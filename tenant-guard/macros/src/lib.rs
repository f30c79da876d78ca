//! Compile-time side of tenant-guard.
