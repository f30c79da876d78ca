//! Queries: with columns of wanted kinds, as a sub-query needs them, and of any shape at the top.

use super::super::schema::Kind;
use super::{Generator, Item};

impl Generator<'_, '_> {
    /// A query whose columns `c1`, `c2`, … have these kinds. Its rows are the same on every run.
    pub(super) fn query(&mut self, kinds: &[Kind], outer: &[Item], depth: usize) -> String {
        if !self.room() {
            let (from, scope) = self.table();
            return format!(
                "SELECT {} FROM {from}",
                self.outputs(kinds, &with(&scope, outer), 0)
            );
        }
        let production = self.tape.production(&[
            "query.where",
            "query.plain",
            "query.distinct",
            "query.distinct_on",
            "query.group",
            "query.aggregate",
            "query.set_operation",
            "query.limit",
            "query.with",
            "query.values",
            "query.no_from",
            "query.having",
        ]);
        match production {
            "query.set_operation" if depth > 0 => return self.set_operation(kinds, outer, depth),
            "query.with" if depth > 0 => return self.inner_with(kinds, outer, depth),
            "query.values" => {
                let values: Vec<String> = kinds
                    .iter()
                    .map(|kind| self.typed(*kind, outer, depth))
                    .collect();
                let constants: Vec<String> =
                    kinds.iter().map(|kind| self.constant(*kind)).collect();
                return format!("VALUES ({}), ({})", values.join(", "), constants.join(", "));
            }
            "query.no_from" => return format!("SELECT {}", self.outputs(kinds, outer, depth)),
            _ => {}
        }
        let (from, own) = self.from(outer, depth);
        let scope = with(&own, outer);
        let condition = self.bool(&scope, depth);
        let all = ordinals(kinds.len());
        if matches!(production, "query.aggregate" | "query.having") {
            let values: Vec<String> = kinds
                .iter()
                .map(|kind| self.aggregate(*kind, &own, &scope))
                .collect();
            let having = match production {
                "query.having" => {
                    self.tape.note("query.having");
                    format!(" HAVING count(*) > {}", self.tape.choose(3))
                }
                _ => String::new(),
            };
            return format!(
                "SELECT {} FROM {from} WHERE {condition}{having}",
                named(&values)
            );
        }
        let outputs = self.outputs(kinds, &scope, depth);
        match production {
            "query.plain" => format!("SELECT {outputs} FROM {from}"),
            "query.distinct" => format!("SELECT DISTINCT {outputs} FROM {from} WHERE {condition}"),
            "query.distinct_on" => format!(
                "SELECT DISTINCT ON (c1) * FROM (SELECT {outputs} FROM {from} WHERE {condition}) AS o ORDER BY {all}"
            ),
            "query.group" => format!(
                "SELECT {outputs} FROM {from} WHERE {condition} GROUP BY {all} HAVING count(*) > 0"
            ),
            "query.limit" => format!(
                "SELECT {outputs} FROM {from} WHERE {condition} ORDER BY {all} LIMIT {}",
                1 + self.tape.choose(3)
            ),
            _ => format!("SELECT {outputs} FROM {from} WHERE {condition}"),
        }
    }

    /// `value AS c1, value AS c2, …`
    pub(super) fn outputs(&mut self, kinds: &[Kind], scope: &[Item], depth: usize) -> String {
        let values: Vec<String> = kinds
            .iter()
            .map(|kind| self.typed(*kind, scope, depth))
            .collect();
        named(&values)
    }

    /// A value that is of the kind even where nothing around it says so.
    fn typed(&mut self, kind: Kind, scope: &[Item], depth: usize) -> String {
        let value = self.value(kind, scope, depth);
        match kind {
            Kind::Int => format!("({value})::integer"),
            Kind::Bigint => format!("({value})::bigint"),
            Kind::Text | Kind::Digits => format!("({value})::text"),
            _ => value,
        }
    }

    /// An aggregate over rows of `own`.
    pub(super) fn aggregate(&mut self, kind: Kind, own: &[Item], scope: &[Item]) -> String {
        let value = self.column(kind, own);
        let condition = if self.tape.one_in(3) {
            self.tape.note("aggregate.filter");
            format!(" FILTER (WHERE {})", self.bool(scope, 0))
        } else {
            String::new()
        };
        match kind {
            Kind::Bool => format!("bool_or({value}){condition}"),
            Kind::Jsonb => {
                self.tape.note("aggregate.jsonb_agg");
                format!("jsonb_agg({value} ORDER BY {value}){condition}")
            }
            Kind::Array => {
                let element = self.column(Kind::Bigint, own);
                self.tape.note("aggregate.array_agg");
                format!(
                    "array_agg(DISTINCT {element}::bigint ORDER BY {element}::bigint DESC){condition}"
                )
            }
            Kind::Text | Kind::Digits => match self.tape.choose(3) {
                1 => {
                    self.tape.note("aggregate.string_agg");
                    format!("string_agg({value}, ',' ORDER BY {value}){condition}")
                }
                2 => {
                    self.tape.note("aggregate.within_group");
                    format!("mode() WITHIN GROUP (ORDER BY {value}){condition}")
                }
                _ => format!("max({value}){condition}"),
            },
            Kind::Int => match self.tape.choose(3) {
                1 => format!("count({value}){condition}::integer"),
                2 => {
                    self.tape.note("aggregate.percentile");
                    format!("(percentile_disc(0.5) WITHIN GROUP (ORDER BY {value}){condition})")
                }
                _ => format!("min({value}){condition}"),
            },
            Kind::Bigint => match self.tape.choose(3) {
                1 => format!("count(*){condition}"),
                2 => format!("count(DISTINCT {value}){condition}"),
                _ => format!("max({value}){condition}"),
            },
            Kind::Numeric | Kind::Time => format!("max({value}){condition}"),
            Kind::Uuid => format!("(array_agg({value} ORDER BY {value}))[1]"),
        }
    }

    pub(super) fn scalar_subquery(&mut self, kind: Kind, outer: &[Item], depth: usize) -> String {
        self.tape.note("query.scalar");
        let (from, own) = self.from(outer, depth - 1);
        let scope = with(&own, outer);
        let condition = self.bool(&scope, depth - 1);
        let value = self.aggregate(kind, &own, &scope);
        format!("(SELECT {value} FROM {from} WHERE {condition})")
    }

    fn set_operation(&mut self, kinds: &[Kind], outer: &[Item], depth: usize) -> String {
        let operator = self.tape.production(&[
            "set.union",
            "set.union_all",
            "set.intersect",
            "set.except",
            "set.intersect_all",
            "set.except_all",
        ]);
        let operator = match operator {
            "set.union_all" => "UNION ALL",
            "set.intersect" => "INTERSECT",
            "set.except" => "EXCEPT",
            "set.intersect_all" => "INTERSECT ALL",
            "set.except_all" => "EXCEPT ALL",
            _ => "UNION",
        };
        let (left, right) = (
            self.query(kinds, outer, depth - 1),
            self.query(kinds, outer, depth - 1),
        );
        format!("({left}) {operator} ({right})")
    }
}

/// The items of a query and of those around it; the inner ones hide the outer ones of their name.
pub(super) fn with(own: &[Item], outer: &[Item]) -> Vec<Item> {
    let hidden = |item: &&Item| !own.iter().any(|inner| inner.name == item.name);
    own.iter()
        .chain(outer.iter().filter(hidden))
        .cloned()
        .collect()
}

fn named(values: &[String]) -> String {
    let named = values
        .iter()
        .enumerate()
        .map(|(index, value)| format!("{value} AS c{}", index + 1));
    named.collect::<Vec<_>>().join(", ")
}

pub(super) fn ordinals(count: usize) -> String {
    (1..=count)
        .map(|n| n.to_string())
        .collect::<Vec<_>>()
        .join(", ")
}
