//! Statements that once broke the law, in `tests/regressions/*.md`: a heading, the statement, and in
//! JSON its parameters and the schema.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::schema::Schema;
use super::statement::{Param, Statement};

#[derive(Debug, Deserialize)]
pub(super) struct Facts {
    ordered: bool,
    #[serde(default)]
    tampered: bool,
    params: Vec<Param>,
    pub(super) schema: Schema,
}

#[derive(Debug)]
pub(super) struct Regression {
    pub(super) name: String,
    pub(super) statement: Statement,
    pub(super) schema: Schema,
}

/// A case as it stands in the files.
pub(super) fn page(schema: &Schema, statement: &Statement) -> String {
    let facts = serde_json::json!({
        "ordered": statement.ordered,
        "tampered": statement.tampered,
        "params": statement.params,
        "schema": schema,
    });
    format!(
        "## a name\n\n```sql\n{}\n```\n\n```json\n{facts}\n```\n",
        statement.sql
    )
}

/// All cases of all files.
pub(super) fn all() -> Vec<Regression> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/regressions");
    let pages = fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("a file").path());
    pages
        .flat_map(|path| read(&fs::read_to_string(path).expect("a page")))
        .collect()
}

fn read(page: &str) -> Vec<Regression> {
    let cases = page.split("\n## ").skip(1);
    cases
        .map(|case| {
            let (name, rest) = case.split_once('\n').expect("a heading");
            let sql = block(rest, "sql");
            let facts: Facts = serde_json::from_str(block(rest, "json")).expect("JSON");
            let mut statement = Statement::plain(sql);
            statement.params = facts.params;
            statement.ordered = facts.ordered;
            statement.tampered = facts.tampered;
            Regression {
                name: name.to_owned(),
                statement,
                schema: facts.schema,
            }
        })
        .collect()
}

fn block<'p>(case: &'p str, language: &str) -> &'p str {
    let start = format!("```{language}\n");
    let (_, rest) = case.split_once(&start).expect("a block");
    rest.split_once("\n```").expect("a block that ends").0
}
