//! The page of findings keeps its word: the bad schemas have the finding, the good ones do not.

use citus_testkit::TestCluster;
use tenant_guard::Tenancy;
use tenant_guard::doctor::{Code, Exceptions, Report, examine};

use super::{facts, plain};

const PAGE: &str = include_str!("../../../docs/doctor.md");

#[test]
fn each_code_has_its_section() {
    let headings: Vec<&str> = PAGE
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect();
    let codes: Vec<String> = Code::ALL
        .iter()
        .map(|code| format!("{code} {}", code.explanation()))
        .collect();
    assert_eq!(headings, codes);
    for (section, code) in PAGE.split("\n## ").skip(1).zip(Code::ALL) {
        let severity = format!("\n\nSeverity: {}. ", code.severity());
        assert!(section.contains(&severity), "{code}");
    }
}

#[tokio::test]
async fn a_server_with_the_bad_schema_has_the_finding() {
    for (code, bad, good) in sections() {
        // On plain servers a restrictive policy is one.
        let cluster = match code {
            Code::RestrictivePolicy => TestCluster::shared().await.unwrap(),
            _ => plain().await,
        };
        if code == Code::RestrictivePolicy && !cluster.is_citus() {
            println!("{code} is left out: Citus is not installed");
            continue;
        }
        let report = report(cluster, bad).await;
        let finds = |report: &Report| report.findings().iter().any(|found| found.code() == code);
        assert!(finds(&report), "{code}: {report}");
        let report = self::report(cluster, good).await;
        let untidy = report.findings().iter().filter(|found| {
            // A good schema has nothing that is not asked for.
            found.code() == code || found.code().severity() < tenant_guard::doctor::Severity::Note
        });
        assert_eq!(untidy.count(), 0, "{code}: {report}");
    }
}

/// Code, bad part and good part of each section.
pub(super) fn sections() -> impl Iterator<Item = (Code, &'static str, &'static str)> {
    PAGE.split("\n## ").skip(1).map(|section| {
        let examples = section.split_once("\nBad:\n").map(|(_, examples)| examples);
        let (bad, good) = examples
            .and_then(|examples| examples.split_once("\nGood:\n"))
            .unwrap();
        (section[..5].parse().unwrap(), bad, good)
    })
}

/// The blocks of SQL in a part.
pub(super) fn blocks(part: &str) -> Vec<&str> {
    part.split("```sql\n")
        .skip(1)
        .map(|block| block.split_once("\n```").unwrap().0)
        .collect()
}

/// Of one or two blocks: what the tenancy is made from, and what the database holds.
async fn report(cluster: &TestCluster, part: &str) -> Report {
    let blocks = blocks(part);
    let (tenancy, database) = match blocks.as_slice() {
        [both] => (*both, *both),
        [tenancy, database] => (*tenancy, *database),
        _ => panic!("{part}"),
    };
    let tenancy = Tenancy::from_sql(tenancy).unwrap_or_else(|error| panic!("{part}: {error}"));
    let test = cluster.create_database().await.unwrap();
    test.migrate(database)
        .await
        .unwrap_or_else(|error| panic!("{part}: {error:?}"));
    let client = test.connect().await.unwrap();
    examine(&facts(&client).await, &tenancy, &Exceptions::default())
}
