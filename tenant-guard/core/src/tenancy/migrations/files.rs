//! Finding the files of a folder of migrations, and their order.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::MigrationError;
use super::up::up_part;

/// One file of migrations, as [`migration_files`] finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationFile {
    path: PathBuf,
    text: String,
}

impl MigrationFile {
    /// Where it is: below the path that was asked for.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is in it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What of it migrates up. The way down, where goose, sql-migrate or dbmate write it into the same file, is
    /// blank, so that lines stay where they are.
    pub fn up(&self) -> Cow<'_, str> {
        up_part(self.text.strip_prefix('\u{feff}').unwrap_or(&self.text))
    }
}

/// How deep folders may lie within each other; a link that leads in a circle ends here.
const DEEPEST: usize = 16;

/// The SQL files that [`Tenancy::from_migrations`](crate::Tenancy::from_migrations) reads for this
/// path, in its order.
///
/// A file stands for itself. In a folder, at any depth, these layouts are understood:
///
/// | tool | names |
/// |---|---|
/// | sqlx, golang-migrate | `20240131_x.sql`, `1_x.up.sql` (`1_x.down.sql` is left out) |
/// | refinery, Flyway | `V1__x.sql`, `V1.2__x.sql`, `R__x.sql` last; `U1__x.sql` only where there is no `V1` |
/// | diesel, Prisma | `2024-01-31-120000_x/up.sql`, `20240131_x/migration.sql` |
/// | goose, dbmate, sql-migrate | one file with `-- +goose Down`, `-- migrate:down` |
/// | any other | in the order of their names |
///
/// Numbers within names count as numbers: `2_b.sql` comes before `10_a.sql`.
///
/// # Errors
/// [`MigrationError::Unreadable`], [`MigrationError::NotUtf8`], [`MigrationError::NoMigrations`].
pub fn migration_files(path: impl AsRef<Path>) -> Result<Vec<MigrationFile>, MigrationError> {
    let path = path.as_ref();
    let paths = if is_folder(path)? {
        let mut names = Vec::new();
        collect(path, &mut Vec::new(), &mut names)?;
        if names.is_empty() {
            return Err(MigrationError::NoMigrations {
                path: path.to_owned(),
            });
        }
        sort(&mut names);
        names
            .into_iter()
            .map(|parts| {
                parts
                    .iter()
                    .fold(path.to_owned(), |path, part| path.join(part))
            })
            .collect()
    } else {
        vec![path.to_owned()]
    };
    paths.into_iter().map(read).collect()
}

fn unreadable(path: &Path) -> impl FnOnce(std::io::Error) -> MigrationError + '_ {
    |source| MigrationError::Unreadable {
        path: path.to_owned(),
        source,
    }
}

fn is_folder(path: &Path) -> Result<bool, MigrationError> {
    Ok(fs::metadata(path).map_err(unreadable(path))?.is_dir())
}

fn read(path: PathBuf) -> Result<MigrationFile, MigrationError> {
    let bytes = fs::read(&path).map_err(unreadable(&path))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(MigrationFile { path, text }),
        Err(_) => Err(MigrationError::NotUtf8 { path }),
    }
}

/// Finds the files below `root` by the names of the folders on the way and their own.
fn collect(
    root: &Path,
    above: &mut Vec<String>,
    found: &mut Vec<Vec<String>>,
) -> Result<(), MigrationError> {
    let folder = above
        .iter()
        .fold(root.to_owned(), |path, part| path.join(part));
    for entry in fs::read_dir(&folder).map_err(unreadable(&folder))? {
        let entry = entry.map_err(unreadable(&folder))?;
        let path = entry.path();
        let Ok(name) = entry.file_name().into_string() else {
            return Err(MigrationError::NotUtf8 { path });
        };
        if name.starts_with('.') {
            continue;
        }
        above.push(name.clone());
        if is_folder(&path)? {
            if above.len() < DEEPEST && !matches!(name.as_str(), "down" | "undo" | "rollback") {
                collect(root, above, found)?;
            }
        } else if migrates_up(&name) {
            found.push(above.clone());
        }
        above.pop();
    }
    Ok(())
}

fn migrates_up(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let Some(stem) = lower.strip_suffix(".sql") else {
        return false;
    };
    let ending = stem.rsplit(['.', '_', '-']).next().unwrap_or(stem);
    let words = [".down", ".undo", ".rollback", "_down", "-down"];
    stem != "down" && !(ending != stem && words.iter().any(|word| stem.ends_with(word)))
}

/// Orders the files: by version where all names have the form of refinery and Flyway, else folder
/// by folder.
fn sort(files: &mut Vec<Vec<String>>) {
    let versions: Option<Vec<Versioned>> = files
        .iter()
        .map(|parts| parts.last().and_then(|name| Versioned::parse(name)))
        .collect();
    let Some(versions) = versions else {
        files.sort_by(|a, b| by_parts(a, b));
        return;
    };
    let mut versioned: Vec<(Versioned, Vec<String>)> =
        versions.into_iter().zip(std::mem::take(files)).collect();
    // Flyway's U1 takes V1 back; refinery's U1 stands alone.
    let forward: Vec<Versioned> = versioned
        .iter()
        .map(|(version, _)| version.clone())
        .filter(|version| version.kind == Prefix::Version)
        .collect();
    versioned.retain(|(version, _)| {
        version.kind != Prefix::Undo
            || !forward.iter().any(|other| other.numbers == version.numbers)
    });
    versioned.sort_by(|(a, a_parts), (b, b_parts)| {
        (a.kind == Prefix::Repeatable)
            .cmp(&(b.kind == Prefix::Repeatable))
            .then_with(|| compare_numbers(&a.numbers, &b.numbers))
            .then_with(|| by_parts(a_parts, b_parts))
    });
    *files = versioned.into_iter().map(|(_, parts)| parts).collect();
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prefix {
    Version,
    Undo,
    Repeatable,
}

/// `V1__x.sql`, `V1.2__x.sql`, `V1_2__x.sql`, `U1__x.sql`, `R__x.sql`
#[derive(Clone, Debug, PartialEq, Eq)]
struct Versioned {
    kind: Prefix,
    /// Digits without leading zeros, so that the length counts first.
    numbers: Vec<String>,
}

impl Versioned {
    fn parse(name: &str) -> Option<Self> {
        let (head, _) = name.split_once("__")?;
        let (kind, version) = match head.as_bytes().first()? {
            b'V' | b'v' => (Prefix::Version, &head[1..]),
            b'U' | b'u' => (Prefix::Undo, &head[1..]),
            b'R' | b'r' if head.len() == 1 => (Prefix::Repeatable, ""),
            _ => return None,
        };
        let numbers: Vec<String> = version
            .split(['.', '_'])
            .map(|part| part.trim_start_matches('0').to_owned())
            .collect();
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let fits =
            kind == Prefix::Repeatable || version.starts_with(|first: char| first.is_ascii_digit());
        (fits && numbers.iter().all(|part| is_number(part))).then_some(Self { kind, numbers })
    }
}

fn compare_numbers(a: &[String], b: &[String]) -> Ordering {
    let key = |numbers: &[String]| -> Vec<(usize, String)> {
        let mut key: Vec<_> = numbers
            .iter()
            .map(|part| (part.len(), part.clone()))
            .collect();
        // V1 and V1.0 are one version.
        while key.last().is_some_and(|(length, _)| *length == 0) {
            key.pop();
        }
        key
    };
    key(a).cmp(&key(b))
}

fn by_parts(a: &[String], b: &[String]) -> Ordering {
    for (a, b) in a.iter().zip(b) {
        let order = compare_names(a, b);
        if order != Ordering::Equal {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

/// Compares by the bytes, but runs of digits by their number.
fn compare_names(a: &str, b: &str) -> Ordering {
    let (mut a_rest, mut b_rest) = (a, b);
    loop {
        let (a_digits, a_next) = split_digits(a_rest);
        let (b_digits, b_next) = split_digits(b_rest);
        if !a_digits.is_empty() && !b_digits.is_empty() {
            let (a_number, b_number) = (
                a_digits.trim_start_matches('0'),
                b_digits.trim_start_matches('0'),
            );
            let order = (a_number.len(), a_number).cmp(&(b_number.len(), b_number));
            if order != Ordering::Equal {
                return order;
            }
            (a_rest, b_rest) = (a_next, b_next);
            continue;
        }
        let (mut a_chars, mut b_chars) = (a_rest.chars(), b_rest.chars());
        match (a_chars.next(), b_chars.next()) {
            (None, None) => return a.cmp(b),
            (a_char, b_char) if a_char == b_char => {
                (a_rest, b_rest) = (a_chars.as_str(), b_chars.as_str());
            }
            (a_char, b_char) => return a_char.cmp(&b_char),
        }
    }
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names below a folder in the order in which they are read.
    fn order(names: &[&str]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        migration_files(folder.path())
            .unwrap()
            .iter()
            .map(|file| {
                let below = file.path().strip_prefix(folder.path()).unwrap();
                below.to_str().unwrap().to_owned()
            })
            .collect()
    }

    #[test]
    fn numbers_count_as_numbers() {
        assert_eq!(
            order(&[
                "10_c.sql",
                "2_b.sql",
                "001_a.sql",
                "seed.sql",
                "README.md",
                ".hidden.sql"
            ]),
            ["001_a.sql", "2_b.sql", "10_c.sql", "seed.sql"]
        );
    }

    #[test]
    fn sqlx_s_reversible_migrations() {
        assert_eq!(
            order(&[
                "2_b.up.sql",
                "2_b.down.sql",
                "1_a.up.sql",
                "1_a.down.sql",
                "3_shutdown.sql"
            ]),
            ["1_a.up.sql", "2_b.up.sql", "3_shutdown.sql"]
        );
    }

    #[test]
    fn refinery_s_and_flyway_s_versions() {
        assert_eq!(
            order(&[
                "V10__c.sql",
                "V2__b.sql",
                "V1__a.sql",
                "U2__b.sql",
                "R__views.sql",
                "V2.1__x.sql"
            ]),
            [
                "V1__a.sql",
                "V2__b.sql",
                "V2.1__x.sql",
                "V10__c.sql",
                "R__views.sql"
            ]
        );
        assert_eq!(
            order(&["old/V3__c.sql", "V1__a.sql", "U2__b.sql"]),
            ["V1__a.sql", "U2__b.sql", "old/V3__c.sql"]
        );
    }

    #[test]
    fn folders_of_diesel_and_prisma() {
        assert_eq!(
            order(&[
                "00000000000000_setup/up.sql",
                "00000000000000_setup/down.sql",
                "2024-02-01-000000_b/up.sql",
                "2024-01-01-000000_a/up.sql",
                "down/x.sql",
            ]),
            [
                "00000000000000_setup/up.sql",
                "2024-01-01-000000_a/up.sql",
                "2024-02-01-000000_b/up.sql"
            ]
        );
        assert_eq!(
            order(&["20240102_b/migration.sql", "20240101_a/migration.sql"]),
            ["20240101_a/migration.sql", "20240102_b/migration.sql"]
        );
    }

    #[test]
    fn nothing_to_read_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = migration_files(folder.path()).unwrap_err();
        assert!(
            matches!(error, MigrationError::NoMigrations { .. }),
            "{error}"
        );
        let error = migration_files(folder.path().join("none")).unwrap_err();
        assert!(
            matches!(error, MigrationError::Unreadable { .. }),
            "{error}"
        );
        fs::write(folder.path().join("a.sql"), b"\xff").unwrap();
        let error = migration_files(folder.path()).unwrap_err();
        assert!(matches!(error, MigrationError::NotUtf8 { .. }), "{error}");
    }
}
