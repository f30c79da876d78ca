//! Test files that no `mod` names: they would never run.

use std::path::{Path, PathBuf};

use crate::command::root;

/// Each `tests/it/NAME.rs` and `tests/it/NAME/` has to be a module of `tests/it/main.rs`.
pub(super) fn check(files: &[PathBuf]) -> Vec<String> {
    let mut findings = Vec::new();
    for main in files
        .iter()
        .filter(|file| file.ends_with("tests/it/main.rs"))
    {
        let text = std::fs::read_to_string(root().join(main)).unwrap_or_default();
        for name in modules_beside(main, files) {
            if !declares(&text, &name) {
                let main = main.display();
                findings.push(format!(
                    "{main}: `mod {name};` is missing, so its tests never run"
                ));
            }
        }
    }
    findings
}

fn modules_beside(main: &Path, files: &[PathBuf]) -> Vec<String> {
    let folder = main.parent().unwrap_or(Path::new(""));
    let mut names: Vec<String> = files
        .iter()
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .filter_map(|file| file.strip_prefix(folder).ok()?.components().next())
        .map(|first| Path::new(&first).with_extension(""))
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| name != "main")
        .collect();
    names.sort();
    names.dedup();
    names
}

fn declares(text: &str, name: &str) -> bool {
    let declaration = format!("mod {name};");
    text.lines()
        .map(str::trim)
        .any(|line| line == declaration || line.strip_prefix("pub(crate) ") == Some(&declaration))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_files_and_folders() {
        let files = [
            "a/tests/it/main.rs",
            "a/tests/it/one.rs",
            "a/tests/it/two/x.rs",
            "a/src/lib.rs",
        ]
        .map(PathBuf::from);
        assert_eq!(modules_beside(&files[0], &files), ["one", "two"]);
    }

    #[test]
    fn a_declaration_stands_on_a_line_of_its_own() {
        assert!(declares("mod one;\nmod two;", "two"));
        assert!(!declares("// mod two;", "two"));
    }
}
