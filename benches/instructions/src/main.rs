//! One piece of the guard's work, repeated in a function of its own: `cargo xtask instructions` counts
//! what it executes.
//!
//! `guard-instructions WORK SIZE` prints how often it was done.

use std::env;
use std::hint::black_box;

use anyhow::{Context as _, bail};
use guard_instructions::statements::{BY_SIZE, tenancy};
use tenant_guard::{Guard, Policy, StaticSql};

fn main() -> anyhow::Result<()> {
    let [work, size] =
        env::args()
            .skip(1)
            .collect::<Vec<_>>()
            .try_into()
            .map_err(|given: Vec<String>| {
                anyhow::anyhow!("WORK and SIZE are wanted, and there are {}", given.len())
            })?;
    let (_, sql) = BY_SIZE
        .into_iter()
        .find(|(name, _)| *name == size)
        .with_context(|| format!("there is no statement of {size}"))?;

    let guard = Guard::new(tenancy()?, Policy::default());
    // Everything that is done once in a process is done here.
    let guarded = guard.cached(sql)?;
    guard.check(sql)?;
    match work.as_str() {
        "check" => measured(10, || guard.check(black_box(sql))),
        "parses" => measured(10, || {
            let written = pg_query::parse(black_box(sql), 0);
            let sent = pg_query::parse(black_box(guarded.text()), 0);
            (written, sent)
        }),
        "cached" => measured(1_000, || guard.cached(black_box(sql))),
        "fixed" => {
            let statement: StaticSql<0> = StaticSql::new(sql);
            guard.fixed(&statement)?;
            // A request keeps a handle of its own, as with `cached`.
            measured(1_000, || guard.fixed(black_box(&statement)).cloned());
        }
        _ => bail!("there is no work called {work}"),
    }
    Ok(())
}

/// What is counted, by its name: only what runs inside of this function.
#[inline(never)]
fn measured<T>(times: u32, work: impl Fn() -> T) {
    for _ in 0..times {
        black_box(work());
    }
    println!("{times}");
}
