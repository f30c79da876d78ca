//! Faults of the network, between tokio-postgres and a real server.

use std::error::Error as _;
use std::io;
use std::time::{Duration, Instant};

use citus_testkit::{
    BackendChoice, Cut, Direction, ErrorResponse, FaultProxy, Message, Reaction, TestCluster,
};
use futures_util::StreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error, NoTls};

use crate::support::{Result, bounded, comes_to, connect_to, hangs};

/// A server, a proxy before it, and a session past the proxy, to see what really happened.
struct Stage {
    proxy: FaultProxy,
    beside: Client,
    cluster: TestCluster,
}

impl Stage {
    async fn new() -> Result<Self> {
        let cluster = TestCluster::builder()
            .workers(0)
            .backend(BackendChoice::Postgres)
            .start()
            .await?;
        let node = cluster.coordinator();
        let beside = node.connect().await?;
        beside
            .batch_execute("CREATE TABLE t (a int PRIMARY KEY)")
            .await?;
        Ok(Self {
            proxy: FaultProxy::start(node.host(), node.port()).await?,
            beside,
            cluster,
        })
    }

    /// A session through the proxy.
    async fn connect(&self) -> Result<Client> {
        bounded(connect_to(&self.proxy)).await
    }

    /// The same, and how its connection ends.
    async fn watch(&self) -> Result<(Client, JoinHandle<std::result::Result<(), Error>>)> {
        let url = format!("postgresql://postgres@{}/postgres", self.proxy.address());
        let (client, connection) = bounded(tokio_postgres::connect(&url, NoTls)).await?;
        Ok((client, tokio::spawn(connection)))
    }

    async fn rows(&self) -> Result<i64> {
        let row = self.beside.query_one("SELECT count(*) FROM t", &[]).await?;
        Ok(row.get(0))
    }

    /// How many sessions the server has for clients of the proxy.
    async fn sessions(&self) -> i64 {
        let sql = "SELECT count(*) FROM pg_stat_activity
                   WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        self.beside.query_one(sql, &[]).await.unwrap().get(0)
    }
}

async fn was_reset(ended: JoinHandle<std::result::Result<(), Error>>) -> bool {
    let ended = bounded(ended).await.unwrap();
    let error = ended.err();
    let error = error
        .as_ref()
        .and_then(|error| error.source()?.downcast_ref::<io::Error>());
    error.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionReset)
}

#[tokio::test]
async fn what_passes_is_what_was_sent_and_is_counted() -> Result {
    let stage = Stage::new().await?;
    let client = stage.connect().await?;
    client
        .batch_execute("INSERT INTO t VALUES (1), (2)")
        .await?;
    let rows = client.query("SELECT a FROM t ORDER BY a", &[]).await?;
    assert_eq!(rows.len(), 2);
    // Longer than what is buffered and what is looked at.
    let long = "x".repeat(1_000_000);
    let row = client.query_one("SELECT $1::text || 'y'", &[&long]).await?;
    assert_eq!(row.get::<_, &str>(0), long.clone() + "y");
    let counts = stage.proxy.counts();
    assert_eq!((counts.connections, counts.open), (1, 1));
    assert_eq!(counts.from_clients(b'Q'), 1);
    assert_eq!(counts.from_clients(b'E'), 2);
    assert_eq!(counts.from_server(b'D'), 3);
    assert_eq!(counts.from_server(b'C'), 3);
    assert!(counts.bytes_from_clients > 1_000_000, "{counts:?}");
    drop(client);
    comes_to("the connection has ended", async || {
        stage.proxy.counts().open == 0
    })
    .await;
    Ok(())
}

#[tokio::test]
async fn an_answer_is_as_late_as_both_delays() -> Result {
    let stage = Stage::new().await?;
    let client = stage.connect().await?;
    for direction in [Direction::ToServer, Direction::ToClient, Direction::Both] {
        let delay = Duration::from_millis(150);
        stage.proxy.delay(direction, delay);
        let start = Instant::now();
        client.batch_execute("SELECT 1").await?;
        let least = if direction == Direction::Both {
            2 * delay
        } else {
            delay
        };
        assert!(start.elapsed() >= least, "{:?}", start.elapsed());
        stage.proxy.heal().await;
    }
    let late = Message::from_server(b'C');
    let delay = Reaction::Delay(Duration::from_millis(300));
    let armed = stage.proxy.on(late, delay);
    let start = Instant::now();
    client.batch_execute("SELECT 1").await?;
    assert!(start.elapsed() >= Duration::from_millis(300));
    assert!(armed.has_fired());
    Ok(())
}

#[tokio::test]
async fn a_narrow_line_carries_no_more_than_it_can() -> Result {
    let stage = Stage::new().await?;
    let client = stage.connect().await?;
    stage.proxy.bandwidth(Direction::ToClient, 200_000);
    let start = Instant::now();
    let row = client.query_one("SELECT repeat('x', 100000)", &[]).await?;
    assert_eq!(row.get::<_, &str>(0).len(), 100_000);
    assert!(start.elapsed() >= Duration::from_millis(400));
    Ok(())
}

#[tokio::test]
async fn connections_are_cut_at_once_and_the_next_ones_are_not() -> Result {
    let stage = Stage::new().await?;
    for cut in [Cut::Close, Cut::Reset] {
        let ((one, ended), other) = (stage.watch().await?, stage.connect().await?);
        let asked = one.query_one("SELECT pg_sleep(60)", &[]);
        tokio::pin!(asked);
        hangs(&mut asked).await;
        stage.proxy.cut(cut);
        bounded(asked).await.unwrap_err();
        assert_eq!(was_reset(ended).await, cut == Cut::Reset);
        comes_to("the idle one is closed", async || other.is_closed()).await;
        stage.connect().await?.batch_execute("SELECT 1").await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_commit_is_cut_before_and_after_it_was_carried_out() -> Result {
    let stage = Stage::new().await?;
    let commit = Message::from_client(b'Q').containing("COMMIT");
    let committed = Message::from_server(b'C').containing("COMMIT");
    for (value, message, expected) in [(1, commit, 0), (2, committed, 1)] {
        let mut client = stage.connect().await?;
        let armed = stage.proxy.on(message, Reaction::Cut(Cut::Reset));
        let transaction = client.transaction().await?;
        transaction
            .execute("INSERT INTO t VALUES ($1)", &[&value])
            .await?;
        assert!(!armed.has_fired());
        bounded(transaction.commit()).await.unwrap_err();
        assert!(bounded(armed.fired()).await);
        assert_eq!(stage.rows().await?, expected);
    }
    Ok(())
}

#[tokio::test]
async fn a_message_is_cut_in_its_middle_and_after_its_end() -> Result {
    let stage = Stage::new().await?;
    stage
        .beside
        .batch_execute("INSERT INTO t SELECT generate_series(1, 3)")
        .await?;
    let row = || Message::from_server(b'D').after(1);
    for (reaction, expected) in [
        (Reaction::CutInside(Cut::Close), 1),
        (Reaction::CutAfter(Cut::Close), 2),
    ] {
        let client = stage.connect().await?;
        let statement = client.prepare("SELECT a FROM t").await?;
        let armed = stage.proxy.on(row(), reaction);
        let rows = client.query_raw(&statement, Vec::<i32>::new()).await?;
        let seen = bounded(rows_until_error(rows)).await;
        assert_eq!((seen, armed.has_fired()), (Some(expected), true));
    }
    Ok(())
}

/// `None` when it ends without an error.
async fn rows_until_error(rows: tokio_postgres::RowStream) -> Option<usize> {
    let mut rows = std::pin::pin!(rows);
    let mut seen = 0;
    while let Some(row) = rows.next().await {
        if row.is_err() {
            return Some(seen);
        }
        seen += 1;
    }
    None
}

#[tokio::test]
async fn a_connection_is_cut_after_a_number_of_bytes() -> Result {
    let stage = Stage::new().await?;
    let client = stage.connect().await?;
    let armed = stage.proxy.cut_after(Direction::ToClient, 5000, Cut::Reset);
    client.batch_execute("SELECT repeat('x', 1000)").await?;
    assert!(!armed.has_fired());
    let asked = client.query("SELECT repeat('x', 4500)", &[]);
    bounded(asked).await.unwrap_err();
    assert!(armed.has_fired());
    Ok(())
}

#[tokio::test]
async fn what_is_held_comes_later() -> Result {
    let stage = Stage::new().await?;
    for (value, direction, expected) in [(1, Direction::ToServer, 0), (2, Direction::ToClient, 2)] {
        let client = stage.connect().await?;
        let statement = client.prepare("INSERT INTO t VALUES ($1)").await?;
        stage.proxy.hold(direction);
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 1] = [&value];
        let asked = client.execute(&statement, &values);
        tokio::pin!(asked);
        hangs(&mut asked).await;
        hangs(connect_to(&stage.proxy)).await;
        // The second was carried out, and its answer waits.
        assert_eq!(stage.rows().await?, expected);
        stage.proxy.heal().await;
        assert_eq!(bounded(asked).await?, 1);
    }
    Ok(())
}

#[tokio::test]
async fn what_falls_into_a_black_hole_is_lost() -> Result {
    let stage = Stage::new().await?;
    for (value, direction, expected) in [(1, Direction::ToServer, 0), (2, Direction::ToClient, 1)] {
        let (client, ended) = stage.watch().await?;
        let statement = client.prepare("INSERT INTO t VALUES ($1)").await?;
        stage.proxy.black_hole(direction);
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 1] = [&value];
        let asked = client.execute(&statement, &values);
        tokio::pin!(asked);
        hangs(&mut asked).await;
        hangs(connect_to(&stage.proxy)).await;
        stage.proxy.heal().await;
        bounded(asked).await.unwrap_err();
        assert!(was_reset(ended).await);
        assert_eq!(stage.rows().await?, expected);
        stage.connect().await?.batch_execute("SELECT 1").await?;
    }
    Ok(())
}

#[tokio::test]
async fn nobody_hears_through_a_black_hole_that_the_other_has_closed() -> Result {
    let stage = Stage::new().await?;
    let client = stage.connect().await?;
    client.batch_execute("SELECT 1").await?;
    stage.proxy.black_hole(Direction::Both);
    drop(client);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(stage.sessions().await, 1);
    stage.proxy.heal().await;
    comes_to("the server has noticed", async || {
        stage.sessions().await == 0
    })
    .await;
    // From a certain message on, and of one connection alone.
    let ((one, ended), other) = (stage.watch().await?, stage.connect().await?);
    let armed = stage.proxy.on(
        Message::from_client(b'Q').containing("black"),
        Reaction::BlackHole,
    );
    let asked = one.batch_execute("SELECT 'black'");
    tokio::pin!(asked);
    hangs(&mut asked).await;
    assert!(armed.has_fired());
    other.batch_execute("SELECT 1").await?;
    stage.proxy.heal().await;
    bounded(asked).await.unwrap_err();
    assert!(was_reset(ended).await);
    other.batch_execute("SELECT 1").await?;
    Ok(())
}

#[tokio::test]
async fn a_half_open_connection_is_found_out_by_its_next_use() -> Result {
    let stage = Stage::new().await?;
    let (client, ended) = stage.watch().await?;
    stage.proxy.half_open();
    comes_to("the server's side is gone", async || {
        stage.sessions().await == 0
    })
    .await;
    assert!(!client.is_closed());
    bounded(client.batch_execute("SELECT 1")).await.unwrap_err();
    assert!(was_reset(ended).await);
    // Also of what is under way.
    let client = stage.connect().await?;
    let armed = stage
        .proxy
        .on(Message::from_client(b'Q'), Reaction::HalfOpen);
    let asked = client.batch_execute("SELECT 1");
    tokio::pin!(asked);
    hangs(&mut asked).await;
    assert!(armed.has_fired());
    stage.proxy.cut(Cut::Close);
    bounded(asked).await.unwrap_err();
    Ok(())
}

#[tokio::test]
async fn an_error_is_answered_and_nothing_was_done() -> Result {
    let stage = Stage::new().await?;
    let client = stage.connect().await?;
    let error = || {
        ErrorResponse::new("0A000")
            .message("cached plan must not change result type")
            .detail("a detail")
            .hint("a hint")
            .routine("RevalidateCachedQuery")
    };
    let insert = client.prepare("INSERT INTO t VALUES (1)").await?;
    for tag in *b"QBES" {
        stage
            .proxy
            .on(Message::from_client(tag), Reaction::Answer(error()));
        let error = match tag {
            b'Q' => client.batch_execute("INSERT INTO t VALUES (1)").await,
            _ => client.execute(&insert, &[]).await.map(drop),
        };
        let error = error.unwrap_err();
        let error = error.as_db_error().unwrap();
        assert_eq!(error.code(), &SqlState::FEATURE_NOT_SUPPORTED);
        assert_eq!(error.message(), "cached plan must not change result type");
        assert_eq!(
            (error.detail(), error.hint()),
            (Some("a detail"), Some("a hint"))
        );
        assert_eq!(error.routine(), Some("RevalidateCachedQuery"));
        assert_eq!(stage.rows().await?, 0);
    }
    assert_eq!(client.execute(&insert, &[]).await?, 1);
    Ok(())
}

#[tokio::test]
async fn an_answered_error_fails_the_transaction_it_is_in() -> Result {
    let stage = Stage::new().await?;
    let client = stage.connect().await?;
    client
        .batch_execute("BEGIN; INSERT INTO t VALUES (1)")
        .await?;
    let serialization = ErrorResponse::new("40001");
    stage
        .proxy
        .on(Message::request(), Reaction::Answer(serialization));
    let error = client.query("SELECT 1", &[]).await.unwrap_err();
    assert_eq!(error.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE));
    let error = client.query("SELECT 1", &[]).await.unwrap_err();
    assert_eq!(error.code(), Some(&SqlState::IN_FAILED_SQL_TRANSACTION));
    client.batch_execute("COMMIT").await?;
    assert_eq!(stage.rows().await?, 0);
    Ok(())
}

#[tokio::test]
async fn of_statements_in_a_row_the_right_one_is_answered() -> Result {
    let stage = Stage::new().await?;
    let client = stage.connect().await?;
    let select = client.prepare("SELECT $1::int4").await?;
    let second = Message::from_client(b'B').after(1);
    stage
        .proxy
        .on(second, Reaction::Answer(ErrorResponse::new("40001")));
    let ask = async |value: i32| client.query_one(&select, &[&value]).await;
    let (one, two, three) = bounded(async { tokio::join!(ask(1), ask(2), ask(3)) }).await;
    assert_eq!(one?.get::<_, i32>(0), 1);
    let error = two.unwrap_err();
    assert_eq!(error.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE));
    assert_eq!(three?.get::<_, i32>(0), 3);
    Ok(())
}

#[tokio::test]
async fn a_session_is_over_after_a_fatal_error() -> Result {
    let stage = Stage::new().await?;
    let client = stage.connect().await?;
    let shutdown = ErrorResponse::new("57P01").fatal();
    stage
        .proxy
        .on(Message::request(), Reaction::Answer(shutdown));
    let error = bounded(client.batch_execute("INSERT INTO t VALUES (1)"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some(&SqlState::ADMIN_SHUTDOWN));
    comes_to("the session is over", async || client.is_closed()).await;
    comes_to("the server's, too", async || stage.sessions().await == 0).await;
    assert_eq!(stage.rows().await?, 0);
    Ok(())
}

#[tokio::test]
async fn new_connections_are_refused_and_the_old_ones_go_on() -> Result {
    let stage = Stage::new().await?;
    let client = stage.connect().await?;
    for _ in 0..3 {
        stage.proxy.refuse().await;
        let refused = TcpStream::connect(stage.proxy.address()).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        client.batch_execute("SELECT 1").await?;
        stage.proxy.heal().await;
        stage.connect().await?.batch_execute("SELECT 1").await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_cancel_request_passes_and_is_counted() -> Result {
    let stage = Stage::new().await?;
    let client = stage.connect().await?;
    let asked = client.batch_execute("SELECT pg_sleep(60)");
    tokio::pin!(asked);
    hangs(&mut asked).await;
    client.cancel_token().cancel_query(NoTls).await?;
    let error = bounded(asked).await.unwrap_err();
    assert_eq!(error.code(), Some(&SqlState::QUERY_CANCELED));
    let counts = stage.proxy.counts();
    assert_eq!((counts.cancel_requests, counts.connections), (1, 2));
    Ok(())
}

#[tokio::test]
async fn a_client_may_ask_for_encryption_first() -> Result {
    let stage = Stage::new().await?;
    let mut stream = TcpStream::connect(stage.proxy.address()).await?;
    stream.write_u32(8).await?;
    stream.write_u32(80_877_103).await?;
    // The server has no certificate.
    assert_eq!(bounded(stream.read_u8()).await?, b'N');
    let startup = b"\0\x03\0\0user\0postgres\0database\0postgres\0\0";
    stream.write_u32(u32::try_from(startup.len())? + 4).await?;
    stream.write_all(startup).await?;
    // AuthenticationOk
    assert_eq!(bounded(stream.read_u8()).await?, b'R');
    Ok(())
}

#[tokio::test]
async fn a_server_that_comes_back_is_behind_the_same_proxy() -> Result {
    let stage = Stage::new().await?;
    let client = stage.connect().await?;
    stage.cluster.coordinator().stop_hard().await?;
    bounded(client.batch_execute("SELECT 1")).await.unwrap_err();
    bounded(connect_to(&stage.proxy)).await.unwrap_err();
    stage.cluster.coordinator().start().await?;
    stage.connect().await?.batch_execute("SELECT 1").await?;
    Ok(())
}

#[tokio::test]
async fn a_proxy_that_is_dropped_leaves_nothing() -> Result {
    let stage = Stage::new().await?;
    let client = stage.connect().await?;
    let address = stage.proxy.address();
    let (proxy, beside) = (stage.proxy, stage.beside);
    drop(proxy);
    bounded(client.batch_execute("SELECT 1")).await.unwrap_err();
    comes_to("nothing listens", async || {
        TcpStream::connect(address).await.is_err()
    })
    .await;
    drop(beside);
    Ok(())
}
