//! What is told of requests.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use citus_client::{
    Observer, RequestEvent, Retried, RouteReason, TenantHash, TenantHashKey, TenantId, TopTenants,
};

use crate::support::{Written, bounded, config, connect, database};

type Request = (&'static str, RouteReason, Option<String>, TenantHash);

#[derive(Default)]
struct Told {
    requests: Mutex<Vec<Request>>,
    retries: Mutex<Vec<Retried>>,
}

impl Observer for Told {
    fn request(&self, request: &RequestEvent<'_>) {
        assert!(request.executed > Duration::ZERO);
        let error = request.error.map(|error| error.kind().to_owned());
        let told = (request.operation, request.route, error, request.tenant);
        self.requests.lock().unwrap().push(told);
    }

    fn retry(&self, retried: Retried) {
        self.retries.lock().unwrap().push(retried);
    }
}

#[tokio::test]
async fn each_statement_is_told_and_its_tenant_is_not() {
    let database = database().await;
    let (told, top) = (Arc::new(Told::default()), Arc::new(TopTenants::new(10)));
    let key = TenantHashKey::new(*b"a key of 16 byte");
    let config = config(&database)
        .observer(told.clone())
        .observer(top.clone())
        .tenant_hash_key(key.clone());
    let cluster = connect(config).await;
    let (written, _guard) = Written::subscribe();
    let tenant = cluster.tenant(987_654_321);
    let insert = "INSERT INTO projects (id) VALUES (1)";
    tenant.execute(insert, &[]).await.unwrap();
    tenant.execute(insert, &[]).await.unwrap_err();
    tenant.query("SELECT id FROM projects", &[]).await.unwrap();
    let mut runs = Vec::new();
    let done = tenant.transaction(|transaction| {
        runs.push(());
        let first = runs.len() == 1;
        async move {
            transaction.query("SELECT id FROM projects", &[]).await?;
            if first {
                // Fails as a deadlock does.
                transaction.query("SELECT deadlock()", &[]).await?;
            }
            Ok::<_, citus_client::RequestError>(())
        }
    });
    // There is no such function.
    bounded(done).await.unwrap_err();
    let mut batch = cluster.batch();
    batch.add(987_654_321, "DELETE FROM projects", &[]);
    bounded(batch.run()).await.remove(0).unwrap();

    let hash = key.hash(&TenantId::from(987_654_321));
    let requests = told.requests.lock().unwrap();
    let expected = [
        ("INSERT", None),
        ("INSERT", Some("23505".to_owned())),
        ("SELECT", None),
        ("SELECT", None),
        ("DELETE", None),
    ];
    let seen: Vec<_> = requests
        .iter()
        .map(|(operation, _, error, _)| (*operation, error.clone()))
        .collect();
    assert_eq!(seen, expected);
    assert!(
        requests
            .iter()
            .all(|told| told.1 == RouteReason::Owner && told.3 == hash)
    );
    assert_eq!(top.top(10), [(hash, 5, 0)]);
    let written = written.text();
    assert!(written.contains("citus.route=\"owner\""), "{written}");
    assert!(!written.contains("987654321"), "{written}");
}

#[tokio::test]
async fn what_is_repeated_is_told() {
    let database = database().await;
    let told = Arc::new(Told::default());
    let cluster = connect(config(&database).observer(told.clone())).await;
    let tenant = cluster.tenant(3);
    let insert = "INSERT INTO projects (id, name) VALUES (1, '0')";
    tenant.execute(insert, &[]).await.unwrap();
    let (mut runs, other) = (0, &tenant);
    let raised = tenant
        .build_transaction()
        .isolation_level(citus_client::IsolationLevel::RepeatableRead)
        .run(|transaction| {
            runs += 1;
            let first = runs == 1;
            async move {
                transaction.query("SELECT name FROM projects", &[]).await?;
                if first {
                    other.execute("UPDATE projects SET name = '1'", &[]).await?;
                }
                transaction
                    .execute("UPDATE projects SET name = '2'", &[])
                    .await
            }
        });
    assert_eq!(bounded(raised).await.unwrap(), 1);
    assert_eq!(*told.retries.lock().unwrap(), [Retried::Transaction]);
}

#[cfg(feature = "metrics-024")]
#[tokio::test]
async fn figures_have_opentelemetry_s_names() {
    use metrics_util::debugging::{DebugValue, DebuggingRecorder};

    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    // On this thread, where this test runs as a whole.
    let _guard = metrics::set_default_local_recorder(&recorder);
    let metrics = citus_client::Metrics::new();
    let database = database().await;
    let cluster = connect(config(&database).observer(Arc::new(metrics))).await;
    let tenant = cluster.tenant(3);
    tenant.query("SELECT id FROM projects", &[]).await.unwrap();
    metrics.pools(&cluster.pools());
    let mut found: Vec<String> = Vec::new();
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        let labels = key.key().labels();
        let labels: Vec<_> = labels
            .filter(|label| label.key() != "server.address" && label.key() != "server.port")
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        if let DebugValue::Histogram(values) = &value {
            assert_eq!(values.len(), 1);
        }
        found.push(format!("{} {}", key.key().name(), labels.join(" ")));
    }
    found.sort();
    found.dedup();
    assert_eq!(
        found,
        [
            "db.client.connection.count db.client.connection.state=idle",
            "db.client.connection.count db.client.connection.state=used",
            "db.client.connection.max ",
            "db.client.connection.pending_requests ",
            "db.client.connection.wait_time ",
            "db.client.operation.duration db.operation.name=SELECT citus.route=owner error.type=",
        ]
    );
}
