//! Values of each kind.

use super::super::schema::Kind;
use super::{Col, Generator, Item};

impl Generator<'_, '_> {
    /// A column of this kind from anything in scope, or a constant.
    pub(super) fn column(&mut self, kind: Kind, scope: &[Item]) -> String {
        let fits = |col: &Col| col.kind == kind || (kind == Kind::Text && col.kind == Kind::Digits);
        match self.column_that(scope, fits) {
            Some(column) => column,
            None => self.constant(kind),
        }
    }

    /// A column of this kind, or any other column: never a constant.
    pub(super) fn present(&mut self, kind: Kind, scope: &[Item]) -> String {
        match self.column_that(scope, |col| col.kind == kind) {
            Some(column) => column,
            None => format!("{}.{}", scope[0].name, scope[0].columns[0].name),
        }
    }

    /// A column of a table itself: an expression that fails on its values fails for one tenant.
    pub(super) fn raw(&mut self, kind: Kind, scope: &[Item]) -> Option<String> {
        self.column_that(scope, |col| col.kind == kind && col.raw)
    }

    fn column_that(&mut self, scope: &[Item], fits: impl Fn(&Col) -> bool) -> Option<String> {
        let all = scope
            .iter()
            .flat_map(|item| item.columns.iter().map(move |col| (item, col)));
        let fitting: Vec<(&Item, &Col)> = all.clone().filter(|(_, col)| fits(col)).collect();
        let (item, col) = *fitting.get(self.tape.choose(fitting.len()))?;
        let unique = all.filter(|(_, other)| other.name == col.name).count() == 1;
        if unique && self.tape.one_in(4) {
            self.tape.note("column.unqualified");
            return Some(col.name.clone());
        }
        Some(format!("{}.{}", item.name, col.name))
    }

    pub(super) fn value(&mut self, kind: Kind, scope: &[Item], depth: usize) -> String {
        if !self.room() {
            return self.column(kind, scope);
        }
        if depth > 0 && self.tape.one_in(8) {
            return self.scalar_subquery(kind, scope, depth);
        }
        match kind {
            Kind::Int => self.int(scope, depth),
            Kind::Bigint => self.bigint(scope, depth),
            Kind::Text | Kind::Digits => self.text(scope, depth),
            Kind::Bool => self.bool(scope, depth),
            Kind::Numeric => self.numeric(scope, depth),
            Kind::Jsonb => self.jsonb(scope, depth),
            Kind::Time => self.time(scope, depth),
            Kind::Array => self.array(scope, depth),
            Kind::Uuid => self.column(kind, scope),
        }
    }

    fn int(&mut self, scope: &[Item], depth: usize) -> String {
        let column = self.column(Kind::Int, scope);
        match self.tape.production(&[
            "int.column",
            "int.column",
            "int.constant",
            "int.param",
            "int.coalesce",
            "int.sum",
            "int.length",
            "int.case",
            "int.json_cast",
            "int.cast",
            "int.division",
            "int.cardinality",
            "int.subscript",
            "int.extract",
            "int.nullif",
            "int.greatest",
            "int.position",
            "int.json_array_length",
            "int.simple_case",
            "int.width_bucket",
        ]) {
            "int.constant" => self.constant(Kind::Int),
            "int.param" => format!("{}::integer", self.param(Kind::Int)),
            "int.coalesce" => format!("coalesce({column}, {})", self.constant(Kind::Int)),
            "int.sum" => format!("({column} + {})", self.value(Kind::Int, scope, depth)),
            "int.length" => format!("length({})", self.value(Kind::Text, scope, depth)),
            "int.case" => format!(
                "CASE WHEN {} THEN {column} ELSE {} END",
                self.value(Kind::Bool, scope, depth),
                self.value(Kind::Int, scope, depth)
            ),
            // The next four fail on one tenant's rows.
            "int.json_cast" => match self.raw(Kind::Jsonb, scope) {
                Some(data) => format!("({data}->>'k')::integer"),
                None => column,
            },
            "int.cast" => match self.raw(Kind::Digits, scope) {
                Some(digits) => format!("{digits}::integer"),
                None => column,
            },
            "int.division" => match self.raw(Kind::Int, scope) {
                Some(divisor) => format!("(10 / {divisor})"),
                None => column,
            },
            "int.json_array_length" => match self.raw(Kind::Jsonb, scope) {
                Some(data) => format!("jsonb_array_length({data}->'a')"),
                None => column,
            },
            "int.cardinality" => format!("cardinality({})", self.value(Kind::Array, scope, depth)),
            "int.subscript" => {
                format!("(ARRAY[4, 5, 6])[{}]", self.value(Kind::Int, scope, depth))
            }
            "int.extract" => {
                format!(
                    "EXTRACT(year FROM {})::integer",
                    self.value(Kind::Time, scope, depth)
                )
            }
            "int.nullif" => format!("NULLIF({column}, {})", self.value(Kind::Int, scope, depth)),
            "int.greatest" => {
                format!(
                    "GREATEST({column}, {})",
                    self.value(Kind::Int, scope, depth)
                )
            }
            "int.position" => format!("position('k' IN {})", self.value(Kind::Text, scope, depth)),
            "int.simple_case" => format!("CASE {column} WHEN 1 THEN 10 WHEN 2 THEN {column} END"),
            "int.width_bucket" => format!("width_bucket({column}, 0, 10, 5)"),
            _ => column,
        }
    }

    fn bigint(&mut self, scope: &[Item], depth: usize) -> String {
        let column = self.column(Kind::Bigint, scope);
        match self.tape.production(&[
            "bigint.column",
            "bigint.column",
            "bigint.constant",
            "bigint.param",
            "bigint.from_int",
            "bigint.element",
            "bigint.coalesce",
            "bigint.modulo",
            "bigint.cast_function",
        ]) {
            "bigint.constant" => self.constant(Kind::Bigint),
            "bigint.param" => format!("{}::bigint", self.param(Kind::Bigint)),
            "bigint.from_int" => format!("({})::bigint", self.value(Kind::Int, scope, depth)),
            "bigint.element" => format!("({})[1]", self.value(Kind::Array, scope, depth)),
            "bigint.coalesce" => {
                format!(
                    "coalesce({column}, {})",
                    self.value(Kind::Bigint, scope, depth)
                )
            }
            "bigint.modulo" => format!("({column} % 3)"),
            "bigint.cast_function" => format!("CAST(abs({column}) AS bigint)"),
            _ => column,
        }
    }

    fn text(&mut self, scope: &[Item], depth: usize) -> String {
        let column = self.column(Kind::Text, scope);
        match self.tape.production(&[
            "text.column",
            "text.column",
            "text.constant",
            "text.param",
            "text.concat",
            "text.upper",
            "text.substring",
            "text.trim",
            "text.overlay",
            "text.concat_ws",
            "text.coalesce",
            "text.cast",
            "text.json",
            "text.json_path",
            "text.format",
            "text.to_char",
            "text.collate",
            "text.whole_row",
            "text.replace",
            "text.row_to_json",
            "text.case",
            "text.headline",
            "text.regexp_replace",
        ]) {
            "text.constant" => self.constant(Kind::Text),
            "text.param" => format!("{}::text", self.param(Kind::Text)),
            "text.concat" => format!("({column} || {})", self.value(Kind::Text, scope, depth)),
            "text.upper" => format!("upper({column})"),
            "text.substring" => format!("substring({column} FROM 1 FOR 6)"),
            "text.trim" => format!("trim(BOTH 'l' FROM {column})"),
            "text.overlay" => format!("overlay({column} PLACING 'xx' FROM 2 FOR 1)"),
            "text.concat_ws" => {
                format!(
                    "concat_ws('-', {column}, {})",
                    self.value(Kind::Int, scope, depth)
                )
            }
            "text.coalesce" => {
                format!(
                    "coalesce({column}, {})",
                    self.value(Kind::Text, scope, depth)
                )
            }
            "text.cast" => format!("({})::text", self.value(Kind::Int, scope, depth)),
            "text.json" => format!("({}->>'s')", self.value(Kind::Jsonb, scope, depth)),
            "text.json_path" => {
                format!("({} #>> '{{a,1}}')", self.value(Kind::Jsonb, scope, depth))
            }
            "text.format" => {
                format!(
                    "format('%s/%s', {column}, {})",
                    self.value(Kind::Bigint, scope, depth)
                )
            }
            "text.to_char" => format!(
                "to_char({} AT TIME ZONE 'Europe/Berlin', 'YYYY-MM-DD')",
                self.value(Kind::Time, scope, depth)
            ),
            "text.collate" => format!("({column} COLLATE \"C\")"),
            "text.whole_row" => match self.whole_row(scope) {
                Some(row) => format!("{row}::text"),
                None => column,
            },
            "text.row_to_json" => match self.whole_row(scope) {
                Some(row) => format!("row_to_json({row})::text"),
                None => column,
            },
            "text.replace" => format!("replace({column}, 'leak', $q$x$q$)"),
            "text.case" => {
                format!(
                    "CASE WHEN {} THEN {column} END",
                    self.value(Kind::Bool, scope, depth)
                )
            }
            "text.headline" => {
                format!("ts_headline('simple', {column}, to_tsquery('simple', 'x'))")
            }
            "text.regexp_replace" => format!("regexp_replace({column}, '[0-9]+', '<\\&>', 'g')"),
            _ => column,
        }
    }

    /// Something in `FROM` with all its columns as one value.
    pub(super) fn whole_row(&mut self, scope: &[Item]) -> Option<String> {
        let is_column = |name: &String| {
            scope
                .iter()
                .any(|item| item.columns.iter().any(|col| col.name == *name))
        };
        let names: Vec<&String> = scope
            .iter()
            .map(|item| &item.name)
            .filter(|name| !is_column(name))
            .collect();
        let name = names.get(self.tape.choose(names.len()))?;
        self.tape.note("column.whole_row");
        Some((*name).clone())
    }

    /// All have two places: what PostgreSQL takes as equal is then written alike.
    fn numeric(&mut self, scope: &[Item], depth: usize) -> String {
        let column = self.column(Kind::Numeric, scope);
        match self.tape.production(&[
            "numeric.column",
            "numeric.column",
            "numeric.constant",
            "numeric.param",
            "numeric.sum",
            "numeric.cast",
            "numeric.coalesce",
            "numeric.round",
        ]) {
            "numeric.constant" => self.constant(Kind::Numeric),
            "numeric.param" => format!("{}::numeric(10,2)", self.param(Kind::Numeric)),
            "numeric.sum" => format!("({column} - {})", self.value(Kind::Numeric, scope, depth)),
            "numeric.cast" => format!("({})::numeric(10,2)", self.value(Kind::Int, scope, depth)),
            "numeric.coalesce" => format!("coalesce({column}, 0.00)"),
            "numeric.round" => format!("round({column}, 2)"),
            _ => column,
        }
    }

    fn jsonb(&mut self, scope: &[Item], depth: usize) -> String {
        let column = self.column(Kind::Jsonb, scope);
        match self.tape.production(&[
            "jsonb.column",
            "jsonb.column",
            "jsonb.constant",
            "jsonb.param",
            "jsonb.build_object",
            "jsonb.row",
            "jsonb.field",
            "jsonb.set",
            "jsonb.path_query",
            "jsonb.concat",
            "jsonb.strip",
            "jsonb.build_array",
            "jsonb.subscript",
            "jsonb.sql_object",
        ]) {
            "jsonb.constant" => self.constant(Kind::Jsonb),
            "jsonb.param" => format!("{}::jsonb", self.param(Kind::Jsonb)),
            "jsonb.build_object" => format!(
                "jsonb_build_object('k', {}, 's', {})",
                self.value(Kind::Int, scope, depth),
                self.value(Kind::Text, scope, depth)
            ),
            "jsonb.row" => match self.whole_row(scope) {
                Some(row) => format!("to_jsonb({row})"),
                None => column,
            },
            "jsonb.field" => format!("({column}->'a')"),
            "jsonb.set" => {
                format!("jsonb_set('{{\"k\": 1}}'::jsonb, '{{k}}', coalesce({column}, '0'))")
            }
            "jsonb.path_query" => format!("jsonb_path_query_first({column}, '$.k')"),
            "jsonb.concat" => format!("('{{\"z\": 1}}'::jsonb || {column})"),
            "jsonb.strip" => format!("jsonb_strip_nulls({column})"),
            "jsonb.build_array" => {
                format!(
                    "jsonb_build_array({})",
                    self.value(Kind::Bigint, scope, depth)
                )
            }
            "jsonb.subscript" => format!("({column})['k']"),
            // PostgreSQL 16; before, it fails on both sides.
            "jsonb.sql_object" if self.tape.one_in(5) => {
                format!(
                    "JSON_OBJECT('k': {} RETURNING jsonb)",
                    self.value(Kind::Int, scope, depth)
                )
            }
            _ => column,
        }
    }

    fn time(&mut self, scope: &[Item], depth: usize) -> String {
        let column = self.column(Kind::Time, scope);
        match self.tape.production(&[
            "time.column",
            "time.column",
            "time.constant",
            "time.param",
            "time.shifted",
            "time.truncated",
            "time.coalesce",
            "time.zoned",
        ]) {
            "time.constant" => self.constant(Kind::Time),
            "time.param" => format!("{}::timestamptz", self.param(Kind::Time)),
            "time.shifted" => {
                format!(
                    "({column} + INTERVAL '1 day' * {})",
                    self.value(Kind::Int, scope, depth)
                )
            }
            "time.truncated" => format!("date_trunc('day', {column}, 'UTC')"),
            "time.coalesce" => format!("coalesce({column}, TIMESTAMPTZ '2024-02-01 00:00Z')"),
            "time.zoned" => format!("({column} AT TIME ZONE 'UTC' AT TIME ZONE 'Asia/Tokyo')"),
            _ => column,
        }
    }

    fn array(&mut self, scope: &[Item], depth: usize) -> String {
        let column = self.column(Kind::Array, scope);
        match self.tape.production(&[
            "array.column",
            "array.column",
            "array.constant",
            "array.param",
            "array.constructor",
            "array.append",
            "array.slice",
            "array.concat",
            "array.subquery",
        ]) {
            "array.constant" => self.constant(Kind::Array),
            "array.param" => format!("{}::bigint[]", self.param(Kind::Array)),
            "array.constructor" => format!(
                "ARRAY[{}, {}]::bigint[]",
                self.value(Kind::Bigint, scope, depth),
                self.column(Kind::Bigint, scope)
            ),
            "array.append" => {
                format!(
                    "array_append({column}, {})",
                    self.value(Kind::Bigint, scope, depth)
                )
            }
            "array.slice" => format!("({column})[1:2]"),
            "array.concat" => format!("({column} || {})", self.column(Kind::Array, scope)),
            "array.subquery" if depth > 0 => {
                format!(
                    "ARRAY({} ORDER BY 1)",
                    self.query(&[Kind::Bigint], scope, depth - 1)
                )
            }
            _ => column,
        }
    }
}
