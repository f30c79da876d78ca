//! Benchmarks: instruction-level ones with criterion, and side by side on a real cluster.
