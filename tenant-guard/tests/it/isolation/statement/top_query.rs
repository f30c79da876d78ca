//! Whole queries, of shapes that a sub-query of wanted columns does not have.

use super::super::schema::Kind;
use super::query::ordinals;
use super::{Generator, Item};

impl Generator<'_, '_> {
    /// The statement of one table that keeps its form: `SELECT … FROM table`.
    #[expect(clippy::too_many_lines, reason = "one arm a production, each short")]
    pub(super) fn one_table(&mut self) -> (String, bool) {
        let (from, scope) = match self.tape.choose(3) {
            0 => {
                let table = self.tenant_table().clone();
                let name = self.table_name(&table);
                let item = self.item(&table, super::quoted(&table.name));
                (name, vec![item])
            }
            _ => self.table(),
        };
        let condition = match self.tape.choose(4) {
            3 => String::new(),
            _ => format!(" WHERE {}", self.bool(&scope, 0)),
        };
        let name = scope[0].name.clone();
        let key = format!("{name}.id");
        match self.tape.production(&[
            "flat.star",
            "flat.columns",
            "flat.ordered",
            "flat.keyset",
            "flat.for_update",
            "flat.group_by_key",
            "flat.aggregate",
            "flat.whole_row",
            "flat.having",
            "flat.window",
            "flat.with_ties",
            "flat.group",
        ]) {
            "flat.columns" => {
                let outputs = self.outputs(&[Kind::Text, Kind::Bigint], &scope, 0);
                (format!("SELECT {outputs} FROM {from}{condition}"), false)
            }
            "flat.ordered" => {
                let outputs = self.outputs(&[Kind::Bigint, Kind::Text], &scope, 0);
                let limit = self.limit();
                (
                    format!(
                        "SELECT {outputs} FROM {from}{condition} ORDER BY 1 DESC NULLS LAST, 2{limit}"
                    ),
                    true,
                )
            }
            "flat.keyset" => {
                let (int, id) = (self.param(Kind::Int), self.param(Kind::Bigint));
                let column = self.column(Kind::Int, &scope);
                let text = format!(
                    "SELECT {column}, {key} FROM {from} WHERE ({column}, {key}) > ({int}, {id}) ORDER BY 1, 2 LIMIT 3"
                );
                (text, true)
            }
            "flat.for_update" => {
                let lock = self.lock(&name);
                (
                    format!("SELECT {name}.* FROM {from}{condition}{lock}"),
                    false,
                )
            }
            "flat.group_by_key" => {
                let tenant = scope[0].tenant.clone().unwrap_or_default();
                // With the whole key every column of the table is known.
                let lang = scope[0].columns.iter().any(|col| col.name == "lang");
                let rest = if lang {
                    format!(", {name}.lang")
                } else {
                    String::new()
                };
                let text = format!(
                    "SELECT {key}, {name}.*, count(*) FROM {from}{condition} GROUP BY {name}.{tenant}, {key}{rest}"
                );
                (text, false)
            }
            "flat.aggregate" => {
                let value = self.aggregate(Kind::Text, &scope, &scope);
                let number = self.aggregate(Kind::Bigint, &scope, &scope);
                (
                    format!("SELECT {value}, {number} FROM {from}{condition}"),
                    true,
                )
            }
            "flat.whole_row" => (format!("SELECT {name} FROM {from}{condition}"), false),
            "flat.having" => {
                let value = self.present(Kind::Bool, &scope);
                (
                    format!(
                        "SELECT {value}, count(*) FROM {from}{condition} GROUP BY 1 HAVING max({key}) > 2"
                    ),
                    false,
                )
            }
            "flat.window" => (self.window(&from, &condition, &scope, 0), false),
            "flat.with_ties" => {
                let value = self.column(Kind::Int, &scope);
                (
                    format!(
                        "SELECT {value}, {key} FROM {from}{condition} ORDER BY 1 FETCH FIRST 2 ROWS WITH TIES"
                    ),
                    false,
                )
            }
            "flat.group" => {
                let text = self.grouping(&from, &condition, &scope, 0);
                (text, false)
            }
            _ => (format!("SELECT * FROM {from}{condition}"), false),
        }
    }

    fn lock(&mut self, of: &str) -> String {
        let strength = self.tape.production(&[
            "lock.update",
            "lock.no_key_update",
            "lock.share",
            "lock.key_share",
        ]);
        let strength = match strength {
            "lock.no_key_update" => "NO KEY UPDATE",
            "lock.share" => "SHARE",
            "lock.key_share" => "KEY SHARE",
            _ => "UPDATE",
        };
        let of = if self.tape.one_in(2) {
            format!(" OF {of}")
        } else {
            String::new()
        };
        let wait = self.tape.pick(&["", " SKIP LOCKED", " NOWAIT"]);
        format!(" FOR {strength}{of}{wait}")
    }

    /// Of rows in a total order.
    fn limit(&mut self) -> String {
        match self.tape.production(&[
            "limit.none",
            "limit.number",
            "limit.fetch",
            "limit.offset",
            "limit.param",
            "limit.query",
            "limit.with_ties",
            "limit.all",
        ]) {
            "limit.number" => " LIMIT 3".to_owned(),
            "limit.fetch" => " FETCH FIRST 2 ROWS ONLY".to_owned(),
            "limit.offset" => " OFFSET 1 ROWS LIMIT 4".to_owned(),
            "limit.param" => {
                let limit = self.push_param("int8", Some("2".to_owned()));
                format!(" LIMIT {limit}")
            }
            "limit.query" => {
                let table = self.tenant_table().clone();
                let name = self.table_name(&table);
                format!(
                    " LIMIT (SELECT count(*) FROM {name}) OFFSET (SELECT min(id) - 1 FROM {name})"
                )
            }
            "limit.with_ties" => " FETCH FIRST 2 ROWS WITH TIES".to_owned(),
            "limit.all" => " LIMIT ALL".to_owned(),
            _ => String::new(),
        }
    }

    /// A whole statement of any shape, and whether it orders its rows.
    pub(super) fn top_query(&mut self, depth: usize) -> (String, bool) {
        let production = self.tape.production(&[
            "top.ordered",
            "top.rows",
            "top.star",
            "top.window",
            "top.grouping",
            "top.table",
            "top.order_by_query",
            "top.locked",
            "top.item_star",
            "top.group_by_query",
            "top.values",
            "top.into_json",
            "top.rows",
        ]);
        let kinds = [
            &[Kind::Bigint, Kind::Text][..],
            &[Kind::Text],
            &[Kind::Int, Kind::Bool, Kind::Jsonb],
            &[Kind::Numeric, Kind::Time],
            &[Kind::Array, Kind::Text],
            &[Kind::Jsonb],
        ][self.tape.choose(6)];
        match production {
            "top.rows" => (self.query(kinds, &[], depth), false),
            "top.table" => {
                let table = self.tenant_table().clone();
                let name = self.table_name(&table);
                (format!("TABLE {name}"), false)
            }
            "top.values" => {
                let value = self.scalar_subquery(Kind::Text, &[], depth);
                (format!("VALUES (1, {value}), (2, 'x')"), true)
            }
            "top.ordered" => {
                let query = self.query(kinds, &[], depth);
                let direction = self.tape.pick(&["", " DESC", " ASC NULLS FIRST"]);
                let rest = ordinals(kinds.len());
                let limit = self.limit();
                (
                    format!("SELECT * FROM ({query}) AS q ORDER BY 1{direction}, {rest}{limit}"),
                    true,
                )
            }
            _ => self.shaped(production, depth),
        }
    }

    fn shaped(&mut self, production: &str, depth: usize) -> (String, bool) {
        let (from, scope) = self.from(&[], depth);
        let condition = format!(" WHERE {}", self.bool(&scope, depth));
        let first = scope[0].name.clone();
        let text = match production {
            "top.window" => self.window(&from, &condition, &scope, depth),
            "top.grouping" => self.grouping(&from, &condition, &scope, depth),
            "top.order_by_query" => {
                let value = self.column(Kind::Bigint, &scope);
                let order = self.scalar_subquery(Kind::Bigint, &scope, depth);
                return (
                    format!(
                        "SELECT {value} AS c1 FROM {from}{condition} ORDER BY {order}, c1 NULLS FIRST"
                    ),
                    false,
                );
            }
            "top.group_by_query" => {
                let group = self.scalar_subquery(Kind::Text, &scope, depth);
                format!(
                    "SELECT count(*) FROM {from}{condition} GROUP BY {group} HAVING (SELECT true LIMIT 1)"
                )
            }
            "top.locked" => {
                let lock = self.lock(&first);
                format!("SELECT {first}.* FROM {from}{condition}{lock}")
            }
            "top.item_star" => {
                let value = self.value(Kind::Text, &scope, depth);
                format!("SELECT {value}, {first}.* FROM {from}{condition}")
            }
            "top.into_json" => format!(
                "SELECT jsonb_agg(to_jsonb(r) ORDER BY to_jsonb(r)) FROM (SELECT {first}.* FROM {from}{condition}) AS r"
            ),
            _ => format!("SELECT * FROM {from}{condition}"),
        };
        (text, false)
    }

    /// Window functions over a value in the value's own order: ties do not show.
    fn window(&mut self, from: &str, condition: &str, scope: &[Item], depth: usize) -> String {
        let kind = [Kind::Int, Kind::Bigint, Kind::Text][self.tape.choose(3)];
        let value = self.column(kind, scope);
        let partition = self.present(Kind::Bool, scope);
        let function = match self.tape.production(&[
            "window.row_number",
            "window.count",
            "window.lag",
            "window.rows_frame",
            "window.named",
            "window.partition",
            "window.partition_by_query",
            "window.filter",
            "window.range_frame",
            "window.groups_frame",
            "window.ntile",
        ]) {
            "window.count" => "count(*) OVER ()".to_owned(),
            "window.lag" => format!("lag({value}, 1) OVER (ORDER BY {value})"),
            "window.rows_frame" => format!(
                "count({value}) OVER (ORDER BY {value} ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)"
            ),
            "window.named" => {
                return format!(
                    "SELECT {value}, rank() OVER w, first_value({value}) OVER (w RANGE UNBOUNDED PRECEDING) FROM {from}{condition} WINDOW w AS (ORDER BY {value})"
                );
            }
            "window.partition" => {
                format!("dense_rank() OVER (PARTITION BY {partition} ORDER BY {value})")
            }
            "window.partition_by_query" => {
                let query = self.scalar_subquery(Kind::Bigint, scope, depth.max(1));
                format!("count(*) OVER (PARTITION BY {query})")
            }
            "window.filter" => {
                let filter = self.bool(scope, depth);
                format!("count(*) FILTER (WHERE {filter}) OVER (PARTITION BY {value})")
            }
            "window.range_frame" => format!(
                "max({value}) OVER (ORDER BY {value} RANGE UNBOUNDED PRECEDING EXCLUDE TIES)"
            ),
            "window.groups_frame" => format!(
                "count(*) OVER (ORDER BY {value} GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING)"
            ),
            "window.ntile" => format!("ntile(2) OVER (ORDER BY {value})"),
            _ => format!("row_number() OVER (ORDER BY {value})"),
        };
        format!("SELECT {value}, {function} FROM {from}{condition}")
    }

    fn grouping(&mut self, from: &str, condition: &str, scope: &[Item], depth: usize) -> String {
        let (one, two) = (
            self.present(Kind::Bool, scope),
            self.present(Kind::Int, scope),
        );
        let groups = match self.tape.production(&[
            "group.plain",
            "group.rollup",
            "group.cube",
            "group.sets",
            "group.distinct",
            "group.nested_sets",
        ]) {
            "group.rollup" => format!("ROLLUP ({one}, {two})"),
            "group.cube" => format!("CUBE ({one}, {two})"),
            "group.sets" => format!("GROUPING SETS (({one}, {two}), ({two}), ())"),
            "group.nested_sets" => format!("GROUPING SETS (ROLLUP ({one}, {two}), {two})"),
            "group.distinct" => format!("DISTINCT ROLLUP ({one}), CUBE ({one}, {two})"),
            _ => format!("{one}, {two}"),
        };
        let value = self.aggregate(Kind::Text, scope, scope);
        let filter = self.bool(scope, depth);
        format!(
            "SELECT {one}, {two}, grouping({one}), {value}, count(*) FILTER (WHERE {filter}) FROM {from}{condition} GROUP BY {groups}"
        )
    }
}
