//! Which Citus it is.

use std::fmt;
use std::str::FromStr;

/// The version of Citus in a database: that of its catalogs, not of the library, which can be newer
/// until `ALTER EXTENSION citus UPDATE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CitusVersion {
    major: u32,
    minor: u32,
}

impl CitusVersion {
    /// Older ones have neither the columns that are read here nor their meaning.
    pub(crate) const OLDEST: Self = Self::new(10, 2);
    /// Schemas can be tenants (`pg_dist_schema`).
    pub(super) const SCHEMAS: Self = Self::new(12, 0);
    /// Nodes can be clones of others (`pg_dist_node.nodeisclone`).
    pub(super) const CLONES: Self = Self::new(13, 2);

    pub(super) const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }
}

/// What stands in `pg_extension.extversion`: `13.2-1`, and what `citus_version()` has: `13.2.2`.
impl FromStr for CitusVersion {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut numbers = text.split(['.', '-']).map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => Ok(Self { major, minor }),
            _ => Err(()),
        }
    }
}

impl fmt::Display for CitusVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let read = |text: &str| text.parse::<CitusVersion>();
        assert_eq!(read("13.2-1"), Ok(CitusVersion::CLONES));
        assert_eq!(read("10.2-5"), Ok(CitusVersion::OLDEST));
        assert_eq!(read("13.2.2"), Ok(CitusVersion::CLONES));
        assert!(read("9.5-3") < Ok(CitusVersion::OLDEST));
        assert!(read("14.0-1") > Ok(CitusVersion::CLONES));
        for wrong in ["", "13", "13devel-1", "x.y"] {
            assert_eq!(read(wrong), Err(()), "{wrong}");
        }
    }
}
