// tenant-guard: allow-file(TG006) reason: statements of the framework's own tables
// tenant-guard: allow-file(TG003) reason: of no use //~ allow-unused

fn queries(client: &Client) {
    client.query("SELECT id FROM nope", &[]);
    client.query("SELECT id FROM nope WHERE id = 7", &[]);
    client.query("SELECT slug2(id) FROM tasks", &[]); //~ TG009
}
// tenant-guard: allow(TG006) reason: nothing follows //~ allow-unused
