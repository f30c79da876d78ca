//! The two readers against each other, as their users see them: what [`Guard::draft`] makes of a
//! statement is what [`Guard::check`] makes of it, or the draft is refused.
//!
//! `READER_CASES` sets how many generated statements are tried.

mod differentials;
mod mutation;
mod written;

use std::env;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use tenant_guard::{Code, Guard};

use crate::law::statement;
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
                && guarded.locks() == draft.locks();
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
    for sql in written_statements() {
        counts.add(&sql, compare(&guard, &sql).unwrap());
    }
    println!(
        "{} the same, {} % of what is accepted",
        counts.same,
        counts.share()
    );
    assert!(counts.same > 100, "{counts:#?}");
    // Many of the cases are there because readers stumble over them.
    assert!(counts.share() >= 80, "{counts:#?}");
}

#[test]
fn a_draft_is_what_a_check_makes_of_generated_statements_and_their_mutations() {
    let guard = guard();
    let cases = env::var("READER_CASES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(4_000);
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let tape = proptest::collection::vec(any::<u8>(), 0..160);
    let mut counts = Counts::default();
    let counted = std::cell::RefCell::new(&mut counts);
    TestRunner::new(config)
        .run(&(tape, any::<u64>()), |(tape, seed)| {
            let sql = statement(&tape);
            let verdict = compare(&guard, &sql).map_err(TestCaseError::fail)?;
            counted.borrow_mut().add(&sql, verdict);
            let mutated = Mutator::new(seed).mutate(&[sql]);
            compare(&guard, &mutated).map_err(TestCaseError::fail)?;
            Ok(())
        })
        .unwrap();

    println!(
        "{} the same, {} % of what is accepted",
        counts.same,
        counts.share()
    );
    let first = counts.refused.first();
    assert!(
        counts.share() >= 90,
        "{} %, refused is {first:?}",
        counts.share()
    );
}
