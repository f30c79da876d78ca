//! The command `citus-client`.

use std::process::{Command, Output};

use serde_json::Value;

use crate::support::{config, connect, database};

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_citus-client"));
    command
        .args(arguments)
        .env_remove("DATABASE_URL")
        .output()
        .unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn hash_prints_the_number() {
    let output = run(&["hash", "--type", "bigint", "--", "-1"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "385747274\n");
    assert_eq!(output.status.code(), Some(0));
    let output = run(&["hash", "--json", "--type", "text", "tenant-97"]);
    assert_eq!(json(&output)["hash"], 1_062_294_513);
}

#[test]
fn what_has_no_hash_is_a_no() {
    for (sql_type, value) in [("numeric", "1"), ("bigint", "one"), ("smallint", "40000")] {
        let output = run(&["hash", "--type", sql_type, value]);
        assert_eq!(output.status.code(), Some(1), "{sql_type} {value}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
}

#[test]
fn wrong_usage_and_no_cluster_are_told_apart() {
    assert_eq!(run(&["hash", "1"]).status.code(), Some(2));
    let output = run(&["ping", "--url", "postgresql://me:hush@127.0.0.1:1/app"]);
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.starts_with("citus-client: no connection to 127.0.0.1:1"),
        "{said}"
    );
    assert!(!said.contains("hush"));
}

#[tokio::test]
async fn a_cluster_is_shown_as_the_driver_sees_it() {
    let database = database().await;
    let cluster = connect(config(&database)).await;
    let schema = std::env::temp_dir().join(format!("{}.sql", database.name()));
    std::fs::write(&schema, crate::support::SCHEMA).unwrap();
    let (url, nodes) = (database.url(), database.node_urls().join(","));
    let schema = schema.to_str().unwrap();
    let mut server = vec!["--url", &url];
    if !database.is_citus() {
        server.extend(["--schema", schema, "--nodes", &nodes]);
    }
    let ask = |arguments: &[&str]| run(&[arguments, &server].concat());

    let output = ask(&["topology", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let topology = json(&output);
    assert_eq!(
        topology["nodes"].as_array().unwrap().len(),
        database.nodes().count()
    );
    assert_eq!(
        topology["tables"].as_array().unwrap().len(),
        2,
        "{topology}"
    );

    let output = ask(&["route", "--json", "--table", "tasks", "--tenant", "-42"]);
    let explained = cluster.route("tasks", -42).unwrap();
    assert_eq!(json(&output)["node"]["port"], explained.node.port);
    assert_eq!(json(&output)["hash"], explained.hash.unwrap());
    assert_eq!(json(&output)["reason"], "owner");
    let output = ask(&["route", "--table", "nothing", "--tenant", "1"]);
    assert_eq!(output.status.code(), Some(1));

    let output = ask(&["ping"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let lines = String::from_utf8_lossy(&output.stdout).lines().count();
    assert_eq!(lines, database.nodes().count());
    std::fs::remove_file(schema).unwrap();
}
