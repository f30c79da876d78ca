//! The files in `tests/lint`, in which marks say what is found where: `~ TG006` behind a line, `~v
//! TG006` above it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{check, json};

#[test]
fn what_is_marked_is_found_and_nothing_else() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lint");
    let (findings, summary) = json(&check(&folder, &["--json"]));
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for finding in findings.iter().filter(|found| found["allowed"].is_null()) {
        let place = format!("{}:{}", finding["file"].as_str().unwrap(), finding["line"]);
        let code = finding["code"].as_str().unwrap().to_owned();
        found.entry(place).or_default().push(code);
    }
    let mut marked = BTreeMap::new();
    for file in files(&folder) {
        let name = file.strip_prefix(&folder).unwrap().display().to_string();
        for (line, codes) in marks(&fs::read_to_string(&file).unwrap()) {
            marked.insert(format!("{name}:{line}"), codes);
        }
    }
    for codes in found.values_mut().chain(marked.values_mut()) {
        codes.sort();
    }
    let missing: Vec<_> = marked
        .iter()
        .filter(|(place, codes)| found.get(*place) != Some(codes))
        .collect();
    let unmarked: Vec<_> = found
        .iter()
        .filter(|(place, codes)| marked.get(*place) != Some(codes))
        .collect();
    assert!(
        missing.is_empty() && unmarked.is_empty(),
        "marked and not found: {missing:#?}\nfound and not marked: {unmarked:#?}"
    );
    assert!(marked.len() > 100, "only {} marks", marked.len());
    // The schema is in the folder, and is no query.
    assert_eq!(summary["files"], files(&folder).len() - 1);
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if path
            .extension()
            .is_some_and(|end| end == "rs" || end == "sql")
        {
            files.push(path);
        }
    }
    files
}

/// The lines with marks and what is to be found there.
fn marks(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut marks = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mark = line.split_once("//~").or_else(|| line.split_once("--~"));
        if let Some((_, mark)) = mark {
            let (offset, codes) = match mark.strip_prefix('v') {
                Some(codes) => (1, codes),
                None => (0, mark),
            };
            let codes = codes.split_whitespace().map(str::to_owned).collect();
            marks.push((index + 1 + offset, codes));
        }
    }
    marks
}
