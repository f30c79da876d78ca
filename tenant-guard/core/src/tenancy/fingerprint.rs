//! A stable hash of a tenancy, or of a policy.

use std::fmt;
use std::hash::Hasher;

use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher13};

use super::name::Ident;
use super::{Table, TableKind, View};

/// 128 bits that two equal tenancies (or policies) share, also across processes and builds of one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(u128);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Collects the parts of a tenancy or policy. Every part is preceded by its length, so that no two lists of
/// parts hash alike by running together.
pub(crate) struct FingerprintBuilder(SipHasher13);

impl FingerprintBuilder {
    pub(crate) fn new() -> Self {
        // A fixed key: the fingerprint is an identity, not a secret.
        Self(SipHasher13::new())
    }

    pub(crate) fn part(&mut self, text: &str) {
        self.0.write_u64(text.len() as u64);
        self.0.write(text.as_bytes());
    }

    pub(crate) fn count(&mut self, items: usize) {
        self.0.write_u64(items as u64);
    }

    pub(crate) fn names<'a>(&mut self, names: impl ExactSizeIterator<Item = &'a Ident>) {
        self.0.write_u64(names.len() as u64);
        for name in names {
            self.part(name.as_str());
        }
    }

    pub(crate) fn table(&mut self, table: &Table) {
        self.part(table.name().schema.as_str());
        self.part(table.name().name.as_str());
        match table.kind() {
            TableKind::Distributed(distribution) => {
                self.part("distributed");
                self.part(distribution.column.as_str());
                self.part(distribution.tenant_type.as_sql());
                self.part(distribution.colocation.as_str());
            }
            TableKind::TenantSchema => self.part("tenant schema"),
            TableKind::Reference => self.part("reference"),
            TableKind::Local => self.part("local"),
            TableKind::Opaque { what } => {
                self.part("opaque");
                self.part(what);
            }
        }
        self.part(if table.is_read_only() {
            "read-only"
        } else {
            ""
        });
        self.names(table.column_list().iter().map(|column| &column.name));
        self.0.write_u64(table.unique_keys().len() as u64);
        for key in table.unique_keys() {
            self.part(key.name.as_ref().map_or("", Ident::as_str));
            self.names(key.columns.iter());
        }
    }

    pub(crate) fn view(&mut self, view: &View) {
        self.part(view.name().schema.as_str());
        self.part(view.name().name.as_str());
        self.names(view.column_list().iter());
        self.part(view.definition());
    }

    pub(crate) fn finish(self) -> Fingerprint {
        Fingerprint(self.0.finish128().as_u128())
    }
}
