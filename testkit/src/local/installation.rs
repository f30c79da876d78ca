//! Finding an installed PostgreSQL.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, io};

use crate::StartError;

/// The lowest major version whose servers this crate starts.
const MINIMUM: u32 = 15;

/// The programs of one PostgreSQL, and what is installed into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Installation {
    pub(crate) programs: PathBuf,
    pub(crate) major: u32,
    /// Such as `15.20`.
    pub(crate) version: String,
    /// The whole line of `postgres --version`, with the package's revision.
    pub(crate) build: String,
    /// `default_version` of the extension `citus`, such as `13.2-1`.
    pub(crate) citus: Option<String>,
}

impl Installation {
    /// The newest with Citus if there is one, and else the newest.
    pub(crate) fn find() -> Result<Self, StartError> {
        Self::best(&Place::all(&Environment::of_process()))
    }

    fn best(places: &[Place]) -> Result<Self, StartError> {
        let mut found: Vec<Self> = Vec::new();
        for directory in places.iter().flat_map(|place| &place.directories) {
            if !found.iter().any(|known| known.programs == *directory) {
                found.extend(Self::at(directory));
            }
        }
        let too_old = found
            .iter()
            .max_by_key(|i| i.major)
            .map(|i| i.build.clone());
        found
            .into_iter()
            .filter(|installation| installation.major >= MINIMUM)
            // Of equals the last is taken, and what is in PATH comes first.
            .rev()
            .max_by_key(|installation| (installation.citus.is_some(), installation.major))
            .ok_or_else(|| StartError::PostgresMissing {
                minimum: MINIMUM,
                too_old,
                looked_in: places.iter().map(|place| place.name.clone()).collect(),
            })
    }

    /// The installation whose programs are in this directory, if it holds a server.
    fn at(programs: &Path) -> Option<Self> {
        if !programs.join("initdb").is_file() {
            return None;
        }
        let build = output(&programs.join("postgres"), "--version").ok()?;
        let version = version_in(&build)?.to_owned();
        let major = version
            .split(|c: char| !c.is_ascii_digit())
            .next()?
            .parse()
            .ok()?;
        let citus = share_directory(programs).and_then(|share| citus_version(&share));
        Some(Self {
            programs: programs.to_owned(),
            major,
            version,
            build,
            citus,
        })
    }

    /// The path of one of its programs.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// Whether its servers know a setting; minor releases add some.
    pub(crate) fn knows_setting(&self, name: &str) -> Result<bool, StartError> {
        let postgres = self.program("postgres");
        let settings =
            output(&postgres, "--describe-config").map_err(StartError::io("run", &postgres))?;
        Ok(settings
            .lines()
            .any(|line| line.split('\t').next() == Some(name)))
    }
}

/// What of the environment decides where to look.
struct Environment {
    pg_config: Option<PathBuf>,
    path: Vec<PathBuf>,
}

impl Environment {
    fn of_process() -> Self {
        Self {
            pg_config: env::var_os("PG_CONFIG").map(PathBuf::from),
            path: env::var_os("PATH")
                .map(|path| env::split_paths(&path).collect())
                .unwrap_or_default(),
        }
    }
}

/// A place to look in, and the directories with programs that it led to.
struct Place {
    name: String,
    directories: Vec<PathBuf>,
}

impl Place {
    /// The user's own choice, or else all places.
    fn all(environment: &Environment) -> Vec<Self> {
        if let Some(pg_config) = &environment.pg_config {
            let directories = output(pg_config, "--bindir").map(PathBuf::from).ok();
            let name = format!("PG_CONFIG={}", pg_config.display());
            return vec![Self {
                name,
                directories: directories.into_iter().collect(),
            }];
        }
        let mut places = Vec::new();
        let path = &environment.path;
        let directories = path
            .iter()
            .map(|directory| directory.join("pg_config"))
            .filter(|program| program.is_file())
            .filter_map(|program| output(&program, "--bindir").map(PathBuf::from).ok())
            .collect();
        places.push(Self {
            name: "pg_config in PATH".to_owned(),
            directories,
        });
        places.push(Self {
            name: "PATH".to_owned(),
            directories: path.clone(),
        });
        // Debian and Ubuntu, Red Hat, Homebrew on ARM and on Intel, Postgres.app.
        for (parent, programs) in [
            ("/usr/lib/postgresql", "bin"),
            ("/usr", "bin"),
            ("/opt/homebrew/opt", "bin"),
            ("/usr/local/opt", "bin"),
            ("/Applications/Postgres.app/Contents/Versions", "bin"),
        ] {
            let prefix = match parent {
                "/usr" => "pgsql-",
                "/opt/homebrew/opt" | "/usr/local/opt" => "postgresql@",
                _ => "",
            };
            let directories = children(Path::new(parent), prefix)
                .into_iter()
                .map(|directory| directory.join(programs))
                .collect();
            places.push(Self {
                name: format!("{parent}/{prefix}*/{programs}"),
                directories,
            });
        }
        places
    }
}

/// The children of a directory whose names start so, in the order of their names.
fn children(directory: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut children: Vec<_> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(prefix))
        })
        .collect();
    children.sort();
    children
}

/// Debian has `pg_config` in packages of its own, so the way over the layout is needed, too.
fn share_directory(programs: &Path) -> Option<PathBuf> {
    if let Ok(share) = output(&programs.join("pg_config"), "--sharedir") {
        return Some(PathBuf::from(share));
    }
    let root = programs.parent()?;
    let debian = || {
        let version = root.strip_prefix("/usr/lib/postgresql").ok()?;
        Some(Path::new("/usr/share/postgresql").join(version))
    };
    [
        Some(root.join("share")),
        Some(root.join("share/postgresql")),
        debian(),
    ]
    .into_iter()
    .flatten()
    .find(|share| share.join("extension").is_dir())
}

/// `default_version` in the control file of the extension.
fn citus_version(share: &Path) -> Option<String> {
    let control = fs::read_to_string(share.join("extension/citus.control")).ok()?;
    control.lines().find_map(|line| {
        let value = line
            .trim()
            .strip_prefix("default_version")?
            .trim_start()
            .strip_prefix('=')?;
        Some(value.trim().trim_matches('\'').to_owned())
    })
}

/// The version in a line such as `postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)`.
fn version_in(line: &str) -> Option<&str> {
    line.split_once("(PostgreSQL) ")?
        .1
        .split_whitespace()
        .next()
}

fn output(program: &Path, argument: &str) -> io::Result<String> {
    let output = Command::new(program)
        .arg(OsStr::new(argument))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("it ended with {}", output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A directory that looks like an installation of this version.
    fn pretend(root: &Path, version: &str, citus: Option<&str>) -> PathBuf {
        let bin = root.join(version).join("bin");
        let extension = root.join(version).join("share/extension");
        fs::create_dir_all(&bin).unwrap();
        fs::create_dir_all(&extension).unwrap();
        for name in ["initdb", "postgres"] {
            let script = format!("#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n");
            fs::write(bin.join(name), script).unwrap();
            fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        if let Some(citus) = citus {
            let control = format!("comment = 'x'\ndefault_version = '{citus}'\n");
            fs::write(extension.join("citus.control"), control).unwrap();
        }
        bin
    }

    fn places(directories: Vec<PathBuf>) -> Vec<Place> {
        vec![Place {
            name: "there".to_owned(),
            directories,
        }]
    }

    #[test]
    fn citus_goes_before_a_newer_version() {
        let root = tempfile::tempdir().unwrap();
        let with = pretend(root.path(), "16.4", Some("13.2-1"));
        let newer = pretend(root.path(), "18beta1", None);
        let found = Installation::best(&places(vec![newer.clone(), with.clone()])).unwrap();
        assert_eq!(
            (found.programs, found.citus.as_deref()),
            (with, Some("13.2-1"))
        );
        let found = Installation::best(&places(vec![newer])).unwrap();
        assert_eq!((found.major, found.version.as_str()), (18, "18beta1"));
    }

    #[test]
    fn the_first_of_equals_is_taken() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = pretend(one.path(), "17.1", None);
        let second = pretend(two.path(), "17.1", None);
        let found = Installation::best(&places(vec![first.clone(), second])).unwrap();
        assert_eq!(found.programs, first);
    }

    #[test]
    fn without_postgres_the_error_says_what_to_install_and_where_it_looked() {
        let nowhere = Environment {
            pg_config: None,
            path: vec![PathBuf::from("/nowhere")],
        };
        let mut places = Place::all(&nowhere);
        for place in &mut places {
            place.directories.clear();
        }
        let message = Installation::best(&places).unwrap_err().to_string();
        for part in [
            "apt-get install postgresql",
            "PATH",
            "/usr/lib/postgresql/*/bin",
        ] {
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn the_choice_of_the_user_goes_before_all_others() {
        let root = tempfile::tempdir().unwrap();
        let chosen = pretend(root.path(), "15.1", None);
        let script = format!("#!/bin/sh\necho {}\n", chosen.display());
        let pg_config = root.path().join("pg_config");
        fs::write(&pg_config, script).unwrap();
        fs::set_permissions(&pg_config, fs::Permissions::from_mode(0o755)).unwrap();
        let path = vec![pretend(root.path(), "18.1", Some("14.0-1"))];
        let environment = Environment {
            pg_config: Some(pg_config),
            path,
        };
        let found = Installation::best(&Place::all(&environment)).unwrap();
        assert_eq!(found.programs, chosen);
    }

    #[test]
    fn an_old_one_is_named_and_not_taken() {
        let root = tempfile::tempdir().unwrap();
        let old = pretend(root.path(), "14.9", Some("12.0-1"));
        let message = Installation::best(&places(vec![old]))
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("only postgres (PostgreSQL) 14.9"),
            "{message}"
        );
    }
}
