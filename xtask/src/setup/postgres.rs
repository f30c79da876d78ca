//! An installed PostgreSQL, looked for where `citus-testkit` looks.

use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::command::output;

const MINIMUM: u32 = 15;

/// For a system whose packages are too old.
pub(super) const TOO_OLD: &str = "Where the system's own PostgreSQL is older than 15, take one from \
     https://www.postgresql.org/download/, and name its pg_config in PG_CONFIG if it is in an \
     unusual place.";

/// The programs of one PostgreSQL.
#[derive(Debug)]
pub(crate) struct Installation {
    programs: PathBuf,
    major: u32,
    citus: bool,
}

impl Installation {
    /// The newest with Citus if there is one, and else the newest.
    pub(super) fn find() -> Option<Self> {
        folders()
            .iter()
            .filter_map(|folder| Self::at(folder))
            .filter(|installation| installation.major >= MINIMUM)
            .max_by_key(|installation| (installation.citus, installation.major))
    }

    pub(super) fn without_citus(mut self) -> Self {
        self.citus = false;
        self
    }

    pub(super) fn has_citus(&self) -> bool {
        self.citus
    }

    fn at(programs: &Path) -> Option<Self> {
        if !programs.join("initdb").is_file() {
            return None;
        }
        let version = output(programs.join("postgres"), &["--version"])?;
        Some(Self {
            programs: programs.to_owned(),
            major: major_of(&version)?,
            citus: share_folder(programs)
                .is_some_and(|share| share.join("extension/citus.control").is_file()),
        })
    }
}

impl fmt::Display for Installation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let extension = if self.citus {
            "with Citus"
        } else {
            "without Citus"
        };
        let programs = self.programs.display();
        write!(f, "PostgreSQL {} {extension}, {programs}", self.major)
    }
}

fn folders() -> Vec<PathBuf> {
    let path: Vec<PathBuf> = env::var_os("PATH")
        .map(|path| env::split_paths(&path).collect())
        .unwrap_or_default();
    let named = env::var_os("PG_CONFIG").map(PathBuf::from);
    let in_path = path.iter().map(|folder| folder.join("pg_config"));
    let configured = named
        .into_iter()
        .chain(in_path.filter(|program| program.is_file()))
        .filter_map(|pg_config| output(pg_config, &["--bindir"]).map(PathBuf::from));
    let mut folders: Vec<PathBuf> = configured.chain(path.iter().cloned()).collect();
    for (parent, prefix) in [
        ("/usr/lib/postgresql", ""),
        ("/usr", "pgsql-"),
        ("/opt/homebrew/opt", "postgresql@"),
        ("/usr/local/opt", "postgresql@"),
        ("/Applications/Postgres.app/Contents/Versions", ""),
    ] {
        let children = fs::read_dir(parent).into_iter().flatten().flatten();
        folders.extend(
            children
                .filter(|child| child.file_name().to_string_lossy().starts_with(prefix))
                .map(|child| child.path().join("bin")),
        );
    }
    folders
}

/// Debian has `pg_config` in a package of its own, so its layout is known here, too.
fn share_folder(programs: &Path) -> Option<PathBuf> {
    if let Some(share) = output(programs.join("pg_config"), &["--sharedir"]) {
        return Some(share.into());
    }
    let version = programs
        .parent()?
        .strip_prefix("/usr/lib/postgresql")
        .ok()?;
    Some(Path::new("/usr/share/postgresql").join(version))
}

/// Of a line such as `postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)`.
fn major_of(version: &str) -> Option<u32> {
    let number = version.split_once("(PostgreSQL) ")?.1;
    let digits = number.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read() {
        let line = "postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)";
        assert_eq!(major_of(line), Some(15));
        assert_eq!(major_of("postgres (PostgreSQL) 19beta1"), Some(19));
        assert_eq!(major_of("initdb"), None);
    }
}
