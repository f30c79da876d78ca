//! Each `sslmode`, against a PostgreSQL with a certificate.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use citus_client::{Cluster, Config, ConnectError, SslMode};
use citus_testkit::{BackendChoice, Node, TestCluster};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use crate::support::{bounded, eventually};

/// A server whose certificate is for `localhost` alone.
struct Server {
    cluster: TestCluster,
    _files: TempDir,
    /// The certificate that signs the server's.
    root: PathBuf,
    /// One that does not.
    other_root: PathBuf,
}

impl Server {
    async fn start() -> Self {
        let files = TempDir::new().unwrap();
        let owner = server_owner().await;
        let path = |name: &str| files.path().join(name);
        let authority = authority();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["localhost".to_owned()])
            .unwrap()
            .signed_by(&key, &authority);
        fs::write(path("root.pem"), authority.pem()).unwrap();
        fs::write(path("other.pem"), self::authority().pem()).unwrap();
        fs::write(path("server.pem"), certificate.unwrap().pem()).unwrap();
        fs::write(path("server.key"), key.serialize_pem()).unwrap();
        fs::set_permissions(path("server.key"), fs::Permissions::from_mode(0o600)).unwrap();
        for file in [
            files.path().to_owned(),
            path("server.pem"),
            path("server.key"),
        ] {
            give(&file, owner);
        }
        let cluster = TestCluster::builder()
            .workers(0)
            .backend(BackendChoice::Postgres)
            .setting("ssl", "on")
            .setting("ssl_cert_file", path("server.pem").to_str().unwrap())
            .setting("ssl_key_file", path("server.key").to_str().unwrap())
            .start()
            .await
            .unwrap();
        let (root, other_root) = (path("root.pem"), path("other.pem"));
        Self {
            cluster,
            _files: files,
            root,
            other_root,
        }
    }

    fn config(&self, host: &str, mode: SslMode) -> Config {
        config(self.cluster.coordinator(), host, mode)
    }
}

fn config(node: &Node, host: &str, mode: SslMode) -> Config {
    let url = node.url().replace(node.host(), host);
    Config::new(&url).unwrap().ssl_mode(mode)
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// PostgreSQL reads a key only when it is its own. Servers that root starts run as someone else.
async fn server_owner() -> (u32, u32) {
    let cluster = TestCluster::builder()
        .workers(0)
        .backend(BackendChoice::Postgres);
    let cluster = cluster.start().await.unwrap();
    let client = cluster.coordinator().connect().await.unwrap();
    let row = client.query_one("SHOW data_directory", &[]).await.unwrap();
    let directory = fs::metadata(row.get::<_, String>(0)).unwrap();
    (directory.uid(), directory.gid())
}

fn give(file: &Path, (user, group): (u32, u32)) {
    let metadata = fs::metadata(file).unwrap();
    if (metadata.uid(), metadata.gid()) != (user, group) {
        chown(file, Some(user), Some(group)).unwrap();
    }
}

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
