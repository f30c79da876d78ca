//! What stands in `FROM`: everything that can hold a tenant table.

use super::super::schema::{Kind, quoted};
use super::{Col, Generator, Item};

impl Generator<'_, '_> {
    /// A `FROM` list with one to three members, and what it brings into scope.
    pub(super) fn from(&mut self, outer: &[Item], depth: usize) -> (String, Vec<Item>) {
        let (mut text, mut scope) = self.source(&[], outer, depth);
        let joins = if depth > 0 && self.room() {
            self.tape.choose(3)
        } else {
            0
        };
        for _ in 0..joins {
            (text, scope) = self.join(&text, scope, outer, depth);
        }
        (text, scope)
    }

    fn join(
        &mut self,
        left: &str,
        scope: Vec<Item>,
        outer: &[Item],
        depth: usize,
    ) -> (String, Vec<Item>) {
        let production = self.tape.production(&[
            "join.inner",
            "join.left",
            "join.right",
            "join.full",
            "join.cross",
            "join.comma",
            "join.natural",
            "join.using",
            "join.using_alias",
            "join.lateral",
            "join.left_lateral",
            "join.nested",
            "join.aliased",
            "join.condition",
        ]);
        if matches!(production, "join.lateral" | "join.left_lateral") {
            return self.lateral(production, left, scope, outer, depth);
        }
        let (right, added) = self.source(&[], outer, depth);
        let on = self.equality(&scope, &added);
        let mut both = scope;
        both.extend(added);
        let text = match production {
            "join.left" => format!("{left} LEFT JOIN {right} ON {on}"),
            "join.right" => format!("{left} RIGHT OUTER JOIN {right} ON {on}"),
            "join.full" => format!("{left} FULL JOIN {right} ON {on}"),
            "join.cross" => format!("{left} CROSS JOIN {right}"),
            "join.comma" => format!("{left}, {right}"),
            "join.natural" if both.len() == 2 => {
                let kind = self.tape.pick(&["NATURAL", "NATURAL LEFT", "NATURAL FULL"]);
                format!("{left} {kind} JOIN {right}")
            }
            "join.using" | "join.using_alias" => {
                let Some(column) = shared_column(&both) else {
                    return (format!("{left} CROSS JOIN {right}"), both);
                };
                let kind = self.tape.pick(&["", "LEFT ", "FULL "]);
                let alias = match production {
                    "join.using_alias" => format!(" AS {}", self.fresh("u")),
                    _ => String::new(),
                };
                format!("{left} {kind}JOIN {right} USING ({column}){alias}")
            }
            "join.nested" => {
                let (third, more) = self.source(&[], outer, 0);
                let inner = self.equality(&both, &more);
                both.extend(more);
                format!("{left} LEFT JOIN ({right} CROSS JOIN {third}) ON {on} AND {inner}")
            }
            "join.aliased" => {
                let alias = self.fresh("j");
                let columns: Vec<Col> = both
                    .iter()
                    .flat_map(|item| &item.columns)
                    .take(2)
                    .cloned()
                    .collect();
                let text = format!("({left} JOIN {right} ON {on}) AS {alias} (c1, c2)");
                return (text, vec![renamed(alias, &columns)]);
            }
            "join.condition" => {
                let condition = self.bool(&both, depth.saturating_sub(1));
                format!("{left} LEFT JOIN {right} ON {condition}")
            }
            _ => format!("{left} JOIN {right} ON {on}"),
        };
        (text, both)
    }

    /// A condition that every kind of join can be made by.
    fn equality(&mut self, left: &[Item], right: &[Item]) -> String {
        let kind = [Kind::Bigint, Kind::Int, Kind::Bigint, Kind::Digits][self.tape.choose(4)];
        let (left, right) = (self.qualified(kind, left), self.qualified(kind, right));
        match (left, right) {
            (Some(left), Some(right)) => format!("{left} = {right}"),
            _ => "true".to_owned(),
        }
    }

    /// A column of this kind with its item.
    pub(super) fn qualified(&mut self, kind: Kind, scope: &[Item]) -> Option<String> {
        let columns: Vec<String> = scope
            .iter()
            .flat_map(|item| item.columns.iter().map(move |col| (item, col)))
            .filter(|(_, col)| col.kind == kind)
            .map(|(item, col)| format!("{}.{}", item.name, col.name))
            .collect();
        columns.get(self.tape.choose(columns.len())).cloned()
    }

    fn lateral(
        &mut self,
        production: &str,
        left: &str,
        mut scope: Vec<Item>,
        outer: &[Item],
        depth: usize,
    ) -> (String, Vec<Item>) {
        let mut visible = scope.clone();
        visible.extend(outer.iter().cloned());
        let (right, added) = self.derived(&visible, depth);
        scope.extend(added);
        let text = match production {
            "join.left_lateral" => format!("{left} LEFT JOIN LATERAL {right} ON true"),
            _ => format!("{left}, LATERAL {right}"),
        };
        (text, scope)
    }

    /// One member of a `FROM` list. `left` is what stands before it and can be referred to.
    fn source(&mut self, left: &[Item], outer: &[Item], depth: usize) -> (String, Vec<Item>) {
        if !self.room() {
            return self.table();
        }
        match self.tape.production(&[
            "from.table",
            "from.table",
            "from.table",
            "from.cte",
            "from.reference",
            "from.derived",
            "from.values",
            "from.series",
            "from.rows_from",
            "from.unnest",
            "from.sampled",
            "from.renamed",
            "from.ordinality",
            "from.table",
        ]) {
            "from.cte" => self.cte_source(),
            "from.reference" => self.reference(),
            "from.derived" if depth > 0 => self.derived(outer, depth),
            "from.values" => {
                let alias = self.fresh("v");
                let value = self.value(Kind::Int, outer, depth.saturating_sub(1));
                let text =
                    format!("(VALUES ({value}, 1::bigint), (2, 2::bigint)) AS {alias} (i, b)");
                (
                    text,
                    vec![item(alias, &[("i", Kind::Int), ("b", Kind::Bigint)])],
                )
            }
            "from.series" => {
                let alias = self.fresh("s");
                let end = self.count(left, depth);
                let text = format!("generate_series(1::bigint, {end}) AS {alias} (n)");
                (text, vec![item(alias, &[("n", Kind::Bigint)])])
            }
            "from.ordinality" => {
                let alias = self.fresh("s");
                let text = format!("unnest('{{4,5}}'::bigint[]) WITH ORDINALITY AS {alias} (n, o)");
                (
                    text,
                    vec![item(alias, &[("n", Kind::Bigint), ("o", Kind::Bigint)])],
                )
            }
            "from.rows_from" => {
                let alias = self.fresh("r");
                let end = self.count(left, depth);
                let text = format!(
                    "ROWS FROM (generate_series(1::bigint, {end}), unnest('{{7,8}}'::bigint[])) WITH ORDINALITY AS {alias} (n, m, o)"
                );
                let columns = ["n", "m", "o"].map(|name| (name, Kind::Bigint));
                (text, vec![item(alias, &columns)])
            }
            "from.unnest" => {
                let (table, mut scope) = self.table();
                let array = self.qualified(Kind::Array, &scope);
                let array = array.unwrap_or_else(|| "'{1,2}'::bigint[]".to_owned());
                let alias = self.fresh("e");
                scope.push(item(alias.clone(), &[("e", Kind::Bigint)]));
                (
                    format!("{table} CROSS JOIN LATERAL unnest({array}) AS {alias} (e)"),
                    scope,
                )
            }
            // All rows: what a part of them would be is up to chance.
            "from.sampled" => {
                let (table, scope) = self.named_table(false);
                let method = self
                    .tape
                    .pick(&["BERNOULLI (100)", "SYSTEM (100) REPEATABLE (3)"]);
                (format!("{table} TABLESAMPLE {method}"), scope)
            }
            "from.renamed" => {
                let alias = self.fresh("x");
                let table = self.tenant_table().clone();
                let name = self.table_name(&table);
                let mut item = self.item(&table, alias.clone());
                item.tenant = None;
                for (col, name) in item.columns.iter_mut().zip(["p", "q"]) {
                    name.clone_into(&mut col.name);
                }
                (format!("{name} AS {alias} (p, q)"), vec![item])
            }
            _ => self.table(),
        }
    }

    /// A small number: of a constant or of a sub-query.
    fn count(&mut self, scope: &[Item], depth: usize) -> String {
        if depth == 0 || !self.tape.one_in(2) {
            return "3::bigint".to_owned();
        }
        self.tape.note("from.function_of_query");
        format!(
            "(SELECT count(*) FROM ({}) AS n)",
            self.query(&[Kind::Bigint], scope, depth - 1)
        )
    }

    pub(super) fn table(&mut self) -> (String, Vec<Item>) {
        self.named_table(true)
    }

    fn named_table(&mut self, forms: bool) -> (String, Vec<Item>) {
        let table = self.tenant_table().clone();
        let name = self.table_name(&table);
        let alias = match self.tape.choose(5) {
            // The name of another table, or of this one.
            4 => {
                self.tape.note("alias.of_table");
                let other = quoted(&self.tenant_table().name.clone());
                if self.taken.insert(other.clone()) {
                    other
                } else {
                    self.fresh("tasks")
                }
            }
            3 => {
                self.tape.note("alias.quoted");
                quoted(&self.fresh("A"))
            }
            _ => self.fresh("a"),
        };
        let item = self.item(&table, alias.clone());
        let text = match if forms { self.tape.choose(10) } else { 0 } {
            7 => {
                self.tape.note("from.only");
                format!("ONLY {name} AS {alias}")
            }
            8 => {
                self.tape.note("from.only_parenthesised");
                format!("ONLY ({name}) {alias}")
            }
            9 => {
                self.tape.note("from.star");
                format!("{name} * AS {alias}")
            }
            _ => format!("{name} AS {alias}"),
        };
        (text, vec![item])
    }

    fn reference(&mut self) -> (String, Vec<Item>) {
        let references: Vec<_> = self
            .schema
            .tables
            .iter()
            .filter(|table| !table.of_tenants)
            .cloned()
            .collect();
        let table = &references[self.tape.choose(references.len())];
        let alias = self.fresh("c");
        let name = self.table_name(table);
        let mut item = self.item(table, alias.clone());
        // Its values are everyone's: what fails on them fails for all.
        for col in &mut item.columns {
            col.raw = false;
        }
        (format!("{name} AS {alias}"), vec![item])
    }

    fn cte_source(&mut self) -> (String, Vec<Item>) {
        let Some(cte) = self.ctes.get(self.tape.choose(self.ctes.len())).cloned() else {
            return self.table();
        };
        // The innermost of a name is the one that is visible.
        let visible = self.ctes.iter().rev().find(|other| other.name == cte.name);
        let columns = visible.map_or(cte.columns, |visible| visible.columns.clone());
        let alias = self.fresh("w");
        let item = Item {
            name: alias.clone(),
            columns,
            tenant: None,
        };
        (format!("{} AS {alias}", cte.name), vec![item])
    }

    /// A sub-query with one or two columns.
    fn derived(&mut self, outer: &[Item], depth: usize) -> (String, Vec<Item>) {
        self.tape.note("from.subquery");
        let kinds = &[Kind::Bigint, Kind::Int, Kind::Text][..2 + self.tape.choose(2)];
        let query = self.query(kinds, outer, depth.saturating_sub(1));
        let alias = self.fresh("d");
        let names: Vec<String> = (1..=kinds.len()).map(|n| format!("c{n}")).collect();
        let columns: Vec<(&str, Kind)> = names
            .iter()
            .map(String::as_str)
            .zip(kinds.iter().copied())
            .collect();
        (format!("({query}) AS {alias}"), vec![item(alias, &columns)])
    }
}

pub(super) fn item(name: String, columns: &[(&str, Kind)]) -> Item {
    let columns = columns.iter().map(|(name, kind)| Col {
        name: (*name).to_owned(),
        kind: *kind,
        raw: false,
    });
    Item {
        name,
        columns: columns.collect(),
        tenant: None,
    }
}

fn renamed(alias: String, columns: &[Col]) -> Item {
    let names = ["c1", "c2"].iter().zip(columns);
    let columns = names.map(|(name, col)| Col {
        name: (*name).to_owned(),
        ..col.clone()
    });
    Item {
        name: alias,
        columns: columns.collect(),
        tenant: None,
    }
}

/// A column that all items have, once each.
fn shared_column(scope: &[Item]) -> Option<String> {
    let [first, second] = scope else { return None };
    let shared = |col: &&Col| second.columns.iter().any(|other| other.name == col.name);
    first
        .columns
        .iter()
        .find(shared)
        .map(|col| col.name.clone())
}
