//! What the guard costs: a statement that it has seen, one that it has not, and for reference the
//! two bare parses that the second cannot do without.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use guard_instructions::statements::{BY_SIZE, tenancy};
use tenant_guard::{Guard, Policy, StaticSql};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let guard = Guard::new(tenancy()?, Policy::default());
    let mut criterion = Criterion::default().configure_from_args();

    let mut group = criterion.benchmark_group("guard");
    for (size, sql) in BY_SIZE {
        group.throughput(Throughput::Bytes(u64::try_from(sql.len())?));
        let guarded = guard.cached(sql)?;
        group.bench_function(format!("cached/{size}"), |bencher| {
            bencher.iter(|| guard.cached(black_box(sql)));
        });
        let fixed: StaticSql<0> = StaticSql::new(sql);
        guard.fixed(&fixed)?;
        group.bench_function(format!("fixed/{size}"), |bencher| {
            bencher.iter(|| guard.fixed(black_box(&fixed)).cloned());
        });
        group.bench_function(format!("uncached/{size}"), |bencher| {
            bencher.iter(|| guard.check(black_box(sql)));
        });
        group.bench_function(format!("two parses/{size}"), |bencher| {
            bencher.iter(|| {
                let written = pg_query::parse(black_box(sql), 0);
                let sent = pg_query::parse(black_box(guarded.text()), 0);
                (written, sent)
            });
        });
    }
    group.finish();
    criterion.final_summary();
    Ok(())
}
