//! `COPY` of one tenant, and rows of many.

use citus_client::{BulkLoadError, CopyFormat, RequestError, SqlState, Tenant};

use crate::support::{bounded, config, connect, database, pools};

const CSV: CopyFormat = CopyFormat::Csv { header: false };

async fn names(tenant: &Tenant) -> Vec<Option<String>> {
    let rows = tenant.query("SELECT name FROM projects ORDER BY id", &[]);
    let rows = bounded(rows).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn rows_are_copied_to_their_tenant_and_to_no_other() {
    let database = database().await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool).pool_size(1)).await;
        let (tenant, other) = (cluster.tenant(1), cluster.tenant(2));
        tenant.execute("DELETE FROM projects", &[]).await.unwrap();
        let columns = ["id", "name"];
        let mut rows = tenant.copy_in("projects", &columns, CSV).await.unwrap();
        for piece in ["1,a\n2", ",\"b,\nb\"", "\n3,"] {
            rows.write(piece.as_bytes()).await.unwrap();
        }
        assert_eq!(bounded(rows.finish()).await.unwrap(), 3);
        let mut rows = tenant
            .copy_in("public.projects", &columns, CopyFormat::Text)
            .await
            .unwrap();
        rows.write(b"4\td\\\nd\n5\t\\N\n").await.unwrap();
        assert_eq!(bounded(rows.finish()).await.unwrap(), 2);
        let some = |name: &str| Some(name.to_owned());
        let expected = [some("a"), some("b,\nb"), None, some("d\nd"), None];
        assert_eq!(names(&tenant).await, expected);
        assert!(names(&other).await.is_empty());
    }
}

#[tokio::test]
async fn a_row_cannot_choose_its_tenant() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    let tenant = cluster.tenant(3);
    for (format, rows) in [
        (CSV, "1,a,4\n"),
        (CSV, "1,\"a\n"),
        (CSV, "1\n"),
        (CSV, "1,a,4\n\\.\n"),
        (CopyFormat::Text, "1\ta\t4\n"),
        (CopyFormat::Text, "1\n"),
        (CopyFormat::Text, "1\ta\t4\n\\.\n"),
    ] {
        let mut copy = tenant
            .copy_in("projects", &["id", "name"], format)
            .await
            .unwrap();
        // Some are found out before they are sent, the others by the server.
        let error = match copy.write(rows.as_bytes()).await {
            Ok(()) => bounded(copy.finish()).await.unwrap_err(),
            Err(error) => error,
        };
        let found = matches!(error, RequestError::CopyRow { row: 1 | 2, .. })
            || error.sql_state() == Some(&SqlState::BAD_COPY_FILE_FORMAT);
        assert!(found, "{rows:?}: {error}");
    }
    let all = cluster.unscoped("test");
    let count = all.query_one("SELECT count(*) FROM projects", &[]).await;
    assert_eq!(count.unwrap().get::<_, i64>(0), 0);
}

/// Whatever is written: the rows are the tenant's, or none are kept.
#[tokio::test]
async fn no_bytes_make_a_row_of_another_tenant() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    let tenant = cluster.tenant(7);
    let known = [
        (CopyFormat::Text, "1\tevil\t8\\.\rX\n"),
        (CopyFormat::Text, "1\ta\t8\r2\tb\t9\r\\.\rX"),
        (CSV, "1,a,8\r\\.\rX"),
    ];
    let mut seed = 1_u32;
    let mut random = |below: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 16) % below
    };
    let generated: Vec<String> = (0..600)
        .map(|_| {
            let pieces = [
                "1", "a", ",", "\"", "\\", ".", "\r", "\n", "\t", "8", "1,a,8", "1\ta\t8",
            ];
            let length = 1 + random(12);
            let piece = |_| pieces[random(12) as usize];
            (0..length).map(piece).collect()
        })
        .collect();
    let generated = generated.iter().flat_map(|rows| {
        let formats = [CSV, CopyFormat::Text];
        formats.map(|format| (format, rows.as_str()))
    });
    for (format, rows) in known.into_iter().chain(generated) {
        let columns = ["id", "name"];
        let mut copy = tenant.copy_in("projects", &columns, format).await.unwrap();
        if copy.write(rows.as_bytes()).await.is_ok() {
            bounded(copy.finish()).await.ok();
        }
    }
    for node in database.nodes() {
        let client = node.connect().await.unwrap();
        let sql = "SELECT count(*) FROM projects WHERE tenant_id <> 7";
        assert_eq!(
            client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0),
            0
        );
    }
    assert!(!names(&tenant).await.is_empty());
}

#[tokio::test]
async fn what_an_insert_may_not_do_a_copy_may_not_do() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    let tenant = cluster.tenant(3);
    for (table, columns) in [
        ("projects", vec!["tenant_id", "id"]),
        ("projects", vec![]),
        ("countries", vec!["code"]),
        ("nothing", vec!["id"]),
        ("pg_catalog.pg_class", vec!["relname"]),
        ("projects (id) VALUES (1); --", vec!["id"]),
    ] {
        let error = tenant.copy_in(table, &columns, CSV).await.unwrap_err();
        assert!(
            matches!(error, RequestError::Refused(_)),
            "{table}: {error}"
        );
    }
}

#[tokio::test]
async fn a_copy_that_is_dropped_keeps_nothing_and_its_connection_is_replaced() {
    let database = database().await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool).pool_size(1)).await;
        let tenant = cluster.tenant(5);
        let mut rows = tenant.copy_in("projects", &["id"], CSV).await.unwrap();
        rows.write(b"1\n2\n").await.unwrap();
        drop(rows);
        assert!(names(&tenant).await.is_empty());
    }
}

#[tokio::test]
async fn a_tenant_s_rows_are_copied_out() {
    let database = database().await;
    for pool in pools() {
        let cluster = connect(config(&database).pool(pool).pool_size(1)).await;
        let insert = "INSERT INTO projects (id, name) VALUES (1, $1) ON CONFLICT DO NOTHING";
        for tenant in [6, 7] {
            let name = format!("of {tenant}");
            cluster
                .tenant(tenant)
                .execute(insert, &[&name])
                .await
                .unwrap();
        }
        let tenant = cluster.tenant(6);
        let query = "SELECT id, name FROM projects ORDER BY id -- all";
        let header = CopyFormat::Csv { header: true };
        let mut rows = tenant.copy_out(query, header).await.unwrap();
        let mut text = Vec::new();
        while let Some(piece) = bounded(rows.next()).await.unwrap() {
            text.extend_from_slice(&piece);
        }
        assert_eq!(String::from_utf8(text).unwrap(), "id,name\n1,of 6\n");
        let error = tenant
            .copy_out("DELETE FROM projects RETURNING id", CSV)
            .await
            .unwrap_err();
        assert!(matches!(error, RequestError::NotARead), "{error}");
        let error = tenant
            .copy_out("SELECT id FROM projects WHERE id = $1", CSV)
            .await
            .unwrap_err();
        assert!(
            matches!(error, RequestError::ParameterCount { .. }),
            "{error}"
        );
        // Dropped before its end.
        drop(
            tenant
                .copy_out("SELECT id FROM projects", CSV)
                .await
                .unwrap(),
        );
        assert_eq!(names(&tenant).await.len(), 1);
    }
}

#[tokio::test]
async fn rows_of_many_tenants_are_loaded_on_their_nodes() {
    let database = database().await;
    for (first, pool) in (0_i64..).step_by(1000).zip(pools()) {
        let cluster = connect(config(&database).pool(pool)).await;
        let tenants = first..first + 100;
        let mut load = cluster
            .bulk_load("projects", &["id", "name"])
            .await
            .unwrap();
        for tenant in tenants.clone() {
            for id in 0..20_i64 {
                load.write(tenant, &[&id, &format!("{tenant}/{id}")])
                    .await
                    .unwrap();
            }
        }
        let loaded = bounded(load.finish()).await.unwrap();
        assert_eq!(loaded.rows(), 2000);
        assert!(
            loaded.nodes.len() > 1 || database.nodes().count() == 1,
            "{loaded:?}"
        );
        for (node, rows) in &loaded.nodes {
            let tenants = tenants
                .clone()
                .filter(|tenant| cluster.route("projects", *tenant).unwrap().node == *node);
            assert_eq!(*rows, 20 * tenants.count() as u64);
        }
        assert_eq!(names(&cluster.tenant(first + 42)).await.len(), 20);
        assert_eq!(
            names(&cluster.tenant(first + 42)).await[0].as_deref(),
            Some(format!("{}/0", first + 42)).as_deref()
        );
    }
}

#[tokio::test]
async fn a_broken_row_says_its_number_and_nothing_is_kept() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    let mut load = cluster
        .bulk_load("projects", &["id", "name"])
        .await
        .unwrap();
    load.write(1, &[&1_i64, &"a"]).await.unwrap();
    load.write(2, &[&1_i64, &"b"]).await.unwrap();
    let error = load.write(3, &[&"c", &"c"]).await.unwrap_err();
    assert!(
        matches!(error, BulkLoadError::Row { row: 3, .. }),
        "{error}"
    );
    drop(load);
    let mut load = cluster
        .bulk_load("projects", &["id", "name"])
        .await
        .unwrap();
    let error = load.write("x", &[&1_i64, &"a"]).await.unwrap_err();
    assert!(
        matches!(error, BulkLoadError::Row { row: 1, .. }),
        "{error}"
    );
    drop(load);
    let all = cluster.unscoped("test");
    let count = all.query_one("SELECT count(*) FROM projects", &[]).await;
    assert_eq!(count.unwrap().get::<_, i64>(0), 0);
}

#[tokio::test]
async fn what_other_nodes_have_loaded_is_told() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    let node = |tenant: i64| cluster.route("projects", tenant).unwrap().node;
    let Some(other) = (2..100).find(|other| node(*other) != node(1)) else {
        return;
    };
    let mut load = cluster.bulk_load("projects", &["id"]).await.unwrap();
    load.write(1, &[&1_i64]).await.unwrap();
    load.write(1, &[&1_i64]).await.unwrap();
    load.write(other, &[&1_i64]).await.unwrap();
    let error = bounded(load.finish()).await.unwrap_err();
    let BulkLoadError::Node { error, loaded } = error else {
        panic!("{error}");
    };
    // Citus tells it as an error of its own.
    let states = [&SqlState::UNIQUE_VIOLATION, &SqlState::INTERNAL_ERROR];
    assert!(states.contains(&error.sql_state().unwrap()), "{error}");
    assert_eq!(loaded, [(node(other), 1)]);
    assert_eq!(names(&cluster.tenant(1)).await.len(), 0);
    assert_eq!(names(&cluster.tenant(other)).await.len(), 1);
}
