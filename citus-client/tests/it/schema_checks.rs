//! What connecting says to a schema in which tenants can meet each other.

use citus_client::tenant_guard::doctor::{Code, Exceptions};
use citus_client::{Cluster, ConnectError, SchemaChecks};

use crate::support::{Written, config, database};

/// On plain servers every node is given it; Citus lets it in because it does not look at rules.
const BAD: &str = "CREATE RULE everywhere AS ON UPDATE TO tasks DO ALSO NOTIFY changed";

#[tokio::test]
async fn connecting_refuses_warns_or_says_nothing() {
    let database = database().await;
    for node in database
        .nodes()
        .take(if database.is_citus() { 1 } else { usize::MAX })
    {
        let client = node.connect().await.unwrap();
        client.batch_execute(BAD).await.unwrap();
    }
    let refusing = config(&database).schema_checks(SchemaChecks::Refuse);
    let error = Cluster::connect_with(refusing.clone()).await.unwrap_err();
    let ConnectError::Schema(report) = &error else {
        panic!("{error}");
    };
    assert_eq!(report.findings()[0].code(), Code::Rule);
    let said = error.to_string();
    assert!(
        said.starts_with(
            "the schema lets tenants meet each other:\nerror TD011: public.tasks.everywhere: it rewrites"
        ),
        "{said}"
    );

    let exceptions =
        Exceptions::default().allow(Code::Rule, None, "only tells that something happened");
    Cluster::connect_with(refusing.schema_exceptions(exceptions))
        .await
        .unwrap();

    let (written, _subscriber) = Written::subscribe();
    Cluster::connect_with(config(&database)).await.unwrap();
    let trace = written.text();
    assert!(
        trace.contains("code=TD011 object=\"public.tasks.everywhere\""),
        "{trace}"
    );

    let (written, _subscriber) = Written::subscribe();
    let silent = config(&database).schema_checks(SchemaChecks::Off);
    Cluster::connect_with(silent).await.unwrap();
    assert!(!written.text().contains("TD011"));
}

#[tokio::test]
async fn a_sound_schema_is_connected_to() {
    let database = database().await;
    let refusing = config(&database).schema_checks(SchemaChecks::Refuse);
    let (written, _subscriber) = Written::subscribe();
    Cluster::connect_with(refusing).await.unwrap();
    assert!(!written.text().contains(" WARN "), "{}", written.text());
}

#[tokio::test]
async fn a_change_of_the_schema_is_looked_at() {
    let database = database().await;
    if !database.is_citus() {
        println!("left out: the schema of plain servers is not followed");
        return;
    }
    let refusing = config(&database).schema_checks(SchemaChecks::Refuse);
    let cluster = Cluster::connect_with(refusing).await.unwrap();
    let client = database.connect().await.unwrap();
    let changes = format!("ALTER TABLE tasks ADD COLUMN more text; {BAD}");
    client.batch_execute(&changes).await.unwrap();
    let (written, _subscriber) = Written::subscribe();
    cluster.refresh().await.unwrap();
    let trace = written.text();
    assert!(trace.contains("code=TD011"), "{trace}");
    cluster
        .tenant(1)
        .query("SELECT more FROM tasks", &[])
        .await
        .unwrap();
}
