//! The hash of a tenant, by type.

use std::hint::black_box;

use citus_client::{TenantId, TenantType, hash};
use criterion::{Criterion, criterion_group, criterion_main};

fn functions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hash");
    let texts = ["acme", "tenant-of-twenty-four-by", &"x".repeat(100)];
    group.bench_function("int8", |bench| {
        bench.iter(|| hash::hash_int8(black_box(42)));
    });
    group.bench_function("uuid", |bench| {
        bench.iter(|| hash::hash_uuid(black_box(&[7; 16])));
    });
    for text in texts {
        let name = format!("text of {} bytes", text.len());
        group.bench_function(name, |bench| {
            bench.iter(|| hash::hash_text(black_box(text)));
        });
    }
    group.finish();
}

/// With the conversion to the column's type.
fn tenants(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hash of a tenant");
    let cases = [
        ("integer as int8", TenantId::from(42), TenantType::Int8),
        ("text as int8", TenantId::from("42"), TenantType::Int8),
        (
            "uuid as uuid",
            TenantId::from([7_u8; 16].map(|byte| format!("{byte:02x}")).concat()),
            TenantType::Uuid,
        ),
        ("text as text", TenantId::from("acme"), TenantType::Text),
    ];
    for (name, tenant, tenant_type) in &cases {
        group.bench_function(*name, |bench| {
            bench.iter(|| black_box(tenant).hash_as(black_box(tenant_type)));
        });
    }
    group.finish();
}

criterion_group!(benches, functions, tenants);
criterion_main!(benches);
