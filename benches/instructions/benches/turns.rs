//! What the guard takes in nanoseconds, against bare lookups and bare parses of the same text in turns.
//!
//! `cargo bench --package guard-instructions`. On a machine that does other things, too, a mean says nothing:
//! each work gets many short turns, one after the other, and the shortest turn and the median are printed.
//! `taskset -c 1` in front of it keeps it on one processor.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::BuildHasher;
use std::hint::black_box;
use std::time::Instant;

use guard_instructions::statements::{BY_SIZE, tenancy};
use tenant_guard::{Guard, GuardedSql, Policy, StaticSql};

const TURNS: usize = 1_000;

/// A work, how often it is done in a turn, and what its turns took.
struct Work<'w> {
    name: &'static str,
    times: u32,
    turn: Box<dyn Fn(u32) + 'w>,
    nanoseconds: Vec<f64>,
}

impl<'w> Work<'w> {
    fn new<T>(name: &'static str, times: u32, work: impl Fn() -> T + 'w) -> Self {
        let turn = move |times| {
            for _ in 0..times {
                black_box(work());
            }
        };
        Self {
            name,
            times,
            turn: Box::new(turn),
            nanoseconds: Vec::with_capacity(TURNS),
        }
    }

    fn take_turn(&mut self) {
        let start = Instant::now();
        (self.turn)(self.times);
        let nanoseconds = start.elapsed().as_secs_f64() * 1e9;
        self.nanoseconds.push(nanoseconds / f64::from(self.times));
    }

    /// The shortest turn and the median.
    fn figures(&mut self) -> (f64, f64) {
        self.nanoseconds.sort_by(f64::total_cmp);
        (self.nanoseconds[0], self.nanoseconds[TURNS / 2])
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("load {}", load());
    println!(
        "{:>6}  {:<38} {:>10} {:>10}",
        "", "ns", "shortest", "median"
    );
    for (size, sql) in BY_SIZE {
        let guard = Guard::new(tenancy()?, Policy::default());
        let guarded = guard.cached(sql)?;
        let statement: StaticSql<0> = StaticSql::new(sql);
        guard.fixed(&statement)?;
        let fast = map(sql, &guarded, foldhash::fast::RandomState::default());
        let std = map(sql, &guarded, RandomState::default());
        let mut works = [
            Work::new("fixed, borrowed", 2_000, || {
                guard.fixed(black_box(&statement)).is_ok()
            }),
            Work::new("fixed, a handle of one's own", 2_000, || {
                guard.fixed(black_box(&statement)).cloned()
            }),
            Work::new("cached", 2_000, || guard.cached(black_box(sql))),
            Work::new("HashMap with foldhash, cloned", 2_000, || {
                fast.get(black_box(sql)).cloned()
            }),
            Work::new("HashMap of std, cloned", 2_000, || {
                std.get(black_box(sql)).cloned()
            }),
            Work::new("uncached", 2, || guard.check(black_box(sql))),
            Work::new("two bare parses", 2, || {
                let written = pg_query::parse(black_box(sql), 0);
                let sent = pg_query::parse(black_box(guarded.text()), 0);
                (written, sent)
            }),
        ];
        for _ in 0..TURNS {
            works.iter_mut().for_each(Work::take_turn);
        }
        for work in &mut works {
            let (shortest, median) = work.figures();
            println!(
                "{size:>6}  {:<38} {shortest:>10.1} {median:>10.1}",
                work.name
            );
        }
    }
    println!("load {}", load());
    Ok(())
}

/// One statement among as many as an application has.
fn map<S: BuildHasher>(
    sql: &str,
    guarded: &GuardedSql,
    hasher: S,
) -> HashMap<Box<str>, GuardedSql, S> {
    let mut map = HashMap::with_hasher(hasher);
    for number in 0..1_000 {
        map.insert(format!("{sql} -- {number}").into(), guarded.clone());
    }
    map.insert(sql.into(), guarded.clone());
    map
}

fn load() -> String {
    fs::read_to_string("/proc/loadavg").map_or("unknown".to_owned(), |load| load.trim().to_owned())
}
