//! Conditions, also those that look as if they restricted the tenant.

use super::super::data::{TENANTS, tenant_literal, tenant_value};
use super::super::schema::Kind;
use super::{Generator, Item};

impl Generator<'_, '_> {
    #[expect(clippy::too_many_lines, reason = "one arm a production, each short")]
    pub(super) fn bool(&mut self, scope: &[Item], depth: usize) -> String {
        if !self.room() {
            let column = self.column(Kind::Bigint, scope);
            return format!("{column} > 1");
        }
        if depth > 0 && self.tape.one_in(4) {
            return self.subquery_predicate(scope, depth);
        }
        let int = self.column(Kind::Int, scope);
        let id = self.column(Kind::Bigint, scope);
        match self.tape.production(&[
            "bool.compare",
            "bool.compare",
            "bool.column",
            "bool.null_test",
            "bool.in_list",
            "bool.or",
            "bool.and",
            "bool.not",
            "bool.text_equals",
            "bool.tenant",
            "bool.tenant",
            "bool.distinct_from",
            "bool.any_array",
            "bool.between",
            "bool.like",
            "bool.similar",
            "bool.regex",
            "bool.row",
            "bool.row_null",
            "bool.array",
            "bool.json",
            "bool.json_any",
            "bool.json_path",
            "bool.is_json",
            "bool.range",
            "bool.full_text",
            "bool.any_param",
            "bool.keyset",
            "bool.is_true",
            "bool.overlaps",
            "bool.time",
            "bool.all",
        ]) {
            "bool.column" => self.column(Kind::Bool, scope),
            "bool.null_test" => format!("{id} IS NOT NULL"),
            "bool.in_list" => format!("{int} IN (1, 2, {})", self.value(Kind::Int, scope, depth)),
            "bool.or" => format!("{} OR {}", self.bool(scope, depth), self.bool(scope, depth)),
            "bool.and" => {
                format!(
                    "({}) AND ({})",
                    self.bool(scope, depth),
                    self.bool(scope, depth)
                )
            }
            "bool.not" => format!("NOT ({})", self.bool(scope, depth)),
            "bool.text_equals" => format!(
                "{} = {}",
                self.value(Kind::Text, scope, depth),
                self.value(Kind::Text, scope, depth)
            ),
            "bool.tenant" => self.tenant_predicate(scope),
            "bool.distinct_from" => {
                format!(
                    "{int} IS DISTINCT FROM {}",
                    self.value(Kind::Int, scope, depth)
                )
            }
            "bool.any_array" => format!("{id} = ANY({})", self.value(Kind::Array, scope, depth)),
            "bool.between" => {
                format!(
                    "{id} BETWEEN SYMMETRIC 7 AND {}",
                    self.value(Kind::Int, scope, depth)
                )
            }
            "bool.like" => {
                format!(
                    "{} ILIKE 'LEAK!_%' ESCAPE '!'",
                    self.value(Kind::Text, scope, depth)
                )
            }
            "bool.similar" => {
                format!(
                    "{} SIMILAR TO '(leak|x)%'",
                    self.value(Kind::Text, scope, depth)
                )
            }
            // One cheap operation, that fails on one tenant's rows.
            "bool.regex" => format!("'x' !~ {}", self.column(Kind::Text, scope)),
            "bool.row" => format!(
                "({id}, {int}) <> (1, {})",
                self.value(Kind::Int, scope, depth)
            ),
            "bool.row_null" => match self.whole_row(scope) {
                Some(row) => format!("{row} IS NOT NULL"),
                None => format!("{id} IS NULL"),
            },
            "bool.array" => {
                format!(
                    "{} && ARRAY[1, 2]::bigint[]",
                    self.value(Kind::Array, scope, depth)
                )
            }
            "bool.json" => format!(
                "{} @> '{{\"k\": 2}}'",
                self.value(Kind::Jsonb, scope, depth)
            ),
            "bool.json_any" => {
                format!(
                    "{} ?| ARRAY['a', 'z']",
                    self.value(Kind::Jsonb, scope, depth)
                )
            }
            "bool.json_path" => {
                format!(
                    "{} @? '$.a[*] ? (@ > 1)'",
                    self.value(Kind::Jsonb, scope, depth)
                )
            }
            // PostgreSQL 16; before, it fails on both sides.
            "bool.is_json" if self.tape.one_in(5) => {
                format!("{} IS JSON", self.value(Kind::Text, scope, depth))
            }
            "bool.range" => format!("int8range(0, abs({id}) + 1) @> 2::bigint"),
            "bool.full_text" => format!(
                "to_tsvector('simple', {}) @@ plainto_tsquery('simple', {})",
                self.value(Kind::Text, scope, depth),
                self.param(Kind::Text)
            ),
            "bool.any_param" => format!("{id} = ANY({})", self.param(Kind::Array)),
            "bool.keyset" => format!(
                "({int}, {id}) > ({}::int, {}::bigint)",
                self.param(Kind::Int),
                self.param(Kind::Bigint)
            ),
            "bool.is_true" => format!("({}) IS NOT TRUE", self.bool(scope, depth)),
            "bool.overlaps" => format!(
                "({}, INTERVAL '3 days') OVERLAPS (TIMESTAMPTZ '2024-01-04Z', TIMESTAMPTZ '2024-01-06Z')",
                self.value(Kind::Time, scope, depth)
            ),
            "bool.time" => format!("{} < now()", self.value(Kind::Time, scope, depth)),
            "bool.all" => {
                format!(
                    "{int} <> ALL (ARRAY[7, {}])",
                    self.value(Kind::Int, scope, depth)
                )
            }
            _ => {
                let kind =
                    [Kind::Int, Kind::Bigint, Kind::Numeric, Kind::Time][self.tape.choose(4)];
                let operator = self
                    .tape
                    .pick(&[">", "=", "<=", "<>", "OPERATOR(pg_catalog.>=)"]);
                format!(
                    "{} {operator} {}",
                    self.value(kind, scope, depth),
                    self.value(kind, scope, depth)
                )
            }
        }
    }

    fn subquery_predicate(&mut self, scope: &[Item], depth: usize) -> String {
        let production = self.tape.production(&[
            "bool.exists",
            "bool.not_exists",
            "bool.in",
            "bool.not_in",
            "bool.any",
            "bool.all_query",
            "bool.any_of_array",
            "bool.row_in",
            "bool.row_equals",
            "bool.scalar",
            "bool.between_query",
            "bool.like_escape",
        ]);
        let id = self.column(Kind::Bigint, scope);
        let query = self.query(&[Kind::Bigint], scope, depth - 1);
        match production {
            "bool.not_exists" => format!("NOT EXISTS ({query})"),
            "bool.in" => format!("{id} IN ({query})"),
            "bool.not_in" => format!("{id} NOT IN ({query})"),
            "bool.any" => format!("{id} > ANY ({query})"),
            "bool.all_query" => format!("{id} >= ALL ({query})"),
            "bool.any_of_array" => format!("{id} = ANY (ARRAY({query}))"),
            "bool.row_in" => {
                let rows = self.query(&[Kind::Bigint, Kind::Int], scope, depth - 1);
                format!("({id}, {}) IN ({rows})", self.column(Kind::Int, scope))
            }
            "bool.row_equals" => {
                format!("ROW({id}, 1) = (SELECT max(m), 1 FROM ({query}) AS m(m))")
            }
            "bool.scalar" => format!("{id} = (SELECT max(m) FROM ({query}) AS m(m))"),
            "bool.between_query" => {
                format!("{id} BETWEEN 0 AND (SELECT count(*) FROM ({query}) AS n)")
            }
            "bool.like_escape" => format!(
                "{} LIKE '%' ESCAPE (SELECT '!' FROM ({query}) AS e LIMIT 1)",
                self.column(Kind::Text, scope)
            ),
            _ => format!("EXISTS ({query})"),
        }
    }

    /// What users write of the tenant: never a proof of anything.
    pub(super) fn tenant_predicate(&mut self, scope: &[Item]) -> String {
        let kind = self.schema.tenant_kind;
        let with_tenant = scope
            .iter()
            .filter_map(|item| Some((item, item.tenant.as_ref()?)));
        let columns: Vec<String> = with_tenant
            .map(|(item, tenant)| format!("{}.{tenant}", item.name))
            .collect();
        let Some(column) = columns.get(self.tape.choose(columns.len())).cloned() else {
            return "true".to_owned();
        };
        let other = columns[self.tape.choose(columns.len())].clone();
        let (one, two) = (self.tape.choose(TENANTS), self.tape.choose(TENANTS));
        let (value, second) = (tenant_literal(kind, one), tenant_literal(kind, two));
        let sql = kind.sql();
        match self.tape.production(&[
            "tenant.equals",
            "tenant.self",
            "tenant.other_item",
            "tenant.not_null",
            "tenant.is_null",
            "tenant.or_true",
            "tenant.in",
            "tenant.any_param",
            "tenant.any_array",
            "tenant.between",
            "tenant.not_equal",
            "tenant.param",
            "tenant.not",
            "tenant.is_false",
            "tenant.case",
            "tenant.coalesce",
            "tenant.subquery",
            "tenant.not_distinct",
            "tenant.operator",
            "tenant.text",
            "tenant.precedence",
            "tenant.commuted",
            "tenant.setting",
        ]) {
            "tenant.self" => format!("{column} = {column}"),
            "tenant.other_item" => format!("{column} = {other}"),
            "tenant.not_null" => format!("{column} IS NOT NULL"),
            "tenant.is_null" => format!("{column} IS NULL OR true"),
            "tenant.or_true" => format!("{column} = {value} OR true"),
            "tenant.in" => format!("{column} IN ({value}, {second})"),
            "tenant.any_param" => {
                let values = format!("{{{}}}", array_element(&tenant_value(kind, one)));
                let declared = format!("{}[]", parameter_type(kind));
                format!(
                    "{column} = ANY({})",
                    self.push_param(&declared, Some(values))
                )
            }
            "tenant.any_array" => format!("{column} = ANY(ARRAY[{value}]::{sql}[])"),
            "tenant.between" => format!("{column} BETWEEN {value} AND {second}"),
            "tenant.not_equal" => format!("{column} <> {value}"),
            "tenant.param" => {
                let value = Some(tenant_value(kind, one));
                format!(
                    "{column} = {}",
                    self.push_param(parameter_type(kind), value)
                )
            }
            "tenant.not" => format!("NOT ({column} = {value})"),
            "tenant.is_false" => format!("({column} = {value}) IS NOT TRUE"),
            "tenant.case" => format!("CASE WHEN {column} = {value} THEN true ELSE true END"),
            "tenant.coalesce" => format!("COALESCE({column} = {value}, true)"),
            "tenant.subquery" => format!("{column} = (SELECT {value}::{sql})"),
            "tenant.not_distinct" => format!("{column} IS NOT DISTINCT FROM {value}"),
            "tenant.operator" => format!("{column} OPERATOR(pg_catalog.=) {value}"),
            "tenant.text" => format!("{column}::text = {value}::text"),
            "tenant.precedence" => {
                format!("{column} = {value} AND true OR {column} IS DISTINCT FROM {second}")
            }
            "tenant.commuted" => format!("{value} = {column}"),
            "tenant.setting" => format!("{column}::text = current_setting('app.tenant', true)"),
            _ => format!("{column} = {value}"),
        }
    }
}

fn array_element(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

fn parameter_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Uuid => "uuid",
        Kind::Text => "text",
        _ => "int8",
    }
}
