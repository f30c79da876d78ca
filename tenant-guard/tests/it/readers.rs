//! The two readers against each other, as their users see them: what [`Guard::draft`] makes of a
//! statement is what [`Guard::check`] makes of it, or the draft is refused.
//!
//! `READER_WORLDS` sets how many generated schemas get statements, and `READER_SEED` the first.

mod differentials;
mod mutation;
mod written;

use std::env;
use std::path::Path;

use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};

use tenant_guard::{Code, Guard, Policy};

use crate::isolation::attack::tampered;
use crate::isolation::schema_of;
use crate::isolation::statement::Statement;
use crate::schema::guard;
use mutation::Mutator;
use written::written_statements;

/// How far the readers got with a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Same,
    /// Only the reader that is trusted reads it.
    Refused,
    /// Nobody accepts it.
    Neither,
}

fn compare(guard: &Guard, sql: &str) -> Result<Verdict, String> {
    match (guard.check(sql), guard.draft(sql)) {
        (Ok(guarded), Ok(draft)) => {
            let same = guarded.text() == draft.text()
                && guarded.tenant_param() == draft.tenant_param()
                && guarded.caller_params() == draft.caller_params()
                && guarded.table_slots() == draft.table_slots()
                && guarded.access() == draft.access()
                && guarded.writes() == draft.writes()
                && guarded.locks() == draft.locks()
                && guarded.effect() == draft.effect();
            if same {
                Ok(Verdict::Same)
            } else {
                Err(format!(
                    "{sql}\n  checked: {guarded:?}\n  drafted: {draft:?}"
                ))
            }
        }
        (Ok(_), Err(_)) => Ok(Verdict::Refused),
        (Err(_), Err(_)) => Ok(Verdict::Neither),
        // A draft is not proven; and what is too deep for libpg_query's decoder is not wrong.
        (Err(refusal), Ok(_)) if matches!(refusal.code(), Code::Certificate | Code::TooComplex) => {
            Ok(Verdict::Neither)
        }
        (Err(refusal), Ok(draft)) => {
            Err(format!("{sql}\n  checked: {refusal}\n  drafted: {draft:?}"))
        }
    }
}

/// What came of many statements.
#[derive(Debug, Default)]
struct Counts {
    same: usize,
    refused: Vec<String>,
}

impl Counts {
    fn add(&mut self, sql: &str, verdict: Verdict) {
        match verdict {
            Verdict::Same => self.same += 1,
            Verdict::Refused => self.refused.push(sql.to_owned()),
            Verdict::Neither => {}
        }
    }

    /// The part of what the trusted reader accepts that the other accepts, too, in percent.
    fn share(&self) -> usize {
        self.same * 100 / (self.same + self.refused.len()).max(1)
    }
}

#[test]
fn a_draft_is_what_a_check_makes_of_every_statement_that_is_written_down() {
    let guard = guard();
    let mut counts = Counts::default();
    for sql in written_statements(Path::new(env!("CARGO_MANIFEST_DIR"))) {
        counts.add(&sql, compare(&guard, &sql).unwrap());
    }
    println!(
        "{} the same, {} % of what is accepted",
        counts.same,
        counts.share()
    );
    assert!(counts.same > 100, "{counts:#?}");
    // Many of the cases are there because readers stumble over them.
    assert!(counts.share() >= 85, "{counts:#?}");
}

#[test]
fn a_draft_is_what_a_check_makes_of_generated_statements_and_attacks() {
    let seed = number("READER_SEED").unwrap_or(1);
    let worlds = number("READER_WORLDS").unwrap_or(8);
    let mut counts = Counts::default();
    for seed in seed..seed + worlds {
        println!("READER_SEED={seed}");
        let schema = schema_of(seed);
        let guard = Guard::new(schema.tenancy(), Policy::default());
        let mut random =
            TestRng::from_seed(RngAlgorithm::ChaCha, &[seed.to_le_bytes(); 4].concat());
        let mut before = Statement::plain("SELECT 1");
        for _ in 0..200 {
            let statement = Statement::generate(&schema, &tape(&mut random, 260));
            let verdict = compare(&guard, &statement.sql).unwrap();
            counts.add(&statement.sql, verdict);
            let attack = tampered(&schema, &statement, &before.sql, &tape(&mut random, 16));
            compare(&guard, &attack.sql).unwrap();
            let mutated =
                Mutator::new(random.next_u64()).mutate(std::slice::from_ref(&statement.sql));
            compare(&guard, &mutated).unwrap();
            before = statement;
        }
    }
    println!(
        "{} the same, {} % of what is accepted",
        counts.same,
        counts.share()
    );
    let some: Vec<&String> = counts.refused.iter().take(20).collect();
    assert!(
        counts.share() >= 90,
        "{} %, refused are {some:#?}",
        counts.share()
    );
}

/// Up to so many bytes.
fn tape(random: &mut TestRng, longest: u32) -> Vec<u8> {
    let length = random.next_u32() % longest + 1;
    let mut tape = vec![0; usize::try_from(length).unwrap()];
    random.fill_bytes(&mut tape);
    tape
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}
