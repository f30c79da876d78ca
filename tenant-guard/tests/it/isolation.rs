//! Isolation fuzzing, on real servers: for each statement that the guard accepts, the guarded
//! statement on the whole database does exactly what the statement as written does on a database
//! that holds only the tenant's rows.
//!
//! Schemas, rows and statements are generated, and statements are tampered with. `ISOLATION_SEED`
//! replays a run from its first world, `ISOLATION_CASES` says how many statements are tried, and
//! `ISOLATION_MINUTES` for how long instead.

pub(crate) mod attack;
mod coverage;
mod data;
mod exceptions;
mod one_task;
mod oracle;
mod record;
mod regressions;
mod schema;
mod session;
mod shape;
pub(crate) mod statement;
mod tape;
mod teeth;
mod world;

use std::cell::{Cell, RefCell};
use std::env;
use std::fmt::Write as _;
use std::time::{Duration, Instant, SystemTime};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use tokio::runtime::Runtime;

use coverage::Coverage;
use oracle::Verdict;
use schema::Schema;
use shape::Shape;
use statement::Statement;
use tape::Tape;
use world::{Databases, World};

/// How many statements a world gets, and how many of them are tampered with.
const PER_WORLD: u32 = 150;
const TAMPERED_PER_WORLD: u32 = 100;

#[test]
fn a_guarded_statement_does_what_it_would_alone() {
    let runtime = runtime();
    let databases = runtime.block_on(Databases::create());
    let run = Run::from_environment(if databases.is_citus() { 400 } else { 1_250 });
    println!(
        "isolation fuzzing on {}: ISOLATION_SEED={}",
        databases.backend, run.seed
    );
    let mut written = Coverage::default();
    let mut tampered = Coverage::default();
    for seed in run.seed.. {
        let done = written.statements() + tampered.statements();
        if run.is_over(done) {
            break;
        }
        println!("seed {seed}: {done} statements so far");
        let world = runtime.block_on(World::create(&databases, schema_of(seed)));
        let fuzzing = Fuzzing {
            runtime: &runtime,
            world: &world,
            run: &run,
            seed,
        };
        fuzzing.try_all(PER_WORLD, &mut written, |(tape, ..)| {
            Statement::generate(&world.schema, tape)
        });
        fuzzing.try_all(
            TAMPERED_PER_WORLD,
            &mut tampered,
            |(tape, other, mutations)| {
                let statement = Statement::generate(&world.schema, tape);
                let other = Statement::generate(&world.schema, other);
                attack::tampered(&world.schema, &statement, &other.sql, mutations)
            },
        );
    }
    println!("{written}\ntampered with:\n{tampered}");
    written.assert_worth();
    let accepted = tampered.accepted();
    assert!(
        accepted * 10 > tampered.statements(),
        "only {accepted} attacks were accepted"
    );
}

/// The oracle has to flag guards that are broken, by hand and at random.
#[test]
fn the_oracle_flags_broken_guards() {
    let runtime = runtime();
    let databases = runtime.block_on(Databases::create());
    let world = runtime.block_on(World::create(&databases, teeth::schema()));
    let unflagged = runtime.block_on(teeth::unflagged(&world));
    assert!(unflagged.is_empty(), "not flagged: {unflagged:?}");

    let (broken, flagged) = (Cell::new(0_u32), Cell::new(0_u32));
    let each = |tape: Vec<u8>| {
        let statement = Statement::generate(&world.schema, &tape);
        let place = tape.last().map_or(0, |byte| usize::from(*byte));
        let Some(rewritten) = teeth::unrestricted(&world, &statement, place) else {
            return Ok(());
        };
        let sound = runtime
            .block_on(world.judge(&statement))
            .map_err(TestCaseError::fail)?;
        if sound == Verdict::Equal {
            broken.set(broken.get() + 1);
            let judged = runtime.block_on(world.judge_rewritten(&statement, &rewritten));
            flagged.set(flagged.get() + u32::from(judged.is_err()));
        }
        Ok(())
    };
    runner(1, 150).run(&tape(), each).expect("sound statements");
    let (broken, flagged) = (broken.get(), flagged.get());
    println!("{flagged} of {broken} statements with one void restriction were flagged");
    // In the others it makes no difference: what is forgotten lies below a LIMIT, or in a condition
    // that something else decides.
    assert!(
        broken >= 40 && flagged * 100 >= broken * 60,
        "{flagged} of {broken} were flagged"
    );
}

#[test]
fn what_once_broke_the_law_keeps_it() {
    let runtime = runtime();
    let databases = runtime.block_on(Databases::create());
    let mut wrong = String::new();
    for case in regressions::all() {
        let world = runtime.block_on(World::create(&databases, case.schema));
        if let Err(how) = runtime.block_on(world.judge(&case.statement)) {
            writeln!(wrong, "{}: {how}", case.name).expect("a string");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Each exception's example is in the form that the exception stands for.
#[test]
fn what_is_not_one_task_on_citus_is_written_down() {
    let runtime = runtime();
    let databases = runtime.block_on(Databases::create());
    let world = runtime.block_on(World::create(&databases, teeth::schema()));
    let mut wrong = String::new();
    for exception in exceptions::all() {
        let statement = Statement::plain(&exception.example);
        let guarded = world.guard.check(&statement.sql).expect("accepted");
        if !world.is_citus() {
            continue;
        }
        let plan = runtime.block_on(world.plan(&guarded, &statement));
        let shape = Shape::of(guarded.text()).expect("a statement");
        if !exception.is_about(&plan, &shape) {
            writeln!(wrong, "{}: Citus {plan}", exception.name).expect("a string");
        }
    }
    if !world.is_citus() {
        println!("left out: Citus is not installed");
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The tapes of a statement, of another one, and of what is done to the first.
type Tapes = (Vec<u8>, Vec<u8>, Vec<u8>);

/// One world of a run.
struct Fuzzing<'a> {
    runtime: &'a Runtime,
    world: &'a World<'a>,
    run: &'a Run,
    seed: u64,
}

impl Fuzzing<'_> {
    /// Judges so many statements; one for which the law does not hold ends the test.
    fn try_all(
        &self,
        cases: u32,
        coverage: &mut Coverage,
        statement: impl Fn(&Tapes) -> Statement,
    ) {
        let coverage = RefCell::new(coverage);
        let lost = Cell::new(false);
        let judge = |tapes: Tapes| {
            // Without its sessions nothing can be tried, smaller statements neither.
            if self.run.is_late() || lost.get() {
                return Ok(());
            }
            let statement = statement(&tapes);
            let verdict = self.runtime.block_on(self.judge(&statement));
            lost.set(self.world.is_lost());
            let (verdict, exception) = verdict.map_err(TestCaseError::fail)?;
            coverage.borrow_mut().add(&statement, verdict, exception);
            Ok(())
        };
        let tapes = (
            tape(),
            tape(),
            proptest::collection::vec(any::<u8>(), 1..16),
        );
        match runner(self.seed, cases).run(&tapes, judge) {
            Ok(()) => {}
            Err(TestError::Fail(how, tapes)) => {
                let page = regressions::page(&self.world.schema, &statement(&tapes));
                panic!("ISOLATION_SEED={}: {how}\n\n{page}", self.seed);
            }
            Err(TestError::Abort(why)) => panic!("{why}"),
        }
    }

    async fn judge(
        &self,
        statement: &Statement,
    ) -> Result<(Verdict, Option<&'static str>), String> {
        let verdict = self.world.judge(statement).await?;
        let exception = if self.world.is_citus() {
            self.world.exception(statement, verdict).await?
        } else {
            None
        };
        Ok((verdict, exception))
    }
}

/// The schema of the world that this seed makes.
pub(crate) fn schema_of(seed: u64) -> Schema {
    let mut bytes = [0_u8; 400];
    TestRng::from_seed(RngAlgorithm::ChaCha, &wide(seed)).fill_bytes(&mut bytes);
    Schema::generate(&mut Tape::new(&bytes))
}

fn runner(seed: u64, cases: u32) -> TestRunner {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 400,
        ..Config::default()
    };
    TestRunner::new_with_rng(
        config,
        TestRng::from_seed(RngAlgorithm::ChaCha, &wide(!seed)),
    )
}

fn tape() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..260)
}

fn wide(seed: u64) -> [u8; 32] {
    let mut wide = [0; 32];
    wide[..8].copy_from_slice(&seed.to_le_bytes());
    wide
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// How much is tried, and from where on.
struct Run {
    seed: u64,
    cases: u32,
    until: Option<Instant>,
}

impl Run {
    fn from_environment(default_cases: u32) -> Self {
        let number = |name| -> Option<u64> { env::var(name).ok()?.parse().ok() };
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let minutes = number("ISOLATION_MINUTES");
        let cases = number("ISOLATION_CASES").and_then(|cases| u32::try_from(cases).ok());
        Self {
            seed: number("ISOLATION_SEED").unwrap_or_else(|| u64::from(now.subsec_nanos())),
            cases: cases.unwrap_or(default_cases),
            until: minutes.map(|minutes| Instant::now() + Duration::from_secs(60 * minutes)),
        }
    }

    fn is_late(&self) -> bool {
        self.until.is_some_and(|end| Instant::now() >= end)
    }

    fn is_over(&self, cases: u32) -> bool {
        self.is_late() || (self.until.is_none() && cases >= self.cases)
    }
}
