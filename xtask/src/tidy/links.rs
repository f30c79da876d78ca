//! Paths in Markdown that lead nowhere.

use std::path::{Component, Path, PathBuf};

use crate::command::root;

/// Checks relative links, and paths of source files in backticks: prose about code goes stale first.
pub(super) fn check(file: &Path, text: &str, files: &[PathBuf]) -> Vec<String> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let links = targets(line).filter_map(|target| normalized(&folder.join(target)));
        let paths = source_paths(line).map(PathBuf::from);
        for path in links.chain(paths) {
            let is_known = files.iter().any(|known| known.starts_with(&path));
            if !is_known && !root().join(&path).exists() {
                let (name, path) = (file.display(), path.display());
                findings.push(format!("{name}:{}: {path} does not exist", index + 1));
            }
        }
    }
    findings
}

/// The relative targets of `[text](target)`, without their fragments.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ']).next())
        .filter_map(|target| target.split('#').next())
        .filter(|target| {
            !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:")
        })
}

/// What stands in backticks and names a source file from the root on.
fn source_paths(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2).filter(|word| {
        let extension = Path::new(word).extension();
        word.contains('/')
            && !word.contains([' ', '*', '<', '{', '$', '~', ':'])
            && !word.starts_with(['/', '.'])
            && !word.starts_with("target/")
            && extension.is_some_and(|found| found == "rs" || found == "toml" || found == "sql")
    })
}

/// Without `.` and `..`; `None` where it leaves the repository.
fn normalized(path: &Path) -> Option<PathBuf> {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if normal.pop() => {}
            Component::Normal(name) => normal.push(name),
            Component::ParentDir | Component::Prefix(_) | Component::RootDir => return None,
        }
    }
    Some(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> usize {
        let files = [
            PathBuf::from("docs/guide.md"),
            PathBuf::from("xtask/src/main.rs"),
        ];
        check(Path::new("docs/index.md"), line, &files).len()
    }

    #[test]
    fn links_that_lead_somewhere() {
        for line in [
            "[guide](guide.md#start), [up](../docs/guide.md), [web](https://example.org/x.md)",
            "[here](#below) and `xtask/src/main.rs` and `xtask/src/*.rs` and `src::main`",
        ] {
            assert_eq!(found(line), 0, "{line}");
        }
    }

    #[test]
    fn links_that_lead_nowhere() {
        assert_eq!(
            found("[guide](no-guide.md) and `xtask/src/no_module.rs`"),
            2
        );
    }
}
