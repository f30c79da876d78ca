//! `tenant-guard doctor` as it is run.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

use super::plain;

const SCHEMA: &str = "
    CREATE TABLE tasks (tenant_id bigint NOT NULL, id bigint, title text, PRIMARY KEY (tenant_id, id));
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
    CREATE TRIGGER touch BEFORE UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION touch();
    SELECT create_distributed_table('tasks', 'tenant_id');
";

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tenant-guard"))
        .arg("doctor")
        .args(arguments)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_tell_what_was_found() {
    let test = plain().await.create_database().await.unwrap();
    test.migrate(SCHEMA).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (schema, exceptions, answers) = (path("1.sql"), path("allowed"), path("answers"));
    fs::write(&schema, SCHEMA).unwrap();
    let url = test.url();
    let server = ["--schema", &schema, "--database", &url];
    let ask = |more: &[&str]| run(&[&server, more].concat());

    let output = ask(&[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = text(&output.stdout);
    assert!(
        said.starts_with("warning TD010: public.tasks.touch: it runs public.touch\n  so:   "),
        "{said}"
    );
    assert!(
        said.ends_with("0 errors, 1 warnings, 0 notes, 0 allowed\n"),
        "{said}"
    );

    assert_eq!(ask(&["--deny", "warnings"]).status.code(), Some(1));
    let allow = "TD010:public.tasks.touch=gives back what it is given";
    let output = ask(&["--deny", "warnings", "--allow", allow]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    fs::write(
        &exceptions,
        "TD010:public.tasks.touch  gives back what it is given",
    )
    .unwrap();
    let output = ask(&["--deny", "warnings", "--json", "--exceptions", &exceptions]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["findings"], Value::Array(Vec::new()));
    assert_eq!(report["allowed"][0]["code"], "TD010");
    assert_eq!(report["allowed"][0]["severity"], "warning");
    assert_eq!(
        report["allowed"][0]["reason"],
        "gives back what it is given"
    );

    let client = test.connect().await.unwrap();
    client
        .batch_execute("CREATE UNIQUE INDEX titles ON tasks (title)")
        .await
        .unwrap();
    let output = ask(&["--json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["findings"][0]["object"], "public.tasks.titles");

    // The same from what another client was answered.
    let catalog = super::ask(&client, tenant_guard::doctor::CATALOG_QUERY).await;
    fs::write(&answers, catalog.unwrap()).unwrap();
    let again = run(&["--json", "--schema", &schema, "--answers", &answers]);
    assert_eq!(text(&again.stdout), text(&output.stdout));
    let queries = run(&["--queries"]);
    assert!(text(&queries.stdout).contains(tenant_guard::doctor::CITUS_QUERY));
}

#[tokio::test]
async fn what_cannot_be_done_ends_with_2_and_shows_no_password() {
    let test = plain().await.create_database().await.unwrap();
    let url = test.url();
    for (arguments, message) in [
        (&[][..], "give --schema, --database or --answers"),
        (&["--database", &url], "no table is distributed"),
        (
            &["--database", "postgresql://me:hush@127.0.0.1:1/app"],
            "cannot connect",
        ),
        (
            &["--database", "postgresql://me:hush@/%zz?x=y"],
            "no connection string",
        ),
        (
            &["--database", &url, "--allow", "TD010"],
            "the reason is missing",
        ),
        (
            &["--database", &url, "--allow", "TD999=x"],
            "there is no code TD999",
        ),
        (&["--answers", "/nothing"], "cannot read /nothing"),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = text(&output.stderr);
        assert!(said.contains(message), "{arguments:?}: {said}");
        assert!(!said.contains("hush"), "{said}");
    }
}
