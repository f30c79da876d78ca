//! Who connects, and where to.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use citus_client::{
    Cluster, Config, Credentials, NodeError, RequestError, RetryPolicy, SqlState,
    UnscopedTransaction,
};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::server::{PASSWORD, Server};
use crate::support::{bounded, connect, eventually, pools};

/// How to reach the server as the role with a password, without it.
fn config_of(server: &Server, rest: &str) -> Config {
    let port = server.cluster.coordinator().port();
    let url = format!("postgresql://scram@127.0.0.1:{port}/postgres?sslmode=disable{rest}");
    Config::new(&url).unwrap()
}

/// Takes so many connections, which those that are taken already are not among.
async fn take(cluster: &Cluster, number: usize) -> Vec<UnscopedTransaction<'static>> {
    let unscoped = cluster.unscoped("test");
    let mut taken = Vec::new();
    for _ in 0..number {
        taken.push(bounded(unscoped.begin()).await.unwrap());
    }
    taken
}

async fn change_password(server: &Server, password: &str) {
    let admin = server.cluster.coordinator().connect().await.unwrap();
    let sql = format!("ALTER ROLE scram PASSWORD '{password}'");
    admin.batch_execute(&sql).await.unwrap();
}

#[tokio::test]
async fn credentials_are_asked_for_each_connection_and_again_when_they_are_refused() {
    let server = Server::start().await;
    for pool in pools() {
        change_password(&server, PASSWORD).await;
        let kept = Arc::new(Mutex::new(PASSWORD));
        let (asked, refused) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let counts = (Arc::clone(&asked), Arc::clone(&refused));
        let config = config_of(&server, "")
            .pool(pool)
            .credentials(move |request| {
                counts.0.fetch_add(1, Ordering::SeqCst);
                let mut kept = kept.lock().unwrap();
                if request.refused {
                    counts.1.fetch_add(1, Ordering::SeqCst);
                    *kept = "new";
                }
                let credentials = Credentials::new(*kept);
                async move { Ok::<_, std::io::Error>(credentials) }
            });
        let cluster = connect(config).await;
        let _first = take(&cluster, 1).await;
        let before = asked.load(Ordering::SeqCst);
        change_password(&server, "new").await;
        let _others = take(&cluster, 3).await;
        assert_eq!(refused.load(Ordering::SeqCst), 1);
        // Each once, and the one that was refused once more.
        assert_eq!(asked.load(Ordering::SeqCst), before + 4);
    }
}

#[tokio::test]
async fn a_wrong_password_is_tried_no_more_than_twice() {
    let server = Server::start().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let config = config_of(&server, "").credentials(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        async { Ok::<_, std::io::Error>(Credentials::new("wrong")) }
    });
    let shown = format!("{config:?}");
    assert!(!shown.contains("wrong"), "{shown}");
    let error = bounded(Box::pin(Cluster::connect_with(config)))
        .await
        .unwrap_err();
    let error = format!("{error}");
    assert!(error.contains(SqlState::INVALID_PASSWORD.code()), "{error}");
    assert_eq!(asked.load(Ordering::SeqCst), 2);

    let config = config_of(&server, "");
    let config = config.credentials(|_| async { Err(std::io::Error::other("the vault is shut")) });
    let error = bounded(Box::pin(Cluster::connect_with(config)))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("there are no credentials: the vault is shut"),
        "{error}"
    );
}

#[tokio::test]
async fn a_password_that_is_refused_is_not_worth_another_request() {
    let server = Server::start().await;
    for pool in pools() {
        change_password(&server, PASSWORD).await;
        let config = config_of(&server, "").pool(pool);
        let config =
            config.credentials(|_| async { Ok::<_, std::io::Error>(Credentials::new(PASSWORD)) });
        let cluster = connect(config).await;
        change_password(&server, "new").await;
        let refused = bounded(cluster.unscoped("test").begin()).await.unwrap_err();
        assert!(!refused.is_retryable(), "{refused}");
        let known = bounded(cluster.unscoped("test").begin()).await.unwrap_err();
        assert!(
            matches!(known, RequestError::Node(NodeError::Down { .. })),
            "{known}"
        );
        assert!(!known.is_retryable(), "{known}");
        // The task that tries again finds that it is right once more.
        change_password(&server, PASSWORD).await;
        eventually("it is let in", || async {
            cluster.unscoped("test").begin().await.is_ok()
        })
        .await;
    }
}

#[tokio::test]
async fn a_password_file_is_read_as_libpq_reads_it() {
    let server = Server::start().await;
    change_password(&server, PASSWORD).await;
    let files = TempDir::new().unwrap();
    let file = files.path().join("passwords");
    let allow = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    let line =
        |password| fs::write(&file, format!("127.0.0.1:*:postgres:scram:{password}\n")).unwrap();
    line(PASSWORD);
    allow(0o600);
    let config = || config_of(&server, &format!("&passfile={}", file.display()));
    let cluster = connect(config()).await;
    // It is read for each connection.
    change_password(&server, "new").await;
    line("new");
    let _taken = take(&cluster, 2).await;
    allow(0o644);
    let error = bounded(Box::pin(Cluster::connect_with(config())))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("password missing"), "{error}");
}

#[tokio::test]
async fn names_are_looked_up_for_each_connection_and_each_address_has_its_time() {
    let server = Server::start().await;
    let port = server.cluster.coordinator().port();
    // It takes connections, and never says anything.
    let silent = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));
    let _silent = TcpListener::bind((silent, port)).await.unwrap();
    // Nobody is there.
    let nobody = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
    let there = IpAddr::V4(Ipv4Addr::LOCALHOST);
    for pool in pools() {
        let answer = Arc::new(Mutex::new(vec![nobody, silent, there]));
        let asked = Arc::new(AtomicUsize::new(0));
        let (count, answers) = (Arc::clone(&asked), Arc::clone(&answer));
        let url = format!("postgresql://trusted@db.example:{port}/postgres?sslmode=disable");
        let config = Config::new(&url)
            .unwrap()
            .pool(pool)
            .retry(RetryPolicy::never());
        let config = config
            .connect_timeout(Duration::from_secs(2))
            .resolver(move |host| {
                assert_eq!(host, "db.example");
                count.fetch_add(1, Ordering::SeqCst);
                let answer = answers.lock().unwrap().clone();
                async move { Ok(answer) }
            });
        let cluster = connect(config).await;
        assert_eq!(
            cluster.topology().coordinator().address().host,
            "db.example"
        );
        // It has moved.
        *answer.lock().unwrap() = vec![there];
        let before = asked.load(Ordering::SeqCst);
        let _taken = take(&cluster, 2).await;
        assert_eq!(asked.load(Ordering::SeqCst), before + 2);
        answer.lock().unwrap().clear();
        let error = bounded(cluster.unscoped("test").begin()).await.unwrap_err();
        assert!(
            error.to_string().contains("its name cannot be resolved"),
            "{error}"
        );
    }
}
