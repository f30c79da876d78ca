//! `WITH`: plain, hiding tables on purpose, recursive, and writing.

use super::super::schema::{Kind, quoted};
use super::{Generator, Item, from::item};

impl Generator<'_, '_> {
    pub(super) fn with(&mut self) -> (String, bool) {
        let mut queries = Vec::new();
        for _ in 0..=self.tape.choose(3) {
            let (text, cte) = self.cte(&[], 1);
            queries.push(text);
            self.ctes.push(cte);
        }
        let (body, ordered) = self.top_query(1);
        self.ctes.clear();
        (format!("WITH {} {body}", queries.join(", ")), ordered)
    }

    /// A `WITH` of a sub-query, that ends with it.
    pub(super) fn inner_with(&mut self, kinds: &[Kind], outer: &[Item], depth: usize) -> String {
        let (text, cte) = self.cte(outer, depth - 1);
        self.ctes.push(cte);
        let body = self.query(kinds, outer, depth - 1);
        self.ctes.pop();
        format!("WITH {text} {body}")
    }

    fn cte(&mut self, outer: &[Item], depth: usize) -> (String, Item) {
        let kinds = &[Kind::Bigint, Kind::Text, Kind::Int][..2 + self.tape.choose(2)];
        let query = self.query(kinds, outer, depth);
        let name = match self.tape.production(&[
            "with.fresh_name",
            "with.table_name",
            "with.table_name",
            "with.quoted_name",
            "with.kelvin_name",
        ]) {
            "with.table_name" => {
                // Twice the same name would be an error.
                let name = quoted(&self.tenant_table().name.clone());
                if self.ctes.iter().any(|cte| cte.name == name) {
                    self.fresh("w")
                } else {
                    name
                }
            }
            "with.quoted_name" => quoted(&self.fresh("TASKS")),
            // Folds to a `k` outside of ASCII only.
            "with.kelvin_name" => self.fresh("tas\u{212A}s"),
            _ => self.fresh("w"),
        };
        let kept = match self.tape.production(&[
            "with.plain",
            "with.materialized",
            "with.not_materialized",
        ]) {
            "with.materialized" => "MATERIALIZED ",
            "with.not_materialized" => "NOT MATERIALIZED ",
            _ => "",
        };
        let names: Vec<String> = (1..=kinds.len()).map(|n| format!("c{n}")).collect();
        let columns: Vec<(&str, Kind)> = names
            .iter()
            .map(String::as_str)
            .zip(kinds.iter().copied())
            .collect();
        let list = names.join(", ");
        (
            format!("{name} ({list}) AS {kept}({query})"),
            item(name, &columns),
        )
    }

    /// Recursion that ends after four steps.
    pub(super) fn recursive(&mut self) -> (String, bool) {
        let (seed, own) = self.table();
        let (step, next) = self.table();
        let condition = self.bool(&own, 0);
        let (seed_id, step_id) = (
            format!("{}.id", own[0].name),
            format!("{}.id", next[0].name),
        );
        let link = self.column(Kind::Bigint, &next);
        let name = if self.tape.one_in(3) {
            self.tape.note("recursive.table_name");
            quoted(&self.tenant_table().name.clone())
        } else {
            "r".to_owned()
        };
        let union = self.tape.pick(&["UNION ALL", "UNION"]);
        let clause = match self.tape.production(&[
            "recursive.plain",
            "recursive.plain",
            "recursive.search",
            "recursive.cycle",
        ]) {
            "recursive.search" => " SEARCH DEPTH FIRST BY id SET path",
            "recursive.cycle" => " CYCLE id SET looped USING path",
            _ => "",
        };
        // Inside of the query its name is the query, so the tables need their schema.
        let shadows = |text: &str| text.contains(&name);
        if name != "r" && (shadows(&seed) || shadows(&step) || shadows(&condition)) {
            return (
                format!("SELECT {seed_id} FROM {seed} WHERE {condition}"),
                false,
            );
        }
        let text = format!(
            "WITH RECURSIVE {name} (id, depth) AS (SELECT {seed_id}, 1 FROM {seed} WHERE {condition} {union} SELECT {step_id}, z.depth + 1 FROM {step} JOIN {name} AS z ON {link} = z.id WHERE z.depth < 4){clause} SELECT id, depth, count(*) FROM {name} GROUP BY 1, 2 ORDER BY 1, 2"
        );
        (text, true)
    }

    /// Statements with a writing query inside.
    pub(super) fn writing_with(&mut self) -> String {
        let table = self.tenant_table().clone();
        let name = self.table_name(&table);
        let own = quoted(&table.name);
        let scope = [self.item(&table, own.clone())];
        let condition = self.bool(&scope, 0);
        match self.tape.production(&[
            "writing.delete_select",
            "writing.update_select",
            "writing.insert_select",
            "writing.delete_insert",
            "writing.insert_cte",
            "writing.two",
        ]) {
            "writing.update_select" => {
                let set = self.assignments(&table, &scope, 0);
                format!(
                    "WITH u AS (UPDATE {name} SET {set} WHERE {condition} RETURNING *) SELECT u.*, (SELECT count(*) FROM {name}) FROM u"
                )
            }
            "writing.insert_select" => {
                let insert = self.insert();
                format!("WITH i AS ({insert}) SELECT count(*) FROM {name} WHERE {condition}")
            }
            "writing.delete_insert" => {
                let (target, columns) = self.insert_target(&table);
                let values: Vec<String> = columns
                    .iter()
                    .map(|column| match column.name.as_str() {
                        "id" => "d.id + 500".to_owned(),
                        other => format!("d.{}", quoted(other)),
                    })
                    .collect();
                format!(
                    "WITH d AS (DELETE FROM {name} WHERE {condition} RETURNING *) INSERT INTO {target} SELECT {} FROM d",
                    values.join(", ")
                )
            }
            "writing.insert_cte" => {
                let (target, columns) = self.insert_target(&table);
                let values = columns.iter().map(|column| match column.name.as_str() {
                    "id" => "x.id + 600".to_owned(),
                    other => format!("x.{}", quoted(other)),
                });
                let values: Vec<String> = values.collect();
                format!(
                    "INSERT INTO {target} WITH x AS (SELECT * FROM {name} WHERE {condition}) SELECT {} FROM x RETURNING id",
                    values.join(", ")
                )
            }
            "writing.two" => {
                let other = self.tenant_table().clone();
                // Whether a row that one statement updates and deletes is there afterwards, PostgreSQL
                // leaves to the plan. No table has a row so far off.
                let apart = if other.name == table.name { 10_000 } else { 2 };
                let other = self.schema.qualified(&other);
                let set = self.assignments(&table, &scope, 0);
                format!(
                    "WITH u AS (UPDATE {name} SET {set} WHERE {condition} RETURNING id) DELETE FROM {other} AS o USING u WHERE o.id = u.id + {apart}"
                )
            }
            _ => format!(
                "WITH d AS (DELETE FROM {name} WHERE {condition} RETURNING *) SELECT count(*), (SELECT count(*) FROM {name}), max({own}.id) FROM d AS {own}"
            ),
        }
    }
}
