//! Which files are checked.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::Context as _;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use ignore::{DirEntry, WalkBuilder};

/// What is not checked, though it lies where is looked.
#[derive(Debug)]
pub(crate) struct Excluded {
    patterns: Gitignore,
    /// The files that make the schema: what is in them is no query.
    schema: HashSet<PathBuf>,
}

impl Excluded {
    /// `patterns` are those of a .gitignore in `folder`.
    pub(crate) fn new(
        folder: &Path,
        patterns: &[String],
        schema: impl IntoIterator<Item = PathBuf>,
    ) -> anyhow::Result<Self> {
        // Paths are compared as they are from the root on: they may be given in several ways.
        let mut builder = GitignoreBuilder::new(absolute(folder));
        for pattern in patterns {
            builder
                .add_line(None, pattern)
                .with_context(|| format!("cannot exclude {pattern}"))?;
        }
        Ok(Self {
            patterns: builder.build().context("cannot exclude these patterns")?,
            schema: schema
                .into_iter()
                .filter_map(|path| fs::canonicalize(path).ok())
                .collect(),
        })
    }

    pub(crate) fn contains(&self, path: &Path) -> bool {
        let absolute = absolute(path);
        // A pattern says nothing of what is outside of its folder.
        let by_pattern = absolute.starts_with(self.patterns.path())
            && self
                .patterns
                .matched_path_or_any_parents(&absolute, path.is_dir())
                .is_ignore();
        by_pattern || fs::canonicalize(path).is_ok_and(|path| self.schema.contains(&path))
    }
}

/// The files that were found, in order, and what could not be looked at.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) paths: BTreeSet<PathBuf>,
    /// A folder or file, and what is wrong with it.
    pub(crate) errors: Vec<(PathBuf, String)>,
}

/// The files themselves; of folders all `.sql` and `.rs` files at any depth, without what
/// .gitignore names, hidden ones and cargo's `target`.
///
/// # Errors
/// A path that was given and is not there.
pub(crate) fn find(paths: &[PathBuf], excluded: &Excluded) -> anyhow::Result<Files> {
    let mut files = Files::default();
    for path in paths {
        let metadata =
            fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
        if metadata.is_dir() {
            walk(path, excluded, &mut files);
        } else if !excluded.contains(path) {
            files.paths.insert(tidy(path));
        }
    }
    Ok(files)
}

fn walk(folder: &Path, excluded: &Excluded, files: &mut Files) {
    let walk = WalkBuilder::new(folder)
        .require_git(false)
        .filter_entry(|entry| entry.depth() == 0 || !is_build_folder(entry))
        .build();
    for entry in walk {
        match entry {
            Ok(entry) if is_checked(&entry) && !excluded.contains(entry.path()) => {
                files.paths.insert(tidy(entry.path()));
            }
            Ok(_) => {}
            Err(error) => files.errors.push((folder.to_owned(), error.to_string())),
        }
    }
}

/// A link to a folder is not followed, so that there is no circle; a link to a file is.
fn is_checked(entry: &DirEntry) -> bool {
    let has_kind = Kind::of(entry.path()).is_some();
    has_kind && fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_file())
}

/// Cargo's folder for what it builds, wherever it lies: cargo leaves a tag in it.
fn is_build_folder(entry: &DirEntry) -> bool {
    let path = entry.path();
    let beside_manifest = path.file_name().is_some_and(|name| name == "target")
        && path.with_file_name("Cargo.toml").is_file();
    beside_manifest || path.join("CACHEDIR.TAG").is_file()
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Rust,
    Sql,
}

impl Kind {
    /// By the end of the name.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?;
        if extension.eq_ignore_ascii_case("rs") {
            Some(Self::Rust)
        } else if extension.eq_ignore_ascii_case("sql") {
            Some(Self::Sql)
        } else {
            None
        }
    }
}

/// One spelling for each file: from the working directory on where it is below, without `.` and
/// without ways up that are not needed.
pub(crate) fn tidy(path: &Path) -> PathBuf {
    if path.is_relative()
        && let Ok(here) = std::env::current_dir()
        && let Ok(below) = absolute(path).strip_prefix(here)
    {
        return below.to_owned();
    }
    shortened(path)
}

/// The path from the root on.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    match std::env::current_dir() {
        Ok(here) => shortened(&here.join(path)),
        Err(_) => path.to_owned(),
    }
}

/// Without `.`, and without `a/..` where `a` is no link.
fn shortened(path: &Path) -> PathBuf {
    let mut shortened = PathBuf::new();
    for component in path.components() {
        let after_name = matches!(
            shortened.components().next_back(),
            Some(Component::Normal(_)) if !shortened.is_symlink()
        );
        match component {
            Component::CurDir => {}
            Component::ParentDir if after_name => {
                shortened.pop();
            }
            Component::ParentDir
            | Component::Normal(_)
            | Component::Prefix(_)
            | Component::RootDir => shortened.push(component),
        }
    }
    shortened
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_one_spelling() {
        for (path, tidied) in [
            ("./a/./b.sql", "a/b.sql"),
            ("a/no/../b.sql", "a/b.sql"),
            ("../a/b.sql", "../a/b.sql"),
            ("../../b.sql", "../../b.sql"),
            ("/a/../b.sql", "/b.sql"),
        ] {
            assert_eq!(tidy(Path::new(path)), Path::new(tidied), "{path}");
        }
    }

    #[test]
    fn kinds_are_told_by_the_name() {
        assert_eq!(Kind::of(Path::new("a.RS")), Some(Kind::Rust));
        assert_eq!(Kind::of(Path::new("a.sql")), Some(Kind::Sql));
        assert_eq!(Kind::of(Path::new("a.md")), None);
        assert_eq!(Kind::of(Path::new("sql")), None);
    }
}
