//! What the callers were told of each write.
//!
//! It goes to a file while the load runs, so that it takes no memory of the process that is watched
//! for leaks.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

/// A write, by what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Write {
    /// A row with this id.
    Insert(i64),
    /// The row with this id goes.
    Delete(i64),
    /// One more in the tenant's counter.
    Count,
    /// A row in each of two tables, and one more in the counter, together.
    Transfer(i64),
}

/// What its caller was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is done.
    Acknowledged,
    /// It is not done, for certain.
    Refused,
    /// Nobody knows.
    Unknown,
}

/// One line of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) tenant: i64,
    pub(crate) write: Write,
    pub(crate) outcome: Outcome,
}

/// The journal while it is written.
pub(crate) struct Journal {
    path: PathBuf,
    file: Mutex<BufWriter<File>>,
}

impl Journal {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            file: Mutex::new(BufWriter::new(File::create(path)?)),
        })
    }

    pub(crate) fn write(&self, entry: Entry) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(file, "{entry}")
    }

    /// All that was written, by tenant.
    pub(crate) fn read(self) -> anyhow::Result<Promises> {
        let mut file = self
            .file
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        file.flush()?;
        let mut promises = Promises::default();
        for line in BufReader::new(File::open(&self.path)?).lines() {
            promises.note(line?.parse()?);
        }
        Ok(promises)
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (write, id) = match self.write {
            Write::Insert(id) => ("insert", id),
            Write::Delete(id) => ("delete", id),
            Write::Count => ("count", 0),
            Write::Transfer(id) => ("transfer", id),
        };
        let outcome = match self.outcome {
            Outcome::Acknowledged => "acknowledged",
            Outcome::Refused => "refused",
            Outcome::Unknown => "unknown",
        };
        write!(f, "{} {write} {id} {outcome}", self.tenant)
    }
}

impl FromStr for Entry {
    type Err = anyhow::Error;

    fn from_str(line: &str) -> anyhow::Result<Self> {
        let broken = || anyhow::anyhow!("the journal has a broken line: {line}");
        let words: Vec<&str> = line.split(' ').collect();
        let [tenant, write, id, outcome] = words[..] else {
            return Err(broken());
        };
        let id = id.parse()?;
        Ok(Self {
            tenant: tenant.parse()?,
            write: match write {
                "insert" => Write::Insert(id),
                "delete" => Write::Delete(id),
                "count" => Write::Count,
                "transfer" => Write::Transfer(id),
                _ => return Err(broken()),
            },
            outcome: match outcome {
                "acknowledged" => Outcome::Acknowledged,
                "refused" => Outcome::Refused,
                "unknown" => Outcome::Unknown,
                _ => return Err(broken()),
            },
        })
    }
}

/// How often something must be there: at least, and at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) least: i64,
    pub(crate) most: i64,
}

impl Bounds {
    pub(crate) fn hold(self, found: i64) -> bool {
        (self.least..=self.most).contains(&found)
    }

    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Acknowledged => {
                self.least += 1;
                self.most += 1;
            }
            Outcome::Refused => {}
            Outcome::Unknown => self.most += 1,
        }
    }

    fn remove(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Acknowledged => *self = Self::default(),
            Outcome::Refused => {}
            Outcome::Unknown => self.least = 0,
        }
    }
}

/// A tenant and an id of its.
pub(crate) type Key = (i64, i64);

/// What the database has to hold after all that was said.
#[derive(Debug, Default)]
pub(crate) struct Promises {
    /// The rows of `entries`.
    pub(crate) entries: HashMap<Key, Bounds>,
    /// The rows of `receipts`: those of transfers, which are in both tables or in none.
    pub(crate) receipts: HashMap<Key, Bounds>,
    /// The tenants' counters.
    pub(crate) counters: HashMap<i64, Bounds>,
    pub(crate) acknowledged: u64,
    pub(crate) refused: u64,
    pub(crate) unknown: u64,
}

impl Promises {
    fn note(&mut self, entry: Entry) {
        let Entry {
            tenant,
            write,
            outcome,
        } = entry;
        match write {
            Write::Insert(id) => self.entries.entry((tenant, id)).or_default().add(outcome),
            Write::Delete(id) => self
                .entries
                .entry((tenant, id))
                .or_default()
                .remove(outcome),
            Write::Count => self.counters.entry(tenant).or_default().add(outcome),
            Write::Transfer(id) => {
                self.entries.entry((tenant, id)).or_default().add(outcome);
                self.receipts.entry((tenant, id)).or_default().add(outcome);
                self.counters.entry(tenant).or_default().add(outcome);
            }
        }
        match outcome {
            Outcome::Acknowledged => self.acknowledged += 1,
            Outcome::Refused => self.refused += 1,
            Outcome::Unknown => self.unknown += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(least: i64, most: i64) -> Bounds {
        Bounds { least, most }
    }

    #[test]
    fn what_was_told_is_what_has_to_be_there() {
        use Outcome::{Acknowledged, Refused, Unknown};
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::create(&folder.path().join("journal")).unwrap();
        for (write, outcome) in [
            (Write::Insert(1), Acknowledged),
            (Write::Insert(2), Acknowledged),
            (Write::Delete(2), Unknown),
            (Write::Insert(3), Acknowledged),
            (Write::Delete(3), Acknowledged),
            (Write::Insert(4), Refused),
            (Write::Insert(5), Unknown),
            (Write::Count, Acknowledged),
            (Write::Count, Refused),
            (Write::Transfer(6), Unknown),
        ] {
            let entry = Entry {
                tenant: 7,
                write,
                outcome,
            };
            journal.write(entry).unwrap();
        }
        let promises = journal.read().unwrap();
        let expected = [(1, 1), (0, 1), (0, 0), (0, 0), (0, 1), (0, 1)];
        for (id, (least, most)) in (1..).zip(expected) {
            assert_eq!(promises.entries[&(7, id)], bounds(least, most), "{id}");
        }
        assert_eq!(promises.receipts[&(7, 6)], bounds(0, 1));
        assert_eq!(promises.counters[&7], bounds(1, 2));
        let told = (promises.acknowledged, promises.refused, promises.unknown);
        assert_eq!(told, (5, 2, 3));
        assert!(bounds(1, 2).hold(2) && !bounds(1, 2).hold(3) && !bounds(1, 2).hold(0));
    }
}
