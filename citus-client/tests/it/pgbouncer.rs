//! A pooler between the driver and the servers that gives each transaction another session.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use citus_client::{Cluster, Config, NodeError, PoolKind, RequestError, StatementMode, ToSql};
use citus_testkit::{DatabaseNode, TestDatabase};
use futures_util::future::try_join_all;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::server::{give, server_owner};
use crate::support::{bounded, config, connect, database, eventually, pools, redirected};

/// One before each node, in transaction mode, with a few sessions that take turns.
struct PgBouncer {
    processes: Vec<Child>,
    /// Of each node, and before it.
    ports: Vec<(u16, u16)>,
    _files: TempDir,
}

impl PgBouncer {
    /// `None` where it is not installed.
    async fn start(database: &TestDatabase) -> Option<Self> {
        let found = Command::new("pgbouncer")
            .arg("--version")
            .stdout(Stdio::null())
            .status();
        if found.is_err() {
            eprintln!("left out: PgBouncer is not installed");
            return None;
        }
        let files = TempDir::new().unwrap();
        let owner = server_owner().await;
        give(files.path(), owner);
        let (mut processes, mut ports) = (Vec::new(), Vec::new());
        for node in database.nodes() {
            let door = free_port();
            let settings = files.path().join(format!("{door}.ini"));
            let url = node.url();
            let user = url
                .split("://")
                .nth(1)
                .unwrap()
                .split(['@', ':'])
                .next()
                .unwrap();
            let (host, port) = (node.host(), node.port());
            let text = format!(
                "[databases]\n* = host={host} port={port} user={user}\n\
                 [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {door}\nunix_socket_dir =\n\
                 auth_type = any\npool_mode = transaction\ndefault_pool_size = 3\n\
                 server_round_robin = 1\n"
            );
            fs::write(&settings, text).unwrap();
            give(&settings, owner);
            let mut command = Command::new("pgbouncer");
            command.arg("-q").arg(&settings).uid(owner.0).gid(owner.1);
            processes.push(command.stderr(Stdio::null()).spawn().unwrap());
            ports.push((port, door));
        }
        let started = Self {
            processes,
            ports,
            _files: files,
        };
        for (_, door) in &started.ports {
            eventually("PgBouncer listens", || async {
                TcpStream::connect(("127.0.0.1", *door)).await.is_ok()
            })
            .await;
        }
        Some(started)
    }

    fn config(&self, database: &TestDatabase, pool: PoolKind) -> Config {
        let config = config(database)
            .pool(pool)
            .statement_mode(StatementMode::Unnamed);
        redirected(config, database, self.ports.clone())
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// What the sessions of a node's pooler say in turn.
async fn in_turn<T: Ord + for<'a> citus_client::FromSql<'a>>(
    cluster: &Cluster,
    sql: &str,
) -> BTreeSet<T> {
    let tenant = cluster.tenant(1);
    let mut said = BTreeSet::new();
    for _ in 0..12 {
        let row = bounded(tenant.query_one(sql, &[])).await.unwrap();
        said.insert(row.get(0));
    }
    said
}

#[tokio::test]
async fn statements_without_names_go_through_a_pooler_of_transactions() {
    let database = database().await;
    let Some(pooler) = PgBouncer::start(&database).await else {
        return;
    };
    for pool in pools() {
        let cluster = connect(pooler.config(&database, pool).pool_size(4)).await;
        let work = (0..12_i64).map(|id| {
            let tenant = cluster.tenant(id);
            async move {
                tenant.execute("DELETE FROM projects", &[]).await?;
                for project in 0..8_i64 {
                    let name = format!("{id}/{project}");
                    let params: &[&(dyn ToSql + Sync)] = &[&project, &name];
                    let sql = "INSERT INTO projects (id, name) VALUES ($1, $2) -- a comment";
                    assert_eq!(tenant.execute(sql, params).await?, 1);
                }
                let transaction = tenant.begin().await?;
                let sql = "UPDATE projects SET name = $1 WHERE id = $2";
                assert_eq!(transaction.execute(sql, &[&"changed", &3_i64]).await?, 1);
                transaction.commit().await?;
                let undone = tenant.begin().await?;
                undone
                    .execute("DELETE FROM projects WHERE id >= $1", &[&0_i64])
                    .await?;
                drop(undone);
                let sql = "SELECT id FROM projects WHERE name = $1";
                let row = tenant.query_one(sql, &[&"changed"]).await?;
                assert_eq!(row.get::<_, i64>(0), 3);
                Ok::<_, RequestError>(tenant.query("SELECT id FROM projects", &[]).await?.len())
            }
        });
        let counts = bounded(try_join_all(work)).await.unwrap();
        assert_eq!(counts, [8; 12]);
        let sql = "SELECT count(*) FROM projects WHERE name = $1";
        let row = cluster
            .unscoped("test")
            .query_one(sql, &[&"changed"])
            .await
            .unwrap();
        if database.is_citus() {
            assert_eq!(row.get::<_, i64>(0), 12);
        }
        // They did take turns, and nothing is left in any of them.
        assert!(in_turn::<i32>(&cluster, "SELECT backend()").await.len() > 1);
        let left = in_turn::<i64>(&cluster, "SELECT prepared_statements()").await;
        assert_eq!(left, BTreeSet::from([0]));
    }
}

#[tokio::test]
async fn types_that_change_are_asked_for_again() {
    let database = database().await;
    for pool in pools() {
        let config = config(&database).pool(pool).pool_size(1);
        let cluster = connect(config.statement_mode(StatementMode::Unnamed)).await;
        let tenant = cluster.tenant(1);
        let add = async |kind: &str| {
            let sql = format!(
                "ALTER TABLE projects DROP COLUMN IF EXISTS extra; ALTER TABLE projects ADD COLUMN extra {kind};"
            );
            database.migrate(&sql).await.unwrap();
        };
        let sql = "SELECT id FROM projects WHERE extra = $1";
        add("bigint").await;
        bounded(tenant.query(sql, &[&1_i64])).await.unwrap();
        let error = bounded(tenant.query(sql, &[&"a"])).await.unwrap_err();
        assert!(matches!(error, RequestError::Parameter { .. }), "{error}");
        add("text").await;
        bounded(tenant.query(sql, &[&"a"])).await.unwrap();
        // A column that is another now takes what it takes.
        add("boolean").await;
        bounded(tenant.query(sql, &[&true])).await.unwrap();
        // No statement has a name.
        let row = tenant
            .query_one("SELECT prepared_statements()", &[])
            .await
            .unwrap();
        assert_eq!(row.get::<_, i64>(0), 0);
    }
}

#[tokio::test]
async fn sessions_that_cannot_be_set_up_have_to_be_as_they_should() {
    let database = database().await;
    for pool in pools() {
        let config = config(&database)
            .pool(pool)
            .statement_mode(StatementMode::Unnamed);
        let cluster = connect(config).await;
        bounded(cluster.tenant(1).query("SELECT 1", &[]))
            .await
            .unwrap();
        let all: Vec<&DatabaseNode> = database.nodes().collect();
        let set = async |setting: &str| {
            for node in &all {
                let client = node.connect().await.unwrap();
                let sql = format!("ALTER DATABASE {} {setting}", database.name());
                client.batch_execute(&sql).await.unwrap();
            }
        };
        set("SET search_path = pg_catalog").await;
        let tenant = cluster.tenant(1);
        let transactions = try_join_all((0..3).map(|_| tenant.begin())).await;
        let error = transactions.unwrap_err();
        let RequestError::Node(NodeError::Settings { wanted, .. }) = &error else {
            panic!("{error}");
        };
        assert!(wanted.contains("search_path = public"), "{wanted}");
        set("RESET search_path").await;
    }
}
