//! libclang, where the crate `clang-sys` looks for it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::command::output;

/// With a depth to which their subfolders are looked into.
const FOLDERS: [(&str, usize); 7] = [
    ("/usr/lib", 2),
    ("/usr/lib64", 2),
    ("/usr/local/lib", 2),
    ("/usr/local/lib64", 2),
    ("/opt/homebrew/opt/llvm/lib", 0),
    ("/usr/local/opt/llvm/lib", 0),
    ("/Library/Developer/CommandLineTools/usr/lib", 0),
];

pub(super) fn is_there() -> bool {
    let named = env::var_os("LIBCLANG_PATH").map(PathBuf::from);
    if let Some(path) = named {
        return path.is_file() || holds_library(&path, 0);
    }
    let configured = output("llvm-config", &["--libdir"])
        .is_some_and(|folder| holds_library(Path::new(&folder), 0));
    configured
        || FOLDERS
            .iter()
            .any(|(folder, depth)| holds_library(Path::new(folder), *depth))
}

fn holds_library(folder: &Path, depth: usize) -> bool {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| {
            let path = entry.path();
            is_library(&entry.file_name().to_string_lossy())
                || (depth > 0 && path.is_dir() && holds_library(&path, depth - 1))
        })
}

/// `libclang.so`, `libclang-14.so.1`, `libclang.so.18`, `libclang.dylib`; not `libclang-cpp.so.14`.
fn is_library(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("libclang") else {
        return false;
    };
    let versioned = rest
        .strip_prefix('-')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) && rest.contains(".so"));
    rest == ".dylib" || rest.starts_with(".so") || versioned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_library() {
        for name in [
            "libclang.so",
            "libclang-14.so.1",
            "libclang.so.18",
            "libclang.dylib",
        ] {
            assert!(is_library(name), "{name}");
        }
        for name in [
            "libclang-cpp.so.14",
            "libclangBasic.a",
            "libclang-14.a",
            "libc.so",
        ] {
            assert!(!is_library(name), "{name}");
        }
    }
}
