//! The law, on a real server: for each statement that the guard accepts, the guarded statement on
//! the whole database does exactly what the statement as written does on a database that holds only
//! the tenant's rows.
//!
//! The whole database is the schema `public`; each tenant's own is a schema `only_<tenant>` with the
//! same tables, found by the search path. Every case runs in transactions that are rolled back.
//! `LAW_CASES` sets how many statements are tried.

mod generator;
mod oracle;
mod world;

use std::env;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use citus_testkit::TestCluster;
use tenant_guard::{Guard, Policy};

use crate::schema::{guard, tenancy};
use generator::statement;
use oracle::{Oracle, Verdict};
use world::World;

#[test]
fn a_guarded_statement_sees_what_it_would_see_alone() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let world = runtime.block_on(async {
        let cluster = TestCluster::shared().await.unwrap();
        println!("the law runs on {}", cluster.backend());
        World::create(cluster.create_database().await.unwrap()).await
    });
    let oracle = Oracle::new(world, guard());
    let strict = Guard::new(
        tenancy(),
        Policy::default()
            .allow_function("slugify")
            .refuse_unknown_columns(),
    );

    let default_cases = if oracle.is_citus() { 400 } else { 1_500 };
    let cases = env::var("LAW_CASES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(default_cases);
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let tape = proptest::collection::vec(any::<u8>(), 0..160);
    let mut counts = Counts::default();
    let counted = std::cell::RefCell::new(&mut counts);
    TestRunner::new(config)
        .run(&tape, |tape| {
            let sql = statement(&tape);
            let verdict = runtime
                .block_on(oracle.judge(&sql))
                .map_err(TestCaseError::fail)?;
            // What runs on a server has no unknown column.
            if let (Verdict::Equal, Err(refusal)) = (&verdict, strict.check(&sql)) {
                return Err(TestCaseError::fail(refusal.render(&sql)));
            }
            counted.borrow_mut().add(verdict);
            Ok(())
        })
        .unwrap();

    println!("{counts:?}");
    // A generator whose statements are refused, or fail on both sides, proves nothing.
    assert!(
        counts.equal * 100 >= counts.total() * 70,
        "too few statements ran: {counts:?}"
    );
}

#[derive(Debug, Default)]
struct Counts {
    equal: u32,
    refused: u32,
    both_failed: u32,
    plan_dependent: u32,
    too_long: u32,
    unsupported: u32,
}

impl Counts {
    fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Equal => self.equal += 1,
            Verdict::Refused => self.refused += 1,
            Verdict::BothFailed => self.both_failed += 1,
            Verdict::PlanDependent => self.plan_dependent += 1,
            Verdict::TooLong => self.too_long += 1,
            Verdict::UnsupportedByCitus => self.unsupported += 1,
        }
    }

    fn total(&self) -> u32 {
        self.equal
            + self.refused
            + self.both_failed
            + self.plan_dependent
            + self.too_long
            + self.unsupported
    }
}
