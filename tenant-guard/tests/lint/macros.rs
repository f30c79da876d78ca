//! Code in the arguments of macros.

async fn macros(client: &Client) {
    assert!(client.query("SELECT id FROM nope", &[]).await.is_err()); //~ TG006
    println!("{:?}", client.query("SELECT id FROM nope", &[]).await); //~ TG006
    let rows = vec![client.query("SELECT id FROM nope", &[]).await]; //~ TG006
    tokio::select! {
        rows = client.query("SELECT id FROM nope", &[]) => use_them(rows), //~ TG006
        _ = sqlx::query("SELECT id FROM nope").execute(&pool) => {} //~ TG006
        _ = sqlx::query!("SELECT id FROM nope").execute(&pool) => {} //~ TG006
        rows = cluster.unscoped("report").query("SELECT id FROM nope", &[]) => {}
        _ = timeout => {
            client.execute("DELETE FROM nope", &[]).await; //~ TG006
        }
    }
    try_join!(client.query("SELECT id FROM nope", &[]), client.query("SELECT id FROM tasks", &[])); //~ TG006
    block! {
        let sql = "SELECT id FROM nope"; //~ TG006
        client.query(sql, &[]);
    }
    assert_eq!(1, 2, "SELECT id FROM nope");
}

macro_rules! run {
    ($client:ident, $table:literal) => {
        $client.query(concat!("SELECT id FROM ", $table), &[]) //~ unchecked
    };
}
