//! A stable hash of a policy.

use std::collections::BTreeSet;

use super::name::DeclaredName;
use super::{Fingerprint, Policy};
use crate::tenancy::FingerprintBuilder;

/// Of all that the policy allows; not of the bounds of sizes, which decide about no row.
pub(super) fn of(policy: &Policy) -> Fingerprint {
    let Policy {
        functions,
        operators,
        types,
        catalogs,
        max_bytes: _,
        cache_bytes: _,
        refuse_unknown_columns: _,
    } = policy;
    let mut fingerprint = FingerprintBuilder::new();
    fingerprint.count(functions.values().map(BTreeSet::len).sum());
    for signature in functions.values().flatten() {
        name(&mut fingerprint, &signature.name);
        for number in signature.numbers() {
            fingerprint.count(number);
        }
        fingerprint.names(signature.columns().iter());
    }
    for names in [operators, types] {
        fingerprint.count(names.len());
        for declared in names {
            name(&mut fingerprint, declared);
        }
    }
    fingerprint.count(catalogs.len());
    for (catalog, columns) in catalogs {
        fingerprint.part(catalog.schema.as_str());
        fingerprint.part(catalog.name.as_str());
        fingerprint.names(columns.iter());
    }
    fingerprint.finish()
}

fn name(fingerprint: &mut FingerprintBuilder, declared: &DeclaredName) {
    fingerprint.names(declared.schema.iter().collect::<Vec<_>>().into_iter());
    fingerprint.part(declared.name.as_str());
}
