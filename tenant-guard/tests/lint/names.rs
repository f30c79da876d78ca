//! Texts that have a name.

const NOPE: &str = "SELECT id FROM nope"; //~ TG006
static STATIC: &'static str = "SELECT id FROM nope"; //~ TG006
const ALIAS: &str = FINE;
const FINE: &str = "SELECT id FROM tasks";
const TWICE: &str = "SELECT id FROM tasks";
const UNUSED: &str = "SELECT id FROM nope";

mod queries {
    pub const INNER: &str = "SELECT id FROM nope"; //~ TG006
    pub const TWICE: &str = "SELECT id FROM nope"; //~ TG006
}

struct Queries;

impl Queries {
    const OWN: &'static str = "SELECT id FROM nope"; //~ TG006

    fn all(&self, client: &Client) {
        client.query(Self::OWN, &[]);
        client.query(Queries::OWN, &[]);
        client.query(self.text, &[]); //~ unchecked
    }
}

fn constants(client: &Client) {
    client.query(NOPE, &[]);
    client.query(NOPE, &[]);
    client.query(STATIC, &[]);
    client.query(FINE, &[]);
    client.query(ALIAS, &[]);
    client.query(queries::INNER, &[]);
    client.query(queries::TWICE, &[]);
    client.query(TWICE, &[]);
    client.query(elsewhere::FINE, &[]); //~ unchecked
    client.query(ELSEWHERE, &[]); //~ unchecked
}

fn variables(client: &Client, parameter: &str) {
    client.query(parameter, &[]); //~ unchecked
    let sql = "SELECT id FROM tasks";
    client.query(sql, &[]);
    {
        let sql = "SELECT id FROM nope"; //~ TG006
        client.query(sql, &[]);
    }
    client.query(sql, &[]);
    let again = sql;
    client.query(&again.to_string(), &[]);
    let sql = read_from_a_file();
    client.query(sql, &[]); //~ unchecked
    let mut built = String::from("SELECT id FROM tasks");
    built.push_str(parameter);
    client.query(&built, &[]); //~ unchecked
    let later;
    later = "SELECT id FROM tasks";
    client.query(later, &[]); //~ unchecked
    let typed: &str = "SELECT id FROM nope"; //~ TG006
    client.query(typed, &[]);
    let (a, b) = ("SELECT id FROM tasks", "SELECT id FROM nope");
    client.query(a, &[]); //~ unchecked
    const LOCAL: &str = "SELECT id FROM nope"; //~ TG006
    client.query(LOCAL, &[]);
    if let Some(sql) = other {
        client.query(sql, &[]); //~ unchecked
    }
    run(|sql| client.query(sql, &[])); //~ unchecked
    for sql in ["SELECT id FROM tasks", "SELECT id FROM nope"] { //~ TG006
        client.query(sql, &[]);
    }
    for sql in statements() {
        client.query(sql, &[]); //~ unchecked
    }
    let after = "SELECT id FROM tasks";
    if let Some(after) = other {}
    client.query(after, &[]);
}

fn local_constants_shadow(client: &Client) {
    const FINE: &str = "SELECT id FROM nope"; //~ TG006
    client.query(FINE, &[]);
}

fn choices(client: &Client, done: bool) {
    let sql = if done {
        "SELECT id FROM nope" //~ TG006
    } else {
        "SELECT id FROM tasks"
    };
    client.query(sql, &[]);
    client.query(
        match done {
            true => "SELECT id FROM tasks WHERE done",
            false => "SELECT id FROM nope", //~ TG006
        },
        &[],
    );
    let sql = if done { "SELECT id FROM tasks" } else { computed() };
    client.query(sql, &[]); //~ unchecked
}

async fn prepared(client: &Client, statement: &Statement, guarded: GuardedSql) {
    let insert = client.prepare("INSERT INTO tasks (id) VALUES ($1)").await?;
    client.execute(&insert, &[]).await?;
    client.execute(statement, &[]).await?;
    client.execute(&guarded, &[]).await?;
    let bad = client.prepare("SELECT id FROM nope").await.unwrap(); //~ TG006
    client.query(&bad, &[]).await?;
    let unknown = client.prepare(text()).await?; //~ unchecked
    client.query(&unknown, &[]).await?;
}
