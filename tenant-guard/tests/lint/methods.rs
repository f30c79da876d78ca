//! The methods of tokio-postgres, deadpool-postgres and citus-client.

async fn methods(client: &Client, mut tx: Transaction<'_>) -> Result<(), Error> {
    client.query("SELECT id FROM nope", &[]).await?; //~ TG006
    client.query_one("SELECT id FROM nope", &[]).await?; //~ TG006
    client.query_opt("SELECT id FROM nope", &[]).await?; //~ TG006
    client.query_raw("SELECT id FROM nope", params).await?; //~ TG006
    client.query_typed("SELECT id FROM nope", &[]).await?; //~ TG006
    client.query_typed_raw("SELECT id FROM nope", &[]).await?; //~ TG006
    client.execute("DELETE FROM nope", &[]).await?; //~ TG006
    client.execute_raw("DELETE FROM nope", params).await?; //~ TG006
    client.prepare("SELECT id FROM nope").await?; //~ TG006
    client.prepare_cached("SELECT id FROM nope").await?; //~ TG006
    client.prepare_typed("SELECT id FROM nope", &[Type::INT8]).await?; //~ TG006
    client.prepare_typed_cached("SELECT id FROM nope", &[]).await?; //~ TG006
    client.copy_in("COPY tasks FROM STDIN").await?; //~ TG003
    client.copy_out("COPY tasks TO STDOUT").await?; //~ TG003
    tx.savepoint("SELECT id FROM nope").await?;

    // Several statements in one text.
    client
        .batch_execute(
            "UPDATE tasks SET done = true;
             UPDATE nope SET done = true; --~ TG006
             DELETE FROM tasks;
             TRUNCATE tasks", //~ TG003
        )
        .await?;
    client.simple_query("SELECT 1; SELECT id FROM nope").await?; //~ TG006
    client.batch_execute("SELECT 'never closed").await?; //~ TG001
    client.query("SELECT 1; SELECT 2", &[]).await?; //~ TG002

    // A chain, a call as a function, a call in an argument, in a closure, in an async block.
    pool.get()
        .await?
        .query("SELECT id FROM nope", &[]) //~ TG006
        .await?
        .iter()
        .map(|row| row.get(0))
        .collect();
    Client::query(&client, "SELECT id FROM nope", &[]).await?; //~ TG006
    print(client.query("SELECT id FROM nope", &[]).await?); //~ TG006
    let later = |client: &Client| client.query("SELECT id FROM nope", &[]); //~ TG006
    spawn(async move { client.query("SELECT id FROM nope", &[]).await }); //~ TG006
    cluster.guard("SELECT id FROM nope")?; //~ TG006

    // Fine.
    client.query("SELECT id, slug(title) FROM tasks", &[]).await?;
    client.execute("UPDATE tasks SET done = true", &[]).await?;
    client.batch_execute("").await?; //~ unchecked
    Ok(())
}

/// Methods of the same name that take no SQL: documentation is not read as a comment or as code.
///
/// ```
/// client.query("SELECT id FROM nope", &[]);
/// // tenant-guard: allow(TG006) reason: this is documentation
/// ```
async fn others(client: reqwest::Client, url: &Url) {
    client.get(url).query(&[("q", "SELECT id FROM nope")]).send().await;
    url.query();
    graph.query("{ users }", variables); //~ unchecked
    engine.query("users");
    tool.execute(&arguments);
    window.execute("ls");
    map.query(a, b, c);
}
