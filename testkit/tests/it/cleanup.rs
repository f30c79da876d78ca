//! Nothing stays behind, however a process ends.

use std::io::{BufRead as _, BufReader, Write as _};
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::process::Child;

use citus_testkit::TestCluster;

use crate::support::{Result, Trace, eventually, this_binary};

/// Set for the process that is to hold a cluster until it is killed, or to end with one.
const ROLE: &str = "CITUS_TESTKIT_TEST_ROLE";

#[test]
fn a_panic_takes_the_cluster_along() -> Result {
    let runtime = tokio::runtime::Runtime::new()?;
    let traces = std::sync::Mutex::new(Vec::new());
    let result = std::panic::catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            let cluster = TestCluster::start().await.unwrap();
            *traces.lock().unwrap() = Trace::of_all(&cluster).await.unwrap();
            panic!("as a failing test does");
        });
    }));
    assert!(result.is_err());
    let traces = traces.into_inner()?;
    assert_eq!(traces.len(), 3);
    assert!(traces.iter().all(Trace::is_gone), "{traces:?}");
    Ok(())
}

#[test]
fn a_killed_process_leaves_nothing() -> Result {
    let (mut process, traces) = holder("hold")?;
    assert!(traces.iter().all(Trace::answers));
    process.kill()?;
    process.wait()?;
    eventually("servers and directory are gone", || {
        traces.iter().all(Trace::is_gone)
    });
    Ok(())
}

#[test]
fn a_process_that_is_killed_with_a_paused_node_leaves_nothing() -> Result {
    let (mut process, traces) = holder("pause")?;
    process.kill()?;
    process.wait()?;
    eventually("servers and directory are gone", || {
        traces.iter().all(Trace::is_gone)
    });
    Ok(())
}

#[test]
fn the_shared_cluster_goes_with_the_process() -> Result {
    let (mut process, traces) = holder("end")?;
    assert!(process.wait()?.success());
    eventually("servers and directory are gone", || {
        traces.iter().all(Trace::is_gone)
    });
    Ok(())
}

/// Plays the process of the tests above; by itself, it tells that `shared` gives one cluster.
#[tokio::test]
async fn one_shared_cluster() -> Result {
    let (one, two) = tokio::try_join!(TestCluster::shared(), TestCluster::shared())?;
    assert!(std::ptr::eq(one, two));
    let Ok(role) = std::env::var(ROLE) else {
        return Ok(());
    };
    for trace in Trace::of_all(one).await? {
        println!("server {} {}", trace.port, trace.data.display());
    }
    if role == "pause" {
        let _session = one.coordinator().connect().await?;
        one.coordinator().pause().await?;
    }
    println!("ready");
    std::io::stdout().flush()?;
    if role != "end" {
        std::future::pending::<()>().await;
    }
    Ok(())
}

/// Starts a process that has a cluster, and waits until it has.
fn holder(role: &str) -> Result<(Child, Vec<Trace>)> {
    let mut process = this_binary("cleanup::one_shared_cluster", &[(ROLE, role)]).spawn()?;
    let mut traces = Vec::new();
    let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
    for line in output.by_ref() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["server", port, data] => {
                traces.push(Trace {
                    port: port.parse()?,
                    data: PathBuf::from(data),
                });
            }
            // The harness writes the test's name before, in the same line.
            _ if line.ends_with("ready") => break,
            _ => {}
        }
    }
    // To the end, or a process that ends by itself would find its output closed.
    std::thread::spawn(move || output.count());
    assert_eq!(traces.len(), 3);
    Ok((process, traces))
}
