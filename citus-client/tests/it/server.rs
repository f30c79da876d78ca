//! A PostgreSQL with a certificate and with a role that has a password.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use citus_client::{Config, SslMode};
use citus_testkit::{BackendChoice, Node, TestCluster};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

/// Of the role `scram`, which is not let in without.
pub(crate) const PASSWORD: &str = "open-sesame";
const HBA: &str = "
host all scram 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
local all all trust
";

/// A server whose certificate is for `localhost` alone.
pub(crate) struct Server {
    pub(crate) cluster: TestCluster,
    _files: TempDir,
    /// The certificate that signs the server's.
    pub(crate) root: PathBuf,
    /// One that does not.
    pub(crate) other_root: PathBuf,
}

impl Server {
    pub(crate) async fn start() -> Self {
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
        fs::write(path("hba.conf"), HBA).unwrap();
        for file in [
            files.path().to_owned(),
            path("hba.conf"),
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
            .setting("hba_file", path("hba.conf").to_str().unwrap())
            .start()
            .await
            .unwrap();
        let admin = cluster.coordinator().connect().await.unwrap();
        let roles = format!(
            "SET password_encryption = 'scram-sha-256';
             CREATE ROLE scram LOGIN PASSWORD '{PASSWORD}';
             CREATE ROLE trusted LOGIN;"
        );
        admin.batch_execute(&roles).await.unwrap();
        let (root, other_root) = (path("root.pem"), path("other.pem"));
        Self {
            cluster,
            _files: files,
            root,
            other_root,
        }
    }

    pub(crate) fn config(&self, host: &str, mode: SslMode) -> Config {
        config(self.cluster.coordinator(), host, mode)
    }
}

pub(crate) fn config(node: &Node, host: &str, mode: SslMode) -> Config {
    let url = node.url().replace(node.host(), host);
    Config::new(&url).unwrap().ssl_mode(mode)
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// PostgreSQL reads a key only when it is its own. Servers that root starts run as someone else.
pub(crate) async fn server_owner() -> (u32, u32) {
    let cluster = TestCluster::builder()
        .workers(0)
        .backend(BackendChoice::Postgres);
    let cluster = cluster.start().await.unwrap();
    let client = cluster.coordinator().connect().await.unwrap();
    let row = client.query_one("SHOW data_directory", &[]).await.unwrap();
    let directory = fs::metadata(row.get::<_, String>(0)).unwrap();
    (directory.uid(), directory.gid())
}

pub(crate) fn give(file: &Path, (user, group): (u32, u32)) {
    let metadata = fs::metadata(file).unwrap();
    if (metadata.uid(), metadata.gid()) != (user, group) {
        chown(file, Some(user), Some(group)).unwrap();
    }
}
