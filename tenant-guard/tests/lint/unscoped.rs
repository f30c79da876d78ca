//! The other door: listed, and what goes through it is not checked.

async fn unscoped(cluster: &Cluster, admin: &Unscoped, reason: String) {
    cluster
        .unscoped("nightly report") //~ unscoped
        .query("SELECT id FROM nope", &[])
        .await?;
    let all = cluster.unscoped("nightly report"); //~ unscoped
    all.execute("DELETE FROM nope", &[]).await?;
    let transaction = all.begin().await?;
    transaction.batch_execute("TRUNCATE tasks").await?;
    admin.query(&format!("SELECT {x}"), &[]).await?;
    cluster.unscoped(reason).query("SELECT id FROM nope", &[]).await?; //~ unscoped
    cluster.unscoped("").query("SELECT id FROM nope", &[]).await?; //~ unscoped-without-reason
    if let Ok(tx) = cluster.unscoped("repair").begin().await { //~ unscoped
        tx.execute("DELETE FROM nope", &[]).await?;
    }
    // Another variable of the same name.
    tx.execute("DELETE FROM nope", &[]).await?; //~ TG006
    // tenant-guard: allow(unscoped) reason: reviewed in June
    cluster.unscoped("repair").query("SELECT id FROM nope", &[]).await?;
    let all = cluster.tenant(7);
    all.query("SELECT id FROM nope", &[]).await?; //~ TG006
}
