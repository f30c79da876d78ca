//! Schemas: tenant tables and reference tables, in the model's terms, in SQL, and as a `Tenancy`.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use tenant_guard::{Ident, Table as GuardedTable, Tenancy, TenantType};

use super::tape::Tape;

/// All tables of a world. What is in them follows from it, see `data`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Schema {
    /// The SQL schema in which the tables are.
    pub(crate) name: String,
    pub(crate) tenant_column: String,
    pub(crate) tenant_kind: Kind,
    pub(crate) tables: Vec<Table>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) name: String,
    /// A reference table otherwise.
    pub(crate) of_tenants: bool,
    pub(crate) columns: Vec<Column>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) role: Role,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Role {
    Tenant,
    /// A part of the primary key, beside the tenant.
    Key,
    Plain,
    NotNull,
    /// With a default value.
    Default,
    /// A foreign key, together with the tenant column, to the table of this index.
    Parent(usize),
    Generated(String),
}

/// The type of a column or value, as far as the generator tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Int,
    Bigint,
    Text,
    /// Text of digits, but for the tenant that spoils casts.
    Digits,
    Bool,
    Numeric,
    Jsonb,
    Time,
    Array,
    Uuid,
}

impl Kind {
    pub(crate) fn sql(self) -> &'static str {
        match self {
            Self::Int => "integer",
            Self::Bigint => "bigint",
            Self::Text | Self::Digits => "text",
            Self::Bool => "boolean",
            Self::Numeric => "numeric(10,2)",
            Self::Jsonb => "jsonb",
            Self::Time => "timestamptz",
            Self::Array => "bigint[]",
            Self::Uuid => "uuid",
        }
    }
}

/// A name as SQL needs it: quoted only where it has to be.
pub(crate) fn quoted(name: &str) -> String {
    const RESERVED: &[&str] = &["order", "user", "select", "group", "table"];
    let plain = name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit());
    if plain && !RESERVED.contains(&name) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

const TABLES: &[&str] = &[
    "tasks",
    "projects",
    "order",
    "users",
    "Mixed Case",
    "täglich",
    "user",
    "pg_notes",
];

/// Columns of one name have one type, so that `NATURAL JOIN` and `USING` work.
const COLUMNS: &[(&str, Kind)] = &[
    ("title", Kind::Text),
    ("points", Kind::Int),
    ("digits", Kind::Digits),
    ("done", Kind::Bool),
    ("total", Kind::Bigint),
    ("price", Kind::Numeric),
    ("data", Kind::Jsonb),
    ("at", Kind::Time),
    ("tags", Kind::Array),
    ("Name", Kind::Text),
    ("select", Kind::Int),
    ("tasks", Kind::Int),
    ("public", Kind::Text),
];

impl Schema {
    pub(crate) fn generate(tape: &mut Tape<'_>) -> Self {
        let tenant_kind = [Kind::Bigint, Kind::Uuid, Kind::Text][tape.choose(3)];
        let tenant_column = tape
            .pick(&["tenant_id", "org_id", "Tenant", "tenant id"])
            .to_owned();
        let name = tape.pick(&["public", "public", "app", "My App"]).to_owned();
        let first = tape.choose(3);
        let count = 2 + tape.choose(5);
        let mut tables: Vec<Table> = Vec::new();
        for index in 0..count {
            let table = TABLES[(first + index) % TABLES.len()];
            let columns = columns(tape, &tenant_column, tenant_kind, &tables);
            tables.push(Table {
                name: table.to_owned(),
                of_tenants: true,
                columns,
            });
        }
        tables.push(reference("countries"));
        if tape.one_in(2) {
            tables.push(reference("Units"));
        }
        Self {
            name,
            tenant_column,
            tenant_kind,
            tables,
        }
    }

    pub(crate) fn tenant_tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.iter().filter(|table| table.of_tenants)
    }

    /// The table's name with its schema.
    pub(crate) fn qualified(&self, table: &Table) -> String {
        format!("{}.{}", quoted(&self.name), quoted(&table.name))
    }

    /// What the guard is told of it.
    pub(crate) fn tenancy(&self) -> Tenancy {
        let tables = self.tables.iter().map(|table| {
            let guarded = if table.of_tenants {
                let kind = TenantType::from_sql(self.tenant_kind.sql());
                GuardedTable::distributed(&table.name, &self.tenant_column, kind)
            } else {
                GuardedTable::reference(&table.name)
            };
            let names = |columns: &mut dyn Iterator<Item = &Column>| -> Vec<Ident> {
                columns.map(|column| column.name.as_str().into()).collect()
            };
            guarded
                .schema(&self.name)
                .columns(names(&mut table.columns.iter()))
                .named_unique_key(
                    &format!("{}_key", table.name),
                    names(&mut table.primary_key()),
                )
        });
        Tenancy::builder()
            .tables(tables)
            .search_path([self.name.as_str()])
            .build()
            .expect("a sound schema")
    }

    /// The statements that make the tables. New rows belong to the tenant of this literal, if one
    /// is given.
    pub(crate) fn ddl(&self, tenant: Option<&str>) -> Vec<String> {
        self.tables
            .iter()
            .map(|table| self.create_table(table, tenant))
            .collect()
    }

    fn create_table(&self, table: &Table, tenant: Option<&str>) -> String {
        let mut ddl = format!("CREATE TABLE {} (", self.qualified(table));
        let tenant_column = quoted(&self.tenant_column);
        for column in &table.columns {
            let rest = match &column.role {
                Role::Tenant => tenant.map_or(String::new(), |tenant| format!("DEFAULT {tenant}")),
                Role::Key | Role::Plain => String::new(),
                Role::NotNull => "NOT NULL".to_owned(),
                Role::Default => format!("DEFAULT {}", literal_default(column.kind)),
                Role::Parent(parent) => {
                    let parent = &self.tables[*parent];
                    let key = parent
                        .keys()
                        .next()
                        .map_or(String::new(), |key| quoted(&key.name));
                    write!(
                        ddl,
                        "FOREIGN KEY ({tenant_column}, {}) REFERENCES {} ({tenant_column}, {key}) ON DELETE CASCADE, ",
                        quoted(&column.name),
                        self.qualified(parent),
                    )
                    .expect("a string");
                    String::new()
                }
                Role::Generated(of) => format!("GENERATED ALWAYS AS ({of}) STORED"),
            };
            write!(
                ddl,
                "{} {} {rest}, ",
                quoted(&column.name),
                column.kind.sql()
            )
            .expect("a string");
        }
        let key: Vec<String> = table
            .primary_key()
            .map(|column| quoted(&column.name))
            .collect();
        let constraint = quoted(&format!("{}_key", table.name));
        write!(
            ddl,
            "CONSTRAINT {constraint} PRIMARY KEY ({}))",
            key.join(", ")
        )
        .expect("a string");
        ddl
    }

    /// The statements that spread the tables over a Citus cluster.
    pub(crate) fn distribution(&self) -> Vec<String> {
        let literal = |table: &Table| self.qualified(table).replace('\'', "''");
        let mut first = None;
        let statements = self.tables.iter().map(|table| {
            let name = literal(table);
            if !table.of_tenants {
                return format!("SELECT create_reference_table('{name}')");
            }
            let with = first.get_or_insert_with(|| name.clone());
            let colocation = if *with == name { "none" } else { with.as_str() };
            format!(
                "SELECT create_distributed_table('{name}', '{}', colocate_with => '{colocation}')",
                self.tenant_column
            )
        });
        statements.collect()
    }
}

impl Table {
    /// The key's columns beside the tenant.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Column> {
        self.columns
            .iter()
            .filter(|column| column.role == Role::Key)
    }

    fn primary_key(&self) -> impl Iterator<Item = &Column> {
        let is_key = |column: &&Column| matches!(column.role, Role::Key | Role::Tenant);
        self.columns.iter().filter(is_key)
    }
}

fn columns(tape: &mut Tape<'_>, tenant: &str, kind: Kind, before: &[Table]) -> Vec<Column> {
    let column = |name: &str, kind, role| Column {
        name: name.to_owned(),
        kind,
        role,
    };
    let mut columns = vec![column("id", Kind::Bigint, Role::Key)];
    if tape.one_in(4) {
        columns.push(column("lang", Kind::Digits, Role::Key));
    }
    let tenant = column(tenant, kind, Role::Tenant);
    columns.insert(usize::from(tape.one_in(3)), tenant);
    let parents: Vec<usize> = (0..before.len())
        .filter(|index| before[*index].keys().count() == 1)
        .collect();
    if !parents.is_empty() && tape.one_in(2) {
        let parent = parents[tape.choose(parents.len())];
        columns.push(column("parent_id", Kind::Bigint, Role::Parent(parent)));
    }
    let first = tape.choose(COLUMNS.len());
    for index in 0..3 + tape.choose(7) {
        let (name, kind) = COLUMNS[(first + index * 2) % COLUMNS.len()];
        if columns.iter().any(|column| column.name == name) {
            continue;
        }
        let role = match tape.choose(6) {
            4 if kind != Kind::Jsonb => Role::Default,
            5 => Role::NotNull,
            _ => Role::Plain,
        };
        columns.push(column(name, kind, role));
    }
    if tape.one_in(3) {
        columns.push(column(
            "twice",
            Kind::Bigint,
            Role::Generated("id * 2".to_owned()),
        ));
    }
    columns
}

fn reference(name: &str) -> Table {
    let column = |name: &str, kind, role| Column {
        name: name.to_owned(),
        kind,
        role,
    };
    let columns = vec![
        column("code", Kind::Digits, Role::Key),
        column("label", Kind::Text, Role::Plain),
        column("rank", Kind::Int, Role::NotNull),
    ];
    Table {
        name: name.to_owned(),
        of_tenants: false,
        columns,
    }
}

fn literal_default(kind: Kind) -> &'static str {
    match kind {
        Kind::Int | Kind::Bigint => "3",
        Kind::Text => "'new'",
        Kind::Digits => "'9'",
        Kind::Bool => "true",
        Kind::Numeric => "1.50",
        Kind::Jsonb => "'{}'",
        Kind::Time => "'2024-05-05 00:00Z'",
        Kind::Array => "'{1,2}'",
        Kind::Uuid => "NULL",
    }
}
