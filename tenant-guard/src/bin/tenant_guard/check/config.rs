//! `tenant-guard.toml`: what a project says once instead of at each call.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

use super::finding::Denied;

/// The name of the file, which is looked for in the working directory and above it.
pub(crate) const FILE_NAME: &str = "tenant-guard.toml";

/// What stands in the file. All paths in it begin at its folder.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// As `--schema`.
    pub(crate) schema: Option<PathBuf>,
    /// As `--allow-function`.
    pub(crate) allow_functions: Vec<String>,
    /// As `--allow-operator`.
    pub(crate) allow_operators: Vec<String>,
    /// As `--allow-type`.
    pub(crate) allow_types: Vec<String>,
    /// As `--allow-extension`.
    pub(crate) allow_extensions: Vec<String>,
    /// What is checked where no path is given.
    pub(crate) paths: Vec<PathBuf>,
    /// As `--exclude`.
    pub(crate) exclude: Vec<String>,
    /// As `--deny`.
    pub(crate) deny: Vec<Denied>,
    /// The folder of the file.
    #[serde(skip)]
    pub(crate) folder: PathBuf,
}

impl Config {
    /// Reads the file given, or else the first one above the working directory; where there is
    /// none, nothing is configured.
    pub(crate) fn find(given: Option<&Path>) -> anyhow::Result<Self> {
        let found = match given {
            Some(path) => Some(path.to_owned()),
            None => above_working_directory()?,
        };
        found.map_or_else(|| Ok(Self::default()), |path| Self::read(&path))
    }

    fn read(path: &Path) -> anyhow::Result<Self> {
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let config: Self = toml::from_str(&text)
            .map_err(|error| anyhow::anyhow!("{}: {}", path.display(), error.to_string().trim()))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Ok(Self {
            schema: config.schema.map(|schema| folder.join(schema)),
            paths: config.paths.iter().map(|path| folder.join(path)).collect(),
            folder: folder.to_owned(),
            ..config
        })
    }
}

/// As a relative path, so that files are named as a person at the prompt would name them.
fn above_working_directory() -> anyhow::Result<Option<PathBuf>> {
    let here = std::env::current_dir().context("cannot tell the working directory")?;
    let mut way_up = PathBuf::new();
    for folder in here.ancestors() {
        if folder.join(FILE_NAME).is_file() {
            return Ok(Some(way_up.join(FILE_NAME)));
        }
        way_up.push("..");
    }
    Ok(None)
}
