//! How much of a corpus of SQL the guard accepts: `cargo run -p tenant-guard --example coverage -- PATH…`
//!
//! Reads the `.sql` files at the paths (regression suites of PostgreSQL and of extensions, an
//! application's queries), takes each `CREATE TABLE` in them that names its columns for a tenant
//! table, and checks each `SELECT`, `INSERT`, `UPDATE`, `DELETE` and `MERGE` that names such tables
//! alone. Prints how many were accepted and, by code and message, how many were not. `--list TG005`
//! prints the statements that were refused with that code.
#![allow(
    clippy::print_stdout,
    reason = "a program for the terminal, not a part of the library"
)]

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use pg_query::protobuf::{Node, ObjectType};
use pg_query::{Context, NodeEnum, NodeRef};
use tenant_guard::{Code, Guard, Ident, Policy, Table, Tenancy, TenantType};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut paths = Vec::new();
    let mut listed = None;
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--list" => listed = arguments.next(),
            _ => paths.push(PathBuf::from(argument)),
        }
    }
    let mut files = Vec::new();
    for path in &paths {
        sql_files(path, &mut files)?;
    }
    let statements: Vec<String> = files
        .iter()
        .filter_map(|file| fs::read(file).ok())
        .flat_map(|bytes| statements(&String::from_utf8_lossy(&bytes)))
        .collect();
    let schema = Schema::of(&statements);
    let guard = Guard::new(schema.tenancy()?, Policy::default());
    let mut tally = Tally::default();
    for sql in statements.iter().collect::<HashSet<_>>() {
        if !schema.covers(sql) {
            continue;
        }
        let refusal = guard.check(sql).err();
        if let Some(refusal) = &refusal
            && listed.as_deref() == Some(refusal.code().as_str())
        {
            println!("{}\n{sql}\n", refusal.message());
        }
        tally.add(refusal.map(|refusal| (refusal.code(), refusal.message().to_owned())));
    }
    tally.print();
    Ok(())
}

fn sql_files(path: &Path, into: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_dir() {
        let mut entries: Vec<_> = fs::read_dir(path)?.collect::<Result<_, _>>()?;
        entries.sort_by_key(fs::DirEntry::path);
        return entries
            .iter()
            .try_for_each(|entry| sql_files(&entry.path(), into));
    }
    if path.extension().is_some_and(|extension| extension == "sql") {
        into.push(path.to_owned());
    }
    Ok(())
}

/// The statements of a `psql` script: without its own commands and without the data of `COPY`.
fn statements(script: &str) -> Vec<String> {
    let mut text = String::new();
    let mut in_copy = false;
    for line in script.lines() {
        let lower = line.to_ascii_lowercase();
        if in_copy {
            in_copy = line != "\\.";
        } else if let Some((before, _)) = line.split_once('\\').filter(|_| is_command(line)) {
            text.push_str(before);
            text.push_str(";\n");
        } else {
            in_copy = lower.trim_start().starts_with("copy ") && lower.contains("from stdin");
            text.push_str(line);
            text.push('\n');
        }
    }
    match pg_query::split_with_scanner(&text) {
        Ok(pieces) => pieces.into_iter().map(str::to_owned).collect(),
        Err(_) => Vec::new(),
    }
}

/// Whether a line holds a command of `psql`, at its start or behind a statement (`\gset`).
fn is_command(line: &str) -> bool {
    line.trim_start().starts_with('\\')
        || ["\\g", "\\;", "\\crosstabview", "\\bind", "\\parse"]
            .iter()
            .any(|command| line.contains(command) && !line.contains('\''))
}

/// The tables that the scripts create, each with all columns it ever has.
#[derive(Default)]
struct Schema {
    tables: BTreeMap<String, BTreeSet<String>>,
    /// Those that have columns from elsewhere at some time: copied, inherited, of a query.
    half_known: BTreeSet<String>,
}

impl Schema {
    fn of(statements: &[String]) -> Self {
        let mut schema = Self::default();
        for sql in statements {
            let Ok(parsed) = pg_query::parse(sql, 0) else {
                continue;
            };
            for (node, _, _, _) in parsed.protobuf.nodes() {
                if let NodeRef::CreateStmt(create) = node
                    && let Some(relation) = &create.relation
                {
                    schema.create(&relation.relname, &create.table_elts);
                    let own = create.inh_relations.is_empty() && create.of_typename.is_none();
                    let copied = create
                        .table_elts
                        .iter()
                        .any(|element| matches!(element.node, Some(NodeEnum::TableLikeClause(_))));
                    if !own || copied {
                        schema.half_known.insert(relation.relname.clone());
                    }
                }
                if let NodeRef::CreateTableAsStmt(create) = node
                    && let Some(relation) = create.into.as_ref().and_then(|into| into.rel.as_ref())
                {
                    schema.half_known.insert(relation.relname.clone());
                }
                if let NodeRef::AlterTableStmt(alter) = node
                    && let Some(relation) = &alter.relation
                    && alter.objtype() == ObjectType::ObjectTable
                {
                    let added = alter.cmds.iter().filter_map(|command| match &command.node {
                        Some(NodeEnum::AlterTableCmd(command)) => command.def.as_deref().cloned(),
                        _ => None,
                    });
                    schema.create(&relation.relname, &added.collect::<Vec<_>>());
                }
            }
        }
        schema
    }

    fn create(&mut self, name: &str, elements: &[Node]) {
        let columns = self.tables.entry(name.to_owned()).or_default();
        for element in elements {
            if let Some(NodeEnum::ColumnDef(column)) = &element.node
                && !column.colname.is_empty()
            {
                columns.insert(column.colname.clone());
            }
        }
    }

    /// The tenant column comes last, so that rows without a column list keep their meaning.
    fn tenancy(&self) -> Result<Tenancy, tenant_guard::TenancyError> {
        let tables = self.tables.iter().map(|(name, columns)| {
            let mut columns: Vec<Ident> = columns.iter().map(|c| c.as_str().into()).collect();
            columns.push("guard_tenant".into());
            Table::distributed(name, "guard_tenant", TenantType::Int8).columns(columns)
        });
        Tenancy::builder().tables(tables).build()
    }

    /// Whether this is one statement that reads or writes rows of known tables, and of no others.
    fn covers(&self, sql: &str) -> bool {
        let Ok(parsed) = pg_query::parse(sql, 0) else {
            return false;
        };
        let kind = match parsed.protobuf.stmts.as_slice() {
            [only] => only.stmt.as_ref().and_then(|node| node.node.as_ref()),
            _ => None,
        };
        let is_dml = matches!(
            kind,
            Some(
                NodeEnum::SelectStmt(_)
                    | NodeEnum::InsertStmt(_)
                    | NodeEnum::UpdateStmt(_)
                    | NodeEnum::DeleteStmt(_)
                    | NodeEnum::MergeStmt(_)
            )
        );
        let into =
            matches!(kind, Some(NodeEnum::SelectStmt(select)) if select.into_clause.is_some());
        if !is_dml || into {
            return false;
        }
        let ctes: HashSet<&str> = parsed.cte_names.iter().map(String::as_str).collect();
        let mut any = false;
        for (node, _, context, _) in parsed.protobuf.nodes() {
            if let NodeRef::RangeVar(relation) = node {
                let known = self.tables.contains_key(&relation.relname)
                    && !self.half_known.contains(&relation.relname)
                    && (relation.schemaname.is_empty() || relation.schemaname == "public");
                let cte = ctes.contains(relation.relname.as_str());
                let alias = context == Context::None;
                if !known && !cte && !alias {
                    return false;
                }
                any |= known;
            }
        }
        any
    }
}

#[derive(Default)]
struct Tally {
    accepted: u32,
    refused: BTreeMap<Code, BTreeMap<String, u32>>,
}

impl Tally {
    fn add(&mut self, refusal: Option<(Code, String)>) {
        match refusal {
            None => self.accepted += 1,
            Some((code, message)) => {
                *self
                    .refused
                    .entry(code)
                    .or_default()
                    .entry(message)
                    .or_default() += 1;
            }
        }
    }

    fn print(&self) {
        let refused: u32 = self.refused.values().flat_map(BTreeMap::values).sum();
        let total = self.accepted + refused;
        println!("{total} statements, {} accepted", self.accepted);
        for (code, messages) in &self.refused {
            let count: u32 = messages.values().sum();
            println!("{code} {count:>6}  {}", code.explanation());
            let mut messages: Vec<_> = messages.iter().collect();
            messages.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
            for (message, count) in messages.into_iter().take(12) {
                println!("      {count:>6}  {message}");
            }
        }
    }
}
