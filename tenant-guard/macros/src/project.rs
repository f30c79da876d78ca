//! What `Cargo.toml` says: where the migrations are, and what the guard allows beyond the defaults.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tenant_guard_core::{Guard, MigrationFile, Policy, PolicyError, Tenancy, migration_files};

use crate::message::chain;

/// A manifest to be read instead of the crate's own.
pub(crate) const MANIFEST_VARIABLE: &str = "TENANT_GUARD_MANIFEST";

const HOW_TO_NAME_MIGRATIONS: &str = "name the folder in Cargo.toml:\n\n    \
    [package.metadata.tenant-guard]\n    migrations = \"migrations\"\n\n\
    or for all crates of a workspace as [workspace.metadata.tenant-guard], or as `schema` in tenant-guard.toml";

/// The schema that the crate is built for.
pub(crate) struct Project {
    pub(crate) guard: Guard,
    /// The folder of the crate's manifest, to which paths in macros are relative.
    pub(crate) root: PathBuf,
    /// All files that the guard was made of.
    pub(crate) files: Vec<PathBuf>,
}

/// `[package.metadata.tenant-guard]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// A folder or file, relative to the manifest.
    migrations: PathBuf,
    #[serde(default)]
    allow_functions: Vec<String>,
    #[serde(default)]
    allow_operators: Vec<String>,
    #[serde(default)]
    allow_types: Vec<String>,
    #[serde(default)]
    allow_extensions: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Manifest {
    package: Option<Package>,
    workspace: Option<Workspace>,
}

#[derive(Debug, Deserialize)]
struct Package {
    metadata: Option<Metadata>,
    workspace: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Workspace {
    metadata: Option<Metadata>,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    #[serde(rename = "tenant-guard")]
    tenant_guard: Option<Settings>,
}

/// `tenant-guard.toml`, of which the linter knows more.
#[derive(Debug, Deserialize)]
struct Linter {
    schema: PathBuf,
    #[serde(default)]
    allow_functions: Vec<String>,
    #[serde(default)]
    allow_operators: Vec<String>,
    #[serde(default)]
    allow_types: Vec<String>,
    #[serde(default)]
    allow_extensions: Vec<String>,
}

impl From<Linter> for Settings {
    fn from(linter: Linter) -> Self {
        Self {
            migrations: linter.schema,
            allow_functions: linter.allow_functions,
            allow_operators: linter.allow_operators,
            allow_types: linter.allow_types,
            allow_extensions: linter.allow_extensions,
        }
    }
}

impl Settings {
    fn policy(&self) -> Result<Policy, PolicyError> {
        let mut policy = Policy::default().refuse_unknown_columns();
        for signature in &self.allow_functions {
            policy = policy.allow_function(signature)?;
        }
        for operator in &self.allow_operators {
            policy = policy.allow_operator(operator)?;
        }
        for name in &self.allow_types {
            policy = policy.allow_type(name)?;
        }
        for name in &self.allow_extensions {
            policy = policy.allow_extension(name.parse()?);
        }
        Ok(policy)
    }
}

/// The folder of the crate that is being built.
pub(crate) fn root() -> Result<PathBuf, String> {
    Ok(folder(&own_manifest()?))
}

fn own_manifest() -> Result<PathBuf, String> {
    if let Some(path) = env::var_os(MANIFEST_VARIABLE) {
        return Ok(PathBuf::from(path));
    }
    env::var_os("CARGO_MANIFEST_DIR")
        .map(|folder| PathBuf::from(folder).join("Cargo.toml"))
        .ok_or_else(|| {
            format!(
                "CARGO_MANIFEST_DIR is not set: build with cargo, or name the Cargo.toml in \
                 {MANIFEST_VARIABLE}"
            )
        })
}

fn folder(manifest: &Path) -> PathBuf {
    manifest.parent().unwrap_or(manifest).to_owned()
}

impl Project {
    /// The crate's own, read from its files.
    pub(crate) fn load() -> Result<Self, String> {
        let own = own_manifest()?;
        let (manifest, settings) = settings(&own)?;
        let below = folder(&manifest);
        let migrations = migration_files(below.join(&settings.migrations))
            .map_err(|error| shortened(&chain(&error), &below))?;
        let mut files: Vec<PathBuf> = migrations
            .iter()
            .map(|file| file.path().to_owned())
            .collect();
        files.push(own.clone());
        if manifest != own {
            files.push(manifest);
        }
        Ok(Self {
            guard: guard(&settings, &migrations, &below)?,
            root: folder(&own),
            files,
        })
    }
}

/// The settings of the crate, else of its workspace, else the linter's, with the file that they stand in.
fn settings(own: &Path) -> Result<(PathBuf, Settings), String> {
    let mut manifest: Manifest = read(own)?;
    let package = manifest.package.take();
    let workspace = workspace(own, manifest, package.as_ref())?;
    let of_package = package.and_then(|package| package.metadata);
    if let Some(settings) = of_package.and_then(|metadata| metadata.tenant_guard) {
        return Ok((own.to_owned(), settings));
    }
    let own = folder(own);
    let root = match workspace {
        Some((path, workspace)) => {
            let metadata = workspace.metadata;
            if let Some(settings) = metadata.and_then(|metadata| metadata.tenant_guard) {
                return Ok((path, settings));
            }
            folder(&path)
        }
        None => own.clone(),
    };
    let of_linter = own
        .ancestors()
        .take_while(|folder| folder.starts_with(&root))
        .map(|folder| folder.join("tenant-guard.toml"))
        .find(|path| path.is_file());
    match of_linter {
        Some(path) => {
            let settings = read::<Linter>(&path)?.into();
            Ok((path, settings))
        }
        None => Err(format!(
            "no migrations are named for this crate: {HOW_TO_NAME_MIGRATIONS}"
        )),
    }
}

/// The workspace that a crate belongs to: where its manifest says, or in the first folder above it.
fn workspace(
    own: &Path,
    manifest: Manifest,
    package: Option<&Package>,
) -> Result<Option<(PathBuf, Workspace)>, String> {
    if let Some(workspace) = manifest.workspace {
        return Ok(Some((own.to_owned(), workspace)));
    }
    let named = package.and_then(|package| package.workspace.as_ref());
    let candidates: Vec<PathBuf> = match named {
        Some(path) => vec![folder(own).join(path)],
        None => folder(own)
            .ancestors()
            .skip(1)
            .map(Path::to_owned)
            .collect(),
    };
    for path in candidates.iter().map(|folder| folder.join("Cargo.toml")) {
        if path.is_file()
            && let Some(workspace) = read::<Manifest>(&path)?.workspace
        {
            return Ok(Some((path, workspace)));
        }
    }
    Ok(None)
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    let name = path.file_name().unwrap_or(path.as_os_str()).display();
    let text = fs::read_to_string(path).map_err(|error| format!("cannot read {name}: {error}"))?;
    toml::from_str(&text).map_err(|error| {
        let line = error
            .span()
            .and_then(|span| text.get(..span.start))
            .map_or(1, |before| before.matches('\n').count() + 1);
        format!("{name}:{line}: {}", error.message())
    })
}

/// What a guard is made of.
type Sources = (Settings, Vec<(String, String)>);

/// The last guard that was made. A crate has one, and hundreds of statements.
static LAST: Mutex<Option<Arc<(Sources, Guard)>>> = Mutex::new(None);

fn guard(settings: &Settings, migrations: &[MigrationFile], below: &Path) -> Result<Guard, String> {
    let texts = migrations.iter().map(|file| {
        let path = file.path();
        let name = path.strip_prefix(below).unwrap_or(path);
        (name.display().to_string(), file.text().to_owned())
    });
    let sources: Sources = (settings.clone(), texts.collect());
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(last) = &*last
        && last.0 == sources
    {
        return Ok(last.1.clone());
    }
    let named = sources.1.iter();
    let tenancy = Tenancy::from_sources(named.map(|(name, text)| (name.as_str(), text.as_str())))
        .map_err(|error| chain(&error))?;
    let policy = settings.policy().map_err(|error| chain(&error))?;
    let guard = Guard::new(tenancy, policy);
    *last = Some(Arc::new((sources, guard.clone())));
    Ok(guard)
}

/// A message with paths as the manifest has them.
fn shortened(message: &str, below: &Path) -> String {
    message.replace(&format!("{}/", below.display()), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the settings of `app/Cargo.toml` are found, and the migrations that they name.
    fn found(files: &[(&str, &str)]) -> Result<(String, String), String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let (path, settings) = settings(&folder.path().join("app/Cargo.toml"))?;
        let name = path.strip_prefix(folder.path()).unwrap();
        Ok((
            name.display().to_string(),
            settings.migrations.display().to_string(),
        ))
    }

    fn is_found(files: &[(&str, &str)], name: &str, migrations: &str) {
        assert_eq!(
            found(files),
            Ok((name.to_owned(), migrations.to_owned())),
            "{files:?}"
        );
    }

    const PACKAGE: &str = "[package]\nname = \"app\"\n";
    const OWN: &str =
        "[package]\nname = \"app\"\n[package.metadata.tenant-guard]\nmigrations = \"own\"\n";
    const WORKSPACE: &str = "[workspace]\nmembers = [\"app\"]\n[workspace.metadata.tenant-guard]\nmigrations = \"all\"\n";
    const BARE_WORKSPACE: &str = "[workspace]\nmembers = [\"app\"]\n";
    const LINTER: &str = "schema = \"linted\"\ndeny = [\"unchecked\"]\n";

    #[test]
    fn the_nearest_settings_count() {
        let linter = ("tenant-guard.toml", LINTER);
        is_found(
            &[("app/Cargo.toml", OWN), ("Cargo.toml", WORKSPACE), linter],
            "app/Cargo.toml",
            "own",
        );
        is_found(
            &[
                ("app/Cargo.toml", PACKAGE),
                ("Cargo.toml", WORKSPACE),
                linter,
            ],
            "Cargo.toml",
            "all",
        );
        is_found(
            &[
                ("app/Cargo.toml", PACKAGE),
                ("Cargo.toml", BARE_WORKSPACE),
                linter,
            ],
            "tenant-guard.toml",
            "linted",
        );
        let elsewhere = format!("{PACKAGE}workspace = \"../root\"\n");
        is_found(
            &[
                ("app/Cargo.toml", &elsewhere),
                ("root/Cargo.toml", WORKSPACE),
            ],
            "app/../root/Cargo.toml",
            "all",
        );
    }

    #[test]
    fn nothing_outside_of_the_workspace_counts() {
        let outside = ("Cargo.toml", WORKSPACE);
        let root = format!("{PACKAGE}[workspace]\n");
        let error = found(&[
            ("app/Cargo.toml", &root),
            outside,
            ("tenant-guard.toml", LINTER),
        ]);
        assert!(
            error
                .clone()
                .unwrap_err()
                .starts_with("no migrations are named"),
            "{error:?}"
        );
    }

    #[test]
    fn errors_say_file_and_line() {
        let error = found(&[("app/Cargo.toml", &format!("{OWN}migration = 1\n"))]).unwrap_err();
        assert!(
            error.starts_with("Cargo.toml:5: unknown field `migration`"),
            "{error}"
        );
    }
}
