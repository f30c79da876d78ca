//! From a tenant to the node that owns it: the hash, and the search among the ranges.
//!
//! The last group is the whole of what a request does before it awaits anything: reading the
//! snapshot, looking up the guarded statement, converting, hashing and routing. That is counted in
//! allocations, too (in the tests of `citus-client`: none).

use std::hint::black_box;
use std::sync::Arc;

use arc_swap::ArcSwap;
use citus_client::{TenantId, TenantType, Topology};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use tenant_guard::{Access, Guard, Ident, Policy, Table, Tenancy};

fn topology(shards: u32) -> Topology {
    Topology::fixed(["a:5432", "b:5432", "c:5432", "d:5432"], shards)
        .unwrap_or_else(|error| unreachable!("{shards} shards on four nodes: {error}"))
}

fn ranges(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("route");
    let (colocation, tenant) = (Ident::new("default"), TenantId::from(42));
    for shards in [32, 128, 1024] {
        let topology = topology(shards);
        group.bench_with_input(
            BenchmarkId::new("int8", shards),
            &topology,
            |bench, topology| {
                bench.iter(|| {
                    let route = topology.route(
                        black_box(&colocation),
                        &TenantType::Int8,
                        black_box(&tenant),
                    );
                    route.map(|route| route.node().id())
                });
            },
        );
    }
    group.finish();
}

fn request(criterion: &mut Criterion) {
    const SQL: &str = "SELECT t.id, t.title, p.name FROM tasks t JOIN projects p ON p.id = \
        t.project_id WHERE t.done = $1 AND p.archived = false ORDER BY t.id LIMIT 20";
    let table = |name, columns: &[&'static str]| {
        let columns = [&["tenant_id", "id"], columns].concat();
        Table::distributed(name, "tenant_id", TenantType::Int8).columns(columns)
    };
    let tenancy = Tenancy::builder()
        .table(table("tasks", &["title", "project_id", "done"]))
        .table(table("projects", &["name", "archived"]))
        .build();
    let Ok(tenancy) = tenancy else {
        unreachable!("two tables")
    };
    let guard = Guard::new(tenancy, Policy::default());
    let snapshot = ArcSwap::from(Arc::new((guard, topology(32))));
    let tenant = TenantId::from(42);
    let mut group = criterion.benchmark_group("request");
    group.bench_function("snapshot, cached guard, hash and route", |bench| {
        bench.iter(|| {
            let snapshot = snapshot.load();
            let (guard, topology) = &**snapshot;
            let guarded = guard.cached(black_box(SQL)).ok()?;
            let Access::Tenant {
                colocation,
                tenant_type,
            } = guarded.access()
            else {
                return None;
            };
            let route = topology
                .route(colocation, tenant_type, black_box(&tenant))
                .ok()?;
            Some((route.node().id(), guarded))
        });
    });
    group.bench_function("snapshot, hash and route of a guarded statement", |bench| {
        let guarded = guard_of(&snapshot.load().0, SQL);
        bench.iter(|| {
            let snapshot = snapshot.load();
            let guarded = guarded.clone()?;
            let Access::Tenant {
                colocation,
                tenant_type,
            } = guarded.access()
            else {
                return None;
            };
            let route = snapshot
                .1
                .route(colocation, tenant_type, black_box(&tenant))
                .ok()?;
            Some(route.node().id())
        });
    });
    group.finish();
}

fn guard_of(guard: &Guard, sql: &str) -> Option<tenant_guard::GuardedSql> {
    guard.cached(sql).ok()
}

criterion_group!(benches, ranges, request);
criterion_main!(benches);
