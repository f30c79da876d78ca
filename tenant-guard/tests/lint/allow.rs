//! Comments that allow something.

// tenant-guard: allow(TG006) reason: a table of the framework
const FRAMEWORK: &str = "SELECT id FROM nope";

async fn allowed(client: &Client) {
    // tenant-guard: allow(TG006) reason: nightly report
    client.query("SELECT id FROM nope", &[]).await?;

    // tenant-guard: allow(TG006) reason: nightly report
    // The comment may go on, and others may follow.
    /* Of any kind. */
    let rows = client
        .query("SELECT id FROM nope", &[])
        .await?;

    client
        // tenant-guard: allow(TG006) reason: nightly report
        .query("SELECT id FROM nope", &[])
        .await?;

    client.query(
        // tenant-guard: allow(TG006) reason: nightly report
        "SELECT id
         FROM nope",
        &[],
    );

    // tenant-guard: allow(TG006, unchecked) reason: the one or the other
    if done { client.query("SELECT id FROM nope", &[]) } else { client.query(text(), &[]) };

    match done {
        // tenant-guard: allow(TG006) reason: nightly report
        true => client.query("SELECT id FROM nope", &[]),
        false => client.query("SELECT id FROM nope", &[]), //~ TG006
    };

    client.query(FRAMEWORK, &[]).await?;

    // tenant-guard: allow(unchecked) reason: names of columns from a closed list
    client.query(&format!("SELECT {column} FROM tasks"), &[]).await?;
}

async fn not_allowed(client: &Client) {
    // tenant-guard: allow(TG003) reason: of no use //~ allow-unused
    client.query("SELECT id FROM nope", &[]).await?; //~ TG006

    // tenant-guard: allow(TG006, TG009) reason: one of them is of no use //~ allow-unused
    client.query("SELECT id FROM nope", &[]).await?;

    // tenant-guard: allow(TG006) reason: another statement stands between //~ allow-unused
    client.query("SELECT id FROM tasks", &[]).await?;
    client.query("SELECT id FROM nope", &[]).await?; //~ TG006

    // The marker below stands for a reason, so it is a line off.
    //~v allow-without-reason
    // tenant-guard: allow(TG006)
    client.query("SELECT id FROM nope", &[]).await?; //~ TG006

    // tenant-guard: allow(TG999) reason: no such code //~ allow-malformed
    // tenant-guard: alow(TG006) reason: no such word //~ allow-malformed
    client.query("SELECT id FROM nope", &[]).await?; //~ TG006

    client.query("SELECT id FROM nope", &[]).await?; // tenant-guard: allow(TG006) reason: behind //~ allow-malformed TG006

    let text = "// tenant-guard: allow(TG006)";
    client.query("-- tenant-guard: allow(TG006) reason: within the text
        SELECT id FROM nope", &[]).await?; //~ TG006
}
