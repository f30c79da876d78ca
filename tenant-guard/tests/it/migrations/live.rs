//! The same migrations run on a real server have to make what was read from them.
//!
//! On plain PostgreSQL, Citus' functions do not exist: the cases of `citus.md` are left, and every
//! table is local.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use citus_testkit::TestCluster;
use citus_testkit::tokio_postgres::{Client, Column, SimpleQueryMessage, SimpleQueryRow};
use tenant_guard::{Ident, Table, TableKind, Tenancy, TenantType, View, split_statements};

use super::{cases, files, pages};

#[tokio::test]
async fn a_server_makes_of_them_what_was_read() {
    let cluster = TestCluster::shared().await.unwrap();
    let mut differences = String::new();
    let mut count = 0;
    for path in pages() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name == "citus.md" && !cluster.is_citus() {
            continue;
        }
        let page = std::fs::read_to_string(&path).unwrap();
        for case in cases(&page) {
            if LEFT_OUT.iter().any(|part| case.contains(part)) {
                continue;
            }
            let Ok(tenancy) = Tenancy::from_sources(files(case)) else {
                continue;
            };
            count += 1;
            let database = cluster.create_database().await.unwrap();
            let client = database.connect().await.unwrap();
            run(&client, case).await;
            // What a connection that was pinned to the tenancy's path sees.
            let read = description(&tenancy, cluster.is_citus());
            let made = catalog(&client, cluster.is_citus()).await;
            for view in tenancy.views() {
                check_view(&client, &tenancy, view).await;
            }
            if read != made {
                writeln!(
                    differences,
                    "{name}:\n{case}\n  read: {read:#?}\n  made: {made:#?}"
                )
                .unwrap();
            }
        }
    }
    assert!(count > 20, "only {count} cases were run");
    assert!(differences.is_empty(), "{differences}");
}

/// What a server would run and the reader leaves out, or whose columns only a server knows.
const LEFT_OUT: [&str; 3] = [
    "-- tenant-guard: ignore",
    "-- +goose Down",
    " AS SELECT 1 AS x",
];

/// A table: its kind, its columns, and its keys, each the name and the columns.
type Description = (String, Vec<String>, BTreeSet<String>);

fn description(tenancy: &Tenancy, is_citus: bool) -> BTreeMap<String, Description> {
    let mut groups = Groups::default();
    let known = |table: &&Table| !matches!(table.kind(), TableKind::Opaque { .. });
    let tables = tenancy.tables().filter(known).map(|table| {
        let kind = match table.kind() {
            TableKind::Distributed(distribution) if is_citus => format!(
                "by {} {}, group {}",
                distribution.column,
                distribution.tenant_type,
                groups.number(distribution.colocation.as_str())
            ),
            TableKind::Reference if is_citus => "reference".to_owned(),
            _ => "local".to_owned(),
        };
        let columns = table
            .column_list()
            .iter()
            .map(|column| column.name.to_string());
        (
            table.name().to_string(),
            (kind, columns.collect(), keys(table)),
        )
    });
    tables.collect()
}

/// The query that was read gives the columns that the view has.
async fn check_view(client: &Client, tenancy: &Tenancy, view: &View) {
    let path: Vec<_> = tenancy.search_path().iter().map(Ident::quoted).collect();
    let set = format!("SET search_path = {}", path.join(", "));
    client.batch_execute(&set).await.unwrap();
    let query = client.prepare(view.definition()).await.unwrap();
    let named = view.column_list().iter().map(Ident::as_str);
    let rest = query.columns().iter().skip(view.column_list().len());
    let read: Vec<&str> = named.chain(rest.map(Column::name)).collect();

    let name = view.name();
    let name = format!("{}.{}", name.schema.quoted(), name.name.quoted());
    let made = client
        .prepare(&format!("SELECT * FROM {name}"))
        .await
        .unwrap();
    let made: Vec<&str> = made.columns().iter().map(Column::name).collect();
    assert_eq!(read, made, "{name}");
}

fn keys(table: &Table) -> BTreeSet<String> {
    let keys = table.unique_keys().iter().map(|key| {
        let name = key
            .name
            .as_ref()
            .map_or_else(|| "?".to_owned(), ToString::to_string);
        let mut columns: Vec<&str> = key.columns.iter().map(Ident::as_str).collect();
        columns.sort_unstable();
        format!("{name} ({})", columns.join(", "))
    });
    keys.collect()
}

/// Numbers names in the order in which they come up, so that only equality counts.
#[derive(Default)]
struct Groups(Vec<String>);

impl Groups {
    fn number(&mut self, name: &str) -> usize {
        if let Some(number) = self.0.iter().position(|known| known == name) {
            return number;
        }
        self.0.push(name.to_owned());
        self.0.len() - 1
    }
}

/// Runs the statements. Those that this server does not know (a role, an extension) may fail: what
/// matters is what is there in the end.
async fn run(client: &Client, case: &str) {
    for (_, text) in files(case) {
        client.batch_execute("RESET ALL").await.unwrap();
        for bytes in split_statements(text).unwrap() {
            let statement = &text[bytes];
            if statement.starts_with('\\') || statement.ends_with("FROM stdin") {
                continue;
            }
            if let Err(error) = client.batch_execute(statement).await {
                println!("{statement}\n  {error:?}");
            }
        }
        let _ = client.batch_execute("COMMIT").await;
    }
}

async fn rows(client: &Client, sql: &str) -> Vec<SimpleQueryRow> {
    let messages = client.simple_query(sql).await.unwrap();
    messages
        .into_iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        })
        .collect()
}

/// One row a table: name, columns, and its keys as `name (columns)`. Of a partition's keys those
/// that come from its table have no name here, as they have none in a tenancy.
const TABLES: &str = "
    SELECT n.nspname || '.' || c.relname,
           (SELECT string_agg(a.attname, ',' ORDER BY a.attnum) FROM pg_attribute a
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
           (SELECT string_agg(CASE WHEN EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = i.indexrelid)
                                   THEN '?' ELSE x.relname END
                              || ' (' || coalesce(k.columns, '') || ')', ';')
            FROM pg_index i
            JOIN pg_class x ON x.oid = i.indexrelid
            LEFT JOIN pg_constraint e ON e.conindid = i.indexrelid AND e.contype = 'x'
            CROSS JOIN LATERAL (
                SELECT string_agg(a.attname, ', ' ORDER BY a.attname) AS columns
                FROM generate_series(1, i.indnkeyatts) AS place
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[place - 1]
                LEFT JOIN pg_operator o ON o.oid = e.conexclop[place]
                WHERE o.oprname = '=' OR o.oid IS NULL) AS k
            WHERE i.indrelid = c.oid AND (i.indisunique OR e.oid IS NOT NULL)),
           c.oid
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^(pg_|citus|columnar|information_schema)'
      AND c.relname !~ '_1[0-9]{5}$'
    ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\"";

async fn catalog(client: &Client, is_citus: bool) -> BTreeMap<String, Description> {
    let mut made = BTreeMap::new();
    let mut groups = Groups::default();
    for row in rows(client, TABLES).await {
        let name = row.get(0).unwrap().to_owned();
        let columns = row
            .get(1)
            .unwrap_or_default()
            .split(',')
            .filter(|name| !name.is_empty());
        let keys = row
            .get(2)
            .unwrap_or_default()
            .split(';')
            .filter(|key| !key.is_empty());
        let kind = if is_citus {
            kind(client, row.get(3).unwrap(), &mut groups).await
        } else {
            "local".to_owned()
        };
        let columns = columns.map(str::to_owned).collect();
        made.insert(name, (kind, columns, keys.map(str::to_owned).collect()));
    }
    made
}

async fn kind(client: &Client, table: &str, groups: &mut Groups) -> String {
    let sql = format!(
        "SELECT p.partmethod, p.repmodel, p.colocationid, a.attname, format_type(a.atttypid, NULL)
         FROM pg_dist_partition p
         LEFT JOIN pg_attribute a ON a.attrelid = p.logicalrelid
              AND a.attname = column_to_column_name(p.logicalrelid, p.partkey)
         WHERE p.logicalrelid = {table}"
    );
    let found = rows(client, &sql).await;
    let Some(row) = found.first() else {
        return "local".to_owned();
    };
    match (row.get(0).unwrap(), row.get(1).unwrap()) {
        ("h", _) => format!(
            "by {} {}, group {}",
            row.get(3).unwrap(),
            TenantType::from_sql(row.get(4).unwrap()),
            groups.number(row.get(2).unwrap())
        ),
        ("n", "t") => "reference".to_owned(),
        _ => "local".to_owned(),
    }
}
