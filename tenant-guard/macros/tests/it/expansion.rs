//! What `tenancy!` expands to.

use tenant_guard::Tenancy;
use tenant_guard::tenancy;

#[test]
fn the_tenancy_is_that_of_the_folder() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/migrations");
    let read = Tenancy::from_migrations(folder).unwrap();
    let embedded: Tenancy = tenancy!("tests/migrations");
    assert_eq!(embedded.fingerprint(), read.fingerprint());
    assert!(embedded.resolve(None, "tasks").unwrap().has_column("title"));
}

#[test]
fn a_single_file_will_do() {
    let tenancy = tenancy!("tests/migrations/1_tasks.up.sql");
    assert!(!tenancy.resolve(None, "tasks").unwrap().has_column("title"));
}
