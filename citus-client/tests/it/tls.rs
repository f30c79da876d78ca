//! Each `sslmode`, against a PostgreSQL with a certificate.

use std::path::Path;
use std::time::Duration;

use citus_client::{Cluster, Config, ConnectError, SslMode};
use citus_testkit::{BackendChoice, TestCluster};

use crate::server::{PASSWORD, Server, config};
use crate::support::{bounded, eventually};

async fn is_encrypted(config: Config) -> Result<bool, ConnectError> {
    let cluster = Box::pin(bounded(Cluster::connect_with(config))).await?;
    let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    Ok(cluster
        .unscoped("test")
        .query_one(sql, &[])
        .await
        .unwrap()
        .get(0))
}

#[tokio::test]
async fn each_mode_is_what_libpq_means_by_it() {
    let server = Server::start().await;
    let name_of = "localhost";
    let another_name = "127.0.0.1";

    assert!(
        !is_encrypted(server.config(another_name, SslMode::Disable))
            .await
            .unwrap()
    );
    for mode in [SslMode::Prefer, SslMode::Require] {
        assert!(
            is_encrypted(server.config(another_name, mode))
                .await
                .unwrap()
        );
    }
    let with =
        |host, mode, root: &Path| is_encrypted(server.config(host, mode).ssl_root_cert(root));
    // With root certificates `require` is `verify-ca`: the chain counts, the name does not.
    for mode in [SslMode::Require, SslMode::VerifyCa] {
        assert!(with(another_name, mode, &server.root).await.unwrap());
        refused(with(another_name, mode, &server.other_root).await);
    }
    assert!(
        with(name_of, SslMode::VerifyFull, &server.root)
            .await
            .unwrap()
    );
    refused(with(another_name, SslMode::VerifyFull, &server.root).await);
    refused(with(name_of, SslMode::VerifyFull, &server.other_root).await);
}

fn refused(result: Result<bool, ConnectError>) {
    let said = result.unwrap_err().to_string();
    assert!(
        said.contains("TLS handshake: invalid peer certificate"),
        "{said}"
    );
}

#[tokio::test]
async fn the_connection_string_says_it_all() {
    let server = Server::start().await;
    let url = server
        .cluster
        .coordinator()
        .url()
        .replace("127.0.0.1", "localhost");
    let root = server.root.display();
    let url = format!("{url}?sslmode=verify-full&sslrootcert={root}");
    assert!(is_encrypted(Config::new(&url).unwrap()).await.unwrap());
}

#[tokio::test]
async fn a_query_is_cancelled_over_tls_too() {
    let server = Server::start().await;
    let config = server.config("127.0.0.1", SslMode::Require);
    let cluster = Box::pin(Cluster::connect_with(config)).await.unwrap();
    let unscoped = cluster.unscoped("test");
    let sleep = unscoped.query("SELECT pg_sleep(600)", &[]);
    assert!(
        tokio::time::timeout(Duration::from_millis(300), sleep)
            .await
            .is_err()
    );
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' \
               AND pid <> pg_backend_pid()";
    eventually("the query is cancelled", || async {
        unscoped.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) == 0
    })
    .await;
}

#[tokio::test]
async fn a_server_without_tls_is_fine_for_prefer_alone() {
    let cluster = TestCluster::builder()
        .workers(0)
        .backend(BackendChoice::Postgres);
    let cluster = cluster.start().await.unwrap();
    let node = cluster.coordinator();
    assert!(
        !is_encrypted(config(node, "127.0.0.1", SslMode::Prefer))
            .await
            .unwrap()
    );
    let error = is_encrypted(config(node, "127.0.0.1", SslMode::Require))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("server does not support TLS"),
        "{error}"
    );
}

#[tokio::test]
async fn a_password_is_bound_to_the_channel_where_that_is_required() {
    let server = Server::start().await;
    let port = server.cluster.coordinator().port();
    let root = server.root.display();
    let connect = async |user: &str, sslmode: &str| {
        let url = format!(
            "postgresql://{user}:{PASSWORD}@localhost:{port}/postgres?channel_binding=require\
             &sslmode={sslmode}&sslrootcert={root}"
        );
        is_encrypted(Config::new(&url).unwrap()).await
    };
    assert!(connect("scram", "verify-full").await.unwrap());
    // Nothing to bind to, and nothing to bind.
    for (user, sslmode) in [("scram", "disable"), ("trusted", "verify-full")] {
        let said = connect(user, sslmode).await.unwrap_err().to_string();
        assert!(said.contains("channel binding"), "{said}");
    }
}
