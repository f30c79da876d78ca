//! What is known of extensions, against the extensions themselves.

use std::collections::BTreeSet;

use citus_testkit::TestCluster;
use citus_testkit::tokio_postgres::Client;
use tenant_guard::Extension;

/// Safe and not immutable: they depend on chance, the clock, or a dictionary of the server.
const NOT_IMMUTABLE: [&str; 11] = [
    "gen_random_bytes",
    "gen_random_uuid",
    "gen_salt",
    "pgp_pub_encrypt",
    "pgp_pub_encrypt_bytea",
    "pgp_sym_encrypt",
    "pgp_sym_encrypt_bytea",
    "unaccent",
    "uuid_generate_v1mc",
    "uuid_generate_v4",
    "hstore",
];

#[tokio::test]
async fn what_is_allowed_of_an_extension_is_there_and_as_safe_as_it_says() {
    let cluster = TestCluster::shared().await.unwrap();
    let database = cluster.create_database().await.unwrap();
    let client = database.connect().await.unwrap();
    for extension in Extension::ALL {
        let name = extension.name();
        let found = "SELECT FROM pg_available_extensions WHERE name = $1";
        if client.query(found, &[&name]).await.unwrap().is_empty() {
            println!("{name} is not installed: left out");
            continue;
        }
        client
            .batch_execute(&format!("CREATE EXTENSION IF NOT EXISTS \"{name}\""))
            .await
            .unwrap();
        check_functions(&client, *extension).await;
        for (what, known, query) in [
            ("operator", extension.operators(), OPERATORS),
            ("type", extension.types(), TYPES),
        ] {
            let rows = client.query(query, &[&name]).await.unwrap();
            let there: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
            for known in known {
                assert!(there.contains(*known), "{name} has no {what} {known}");
            }
        }
    }
}

async fn check_functions(client: &Client, extension: Extension) {
    let name = extension.name();
    let rows = client.query(FUNCTIONS, &[&name]).await.unwrap();
    for (function, arguments) in extension.functions() {
        for count in arguments.clone() {
            let mut volatile = rows
                .iter()
                .filter(|row| {
                    let (least, most): (i32, i32) = (row.get(1), row.get(2));
                    row.get::<_, &str>(0) == *function
                        && (least..=most).contains(&i32::try_from(count).unwrap())
                })
                .map(|row| !row.get::<_, bool>(3))
                .peekable();
            assert!(
                volatile.peek().is_some(),
                "{name} has no {function} with {count} arguments"
            );
            assert!(
                !volatile.any(|volatile| volatile) || NOT_IMMUTABLE.contains(function),
                "{name}'s {function} is not immutable"
            );
        }
    }
}

const FUNCTIONS: &str = "
    SELECT p.proname::text, (p.pronargs - p.pronargdefaults)::int4, p.pronargs::int4, p.provolatile = 'i'
    FROM pg_proc p
    JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    JOIN pg_extension e ON e.oid = d.refobjid
    WHERE e.extname = $1::text";

const OPERATORS: &str = "
    SELECT o.oprname::text
    FROM pg_operator o
    JOIN pg_depend d ON d.classid = 'pg_operator'::regclass AND d.objid = o.oid AND d.deptype = 'e'
    JOIN pg_extension e ON e.oid = d.refobjid
    WHERE e.extname = $1::text";

const TYPES: &str = "
    SELECT t.typname::text
    FROM pg_type t
    JOIN pg_depend d ON d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
    JOIN pg_extension e ON e.oid = d.refobjid
    WHERE e.extname = $1::text";
