//! Statements, mostly valid and typed, over the whole grammar: a tape says which.

mod expression;
mod from;
mod insert;
mod predicate;
mod query;
mod text;
mod top_query;
mod with;
mod write;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::data::literal;
use super::schema::{Kind, Schema, Table, quoted};
use super::tape::Tape;

/// A statement as an application sends it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Statement {
    pub(crate) sql: String,
    pub(crate) params: Vec<Param>,
    /// Whether the statement says in which order its rows come.
    pub(crate) ordered: bool,
    /// Whether it was changed in ways that need not make sense: its expressions can then fail on any
    /// tenant's rows.
    #[serde(default)]
    pub(crate) tampered: bool,
    #[serde(skip)]
    pub(crate) productions: BTreeSet<&'static str>,
}

/// A parameter of the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Param {
    /// The type that is declared for it; PostgreSQL finds out otherwise.
    pub(crate) declared: Option<String>,
    /// Its value as text.
    pub(crate) value: Option<String>,
}

impl Statement {
    /// A statement without parameters.
    pub(crate) fn plain(sql: &str) -> Self {
        Self {
            sql: sql.to_owned(),
            params: Vec::new(),
            ordered: false,
            tampered: false,
            productions: BTreeSet::new(),
        }
    }

    /// The statement with its parameters written out, for where there can be none.
    pub(crate) fn with_constants(&self) -> String {
        let mut sql = self.sql.clone();
        // From the last one on, so that `$1` is not taken for a part of `$12`.
        for (index, param) in self.params.iter().enumerate().rev() {
            let value = match &param.value {
                Some(value) => literal(value),
                None => "NULL".to_owned(),
            };
            let constant = match &param.declared {
                Some(declared) => format!("{value}::{declared}"),
                None => value,
            };
            sql = sql.replace(&format!("${}", index + 1), &constant);
        }
        sql
    }

    /// The statement on a tape.
    pub(crate) fn generate(schema: &Schema, tape: &[u8]) -> Self {
        let mut generator = Generator {
            schema,
            tape: Tape::new(tape),
            budget: 0,
            aliases: 0,
            taken: BTreeSet::new(),
            params: Vec::new(),
            ctes: Vec::new(),
        };
        generator.budget = [2, 6, 12, 24][generator.tape.choose(4)];
        let (sql, ordered) = generator.statement();
        Self {
            sql,
            ordered,
            params: generator.params,
            tampered: false,
            productions: generator.tape.into_productions(),
        }
    }
}

struct Generator<'s, 't> {
    schema: &'s Schema,
    tape: Tape<'t>,
    /// How many more productions may have parts.
    budget: usize,
    aliases: usize,
    /// Names of tables that were taken as aliases.
    taken: BTreeSet<String>,
    params: Vec<Param>,
    /// The `WITH` queries that are visible.
    ctes: Vec<Item>,
}

/// Something that columns can be taken from.
#[derive(Clone)]
struct Item {
    /// As SQL writes it.
    name: String,
    columns: Vec<Col>,
    /// The tenant column, where it is a tenant table's.
    tenant: Option<String>,
}

#[derive(Clone)]
struct Col {
    /// As SQL writes it.
    name: String,
    kind: Kind,
    /// Straight from a table: what can fail on a value of it fails for one tenant only.
    raw: bool,
}

impl Generator<'_, '_> {
    fn statement(&mut self) -> (String, bool) {
        let kind = self.tape.production(&[
            "statement.select",
            "statement.one_table",
            "statement.select",
            "statement.one_table",
            "statement.select",
            "statement.select",
            "statement.with",
            "statement.insert",
            "statement.update",
            "statement.delete",
            "statement.insert",
            "statement.update",
            "statement.merge",
            "statement.recursive",
            "statement.writing_with",
            "statement.select",
        ]);
        match kind {
            "statement.one_table" => self.one_table(),
            "statement.with" => self.with(),
            "statement.recursive" => self.recursive(),
            "statement.writing_with" => (self.writing_with(), false),
            "statement.insert" => (self.insert(), false),
            "statement.update" => (self.update(), false),
            "statement.delete" => (self.delete(), false),
            "statement.merge" => (self.merge(), false),
            _ => self.top_query(2),
        }
    }

    /// Whether there is room for something with parts.
    fn room(&mut self) -> bool {
        let room = self.budget > 0;
        self.budget = self.budget.saturating_sub(1);
        room
    }

    fn fresh(&mut self, prefix: &str) -> String {
        self.aliases += 1;
        format!("{prefix}{}", self.aliases)
    }

    fn tenant_table(&mut self) -> &Table {
        let tables: Vec<&Table> = self.schema.tenant_tables().collect();
        tables[self.tape.choose(tables.len())]
    }

    /// The table's name where it is read or written: with its schema where a `WITH` query hides it.
    fn table_name(&mut self, table: &Table) -> String {
        let name = quoted(&table.name);
        let hidden = self.ctes.iter().any(|cte| cte.name == name);
        if hidden || self.tape.one_in(4) {
            self.tape.note("name.with_schema");
            return self.schema.qualified(table);
        }
        // Upper case means the same as long as it is not quoted.
        if !name.starts_with('"') && self.tape.one_in(6) {
            return match self
                .tape
                .production(&["name.upper", "name.quoted", "name.unicode"])
            {
                "name.upper" => name.to_uppercase(),
                "name.quoted" => format!("\"{name}\""),
                _ => format!(
                    "U&\"\\{:04x}{}\"",
                    u32::from(name.as_bytes()[0]),
                    &name[1..]
                ),
            };
        }
        name
    }

    fn item(&self, table: &Table, name: String) -> Item {
        let columns = table.columns.iter().map(|column| Col {
            name: quoted(&column.name),
            kind: column.kind,
            raw: true,
        });
        Item {
            name,
            columns: columns.collect(),
            tenant: table.of_tenants.then(|| quoted(&self.schema.tenant_column)),
        }
    }

    /// A parameter with a value of this kind: a new one, or one that was there.
    fn param(&mut self, kind: Kind) -> String {
        let types: &[&str] = match kind {
            Kind::Int => &["int4", "int2"],
            Kind::Bigint => &["int8", "int4"],
            Kind::Text | Kind::Digits => &["text", "varchar"],
            Kind::Bool => &["bool"],
            Kind::Numeric => &["numeric"],
            Kind::Jsonb => &["jsonb"],
            Kind::Time => &["timestamptz"],
            Kind::Array => &["int8[]"],
            Kind::Uuid => &["uuid"],
        };
        let declared = self.tape.pick(types).to_owned();
        let same = |param: &Param| param.declared.as_deref() == Some(declared.as_str());
        if let Some(index) = self.params.iter().position(same)
            && self.tape.one_in(2)
        {
            self.tape.note("param.twice");
            return format!("${}", index + 1);
        }
        if self.tape.one_in(8) {
            self.tape.note("param.gap");
            let declared = Some("int8".to_owned());
            self.params.push(Param {
                declared,
                value: Some("0".to_owned()),
            });
        }
        self.tape.note("param.new");
        let value = self.plain_value(kind);
        self.push_param(&declared, value)
    }

    fn push_param(&mut self, declared: &str, value: Option<String>) -> String {
        self.params.push(Param {
            declared: Some(declared.to_owned()),
            value,
        });
        format!("${}", self.params.len())
    }

    /// The text of a value of this kind, `None` for NULL.
    fn plain_value(&mut self, kind: Kind) -> Option<String> {
        let values: &[&str] = match kind {
            Kind::Int | Kind::Bigint => &["1", "2", "3", "0", "7"],
            Kind::Text => &[
                "leak_0_1",
                "leak_1_11",
                "x",
                "a'b",
                "\\",
                "",
                "ü%",
                "LEAK_0_1",
                "-- x",
            ],
            Kind::Digits => &["3", "1", "4"],
            Kind::Bool => &["true", "false"],
            Kind::Numeric => &["1.25", "0.00", "4.25"],
            Kind::Jsonb => &["{\"k\": 2}", "{\"k\": 1, \"a\": [1, 2]}", "[]", "\"x\""],
            Kind::Time => &["2024-01-05 12:00Z", "2024-01-02 00:00+02"],
            Kind::Array => &["{1,2,3}", "{}", "{3,NULL}"],
            Kind::Uuid => &["00000001-aaaa-4000-8000-00000000000a"],
        };
        (!self.tape.one_in(10)).then(|| self.tape.pick(values).to_owned())
    }

    /// A constant of this kind as a typed literal.
    fn constant(&mut self, kind: Kind) -> String {
        let sql = kind.sql();
        match (self.plain_value(kind), kind) {
            (None, _) => format!("NULL::{sql}"),
            (Some(value), Kind::Int | Kind::Bool | Kind::Numeric) => value,
            (Some(value), Kind::Bigint) => format!("{value}::bigint"),
            (Some(value), Kind::Text | Kind::Digits) => self.text_literal(&value),
            (Some(value), _) => format!("'{value}'::{sql}"),
        }
    }
}
