//! `INSERT` in all its forms.

use super::super::schema::{Column, Kind, Role, Table, quoted};
use super::{Generator, Item};

impl Generator<'_, '_> {
    /// The table with a column list in some order, and the columns: all that have no default, and
    /// some others, but never the tenant.
    pub(super) fn insert_target(&mut self, table: &Table) -> (String, Vec<Column>) {
        let mut columns = self.insert_columns(table);
        let middle = self.tape.choose(columns.len());
        columns.rotate_left(middle);
        let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
        (
            format!("{} ({})", self.table_name(table), names.join(", ")),
            columns,
        )
    }

    fn insert_columns(&mut self, table: &Table) -> Vec<Column> {
        let mut columns = Vec::new();
        for column in &table.columns {
            let given = match column.role {
                Role::Tenant | Role::Generated(_) => false,
                Role::Key | Role::NotNull => true,
                Role::Plain | Role::Default | Role::Parent(_) => !self.tape.one_in(4),
            };
            if given {
                columns.push(column.clone());
            }
        }
        columns
    }

    /// A value for a column of a new row. `id` says how the row is told from others.
    fn new_value(&mut self, column: &Column, id: &str, scope: &[Item]) -> String {
        match column.role {
            Role::Key if column.kind == Kind::Bigint => id.to_owned(),
            Role::Key => "'1'".to_owned(),
            // Mostly one that exists.
            Role::Parent(_) => self.tape.pick(&["1", "NULL::bigint", "2", "77"]).to_owned(),
            Role::Default if self.tape.one_in(3) && scope.is_empty() => {
                self.tape.note("insert.default");
                "DEFAULT".to_owned()
            }
            Role::NotNull => {
                let value = self.constant(column.kind);
                // NULL would be an error, as often as is of use.
                if value.starts_with("NULL") && !self.tape.one_in(3) {
                    format!("coalesce({value}, {})", self.column(column.kind, scope))
                } else {
                    value
                }
            }
            _ => self.value(column.kind, scope, 0),
        }
    }

    pub(super) fn insert(&mut self) -> String {
        let table = self.tenant_table().clone();
        let form = self.tape.production(&[
            "insert.values",
            "insert.values",
            "insert.rows",
            "insert.select",
            "insert.unnest",
            "insert.union",
            "insert.from_subquery",
            "insert.colliding",
            "insert.without_columns",
            "insert.default_values",
            "insert.overriding",
            "insert.tenant_given",
            "insert.aliased",
            "insert.query_in_values",
        ]);
        if form == "insert.default_values" {
            return format!("INSERT INTO {} DEFAULT VALUES", self.table_name(&table));
        }
        if form == "insert.without_columns" {
            return self.without_columns(&table);
        }
        let (mut target, columns) = self.insert_target(&table);
        if form == "insert.aliased" {
            target = target.replacen(" (", " AS n (", 1);
        }
        let source = self.insert_source(form, &table, &columns);
        if form == "insert.tenant_given" {
            let tenant = quoted(&self.schema.tenant_column);
            let value = super::super::data::tenant_literal(self.schema.tenant_kind, 1);
            target = target.replacen('(', &format!("({tenant}, "), 1);
            let source = source.replacen('(', &format!("({value}, "), 1);
            return format!("INSERT INTO {target} {source}");
        }
        let name = if form == "insert.aliased" {
            "n".to_owned()
        } else {
            quoted(&table.name)
        };
        let conflict = self.on_conflict(&table, &name);
        let returning = self.returning(&table, &name);
        format!("INSERT INTO {target} {source}{conflict}{returning}")
    }

    fn insert_source(&mut self, form: &str, table: &Table, columns: &[Column]) -> String {
        match form {
            "insert.rows" => {
                let rows: Vec<String> = ["200", "201", "2"]
                    .iter()
                    .take(2 + self.tape.choose(2))
                    .map(|id| self.row(columns, id, &[]))
                    .collect();
                format!("VALUES {}", rows.join(", "))
            }
            "insert.colliding" => format!("VALUES {}", self.row(columns, "1", &[])),
            "insert.overriding" => {
                format!(
                    "OVERRIDING USER VALUE VALUES {}",
                    self.row(columns, "300", &[])
                )
            }
            "insert.query_in_values" => {
                let name = self.table_name(table);
                format!(
                    "VALUES {}",
                    self.row(columns, &format!("(SELECT count(*) + 20 FROM {name})"), &[])
                )
            }
            "insert.select" => {
                let (from, scope) = self.from(&[], 1);
                let condition = self.bool(&scope, 1);
                let id = "(row_number() OVER () + 400)".to_string();
                // Values of the rows are for any row the same, so that it is no matter which gets
                // which number.
                let values = self.values(columns, &id, &[]);
                format!("SELECT {values} FROM {from} WHERE {condition}")
            }
            "insert.from_subquery" => {
                let (from, scope) = self.table();
                let condition = self.bool(&scope, 1);
                let id = format!("{}.id + 700", scope[0].name);
                let single = !scope[0].columns.iter().any(|col| col.name == "lang");
                let values = self.values(columns, &id, &scope);
                if single {
                    format!("SELECT {values} FROM {from} WHERE {condition}")
                } else {
                    format!("SELECT {values} FROM {from} WHERE {condition} AND false")
                }
            }
            "insert.unnest" => {
                let ids = self.push_param("int8[]", Some("{800,801,802}".to_owned()));
                let values = self.values(columns, &format!("unnest({ids}::bigint[])"), &[]);
                format!("SELECT {values}")
            }
            "insert.union" => {
                let (one, two) = (
                    self.values(columns, "900", &[]),
                    self.values(columns, "901", &[]),
                );
                format!("SELECT {one} UNION ALL SELECT {two}").replace("DEFAULT", "NULL")
            }
            _ => format!("VALUES {}", self.row(columns, "100", &[])),
        }
    }

    fn row(&mut self, columns: &[Column], id: &str, scope: &[Item]) -> String {
        let values: Vec<String> = columns
            .iter()
            .map(|column| self.new_value(column, id, scope))
            .collect();
        format!("({})", values.join(", "))
    }

    /// The values of a select list: `DEFAULT` is none.
    fn values(&mut self, columns: &[Column], id: &str, scope: &[Item]) -> String {
        let values: Vec<String> = columns
            .iter()
            .map(|column| match self.new_value(column, id, scope).as_str() {
                "DEFAULT" => self.constant(column.kind),
                value => format!("({value})::{}", column.kind.sql()),
            })
            .collect();
        values.join(", ")
    }

    /// All columns of the table but the tenant's, in its order, without naming them.
    fn without_columns(&mut self, table: &Table) -> String {
        let columns: Vec<&Column> = table
            .columns
            .iter()
            .filter(|column| column.role != Role::Tenant)
            .collect();
        let values: Vec<String> = columns
            .iter()
            .map(|column| match column.role {
                Role::Generated(_) => "DEFAULT".to_owned(),
                _ => self.new_value(column, "150", &[]),
            })
            .collect();
        format!(
            "INSERT INTO {} VALUES ({})",
            self.table_name(table),
            values.join(", ")
        )
    }

    fn on_conflict(&mut self, table: &Table, name: &str) -> String {
        let production = self.tape.production(&[
            "conflict.none",
            "conflict.none",
            "conflict.nothing",
            "conflict.nothing_of_key",
            "conflict.update",
            "conflict.update_where",
            "conflict.constraint",
            "conflict.update_query",
            "conflict.without_tenant",
        ]);
        let tenant = quoted(&self.schema.tenant_column);
        let keys: Vec<String> = table.keys().map(|column| quoted(&column.name)).collect();
        let key = format!("({tenant}, {})", keys.join(", "));
        let scope = [
            self.item(table, name.to_owned()),
            self.item(table, "excluded".to_owned()),
        ];
        let update = |set: String| format!(" ON CONFLICT {key} DO UPDATE SET {set}");
        match production {
            "conflict.nothing" => " ON CONFLICT DO NOTHING".to_owned(),
            "conflict.nothing_of_key" => format!(" ON CONFLICT {key} DO NOTHING"),
            "conflict.update" => update(self.assignments(table, &scope, 0)),
            "conflict.update_where" => {
                let set = self.assignments(table, &scope, 0);
                format!("{} WHERE {}", update(set), self.bool(&scope, 1))
            }
            "conflict.update_query" => update(self.assignments(table, &scope, 1)),
            "conflict.constraint" => {
                let set = self.assignments(table, &scope, 0);
                let constraint = quoted(&format!("{}_key", table.name));
                format!(" ON CONFLICT ON CONSTRAINT {constraint} DO UPDATE SET {set}")
            }
            "conflict.without_tenant" => {
                let set = self.assignments(table, &scope, 0);
                format!(" ON CONFLICT ({}) DO UPDATE SET {set}", keys.join(", "))
            }
            _ => String::new(),
        }
    }

    /// What a write gives back of the rows it wrote.
    pub(super) fn returning(&mut self, table: &Table, name: &str) -> String {
        let scope = [self.item(table, name.to_owned())];
        match self.tape.production(&[
            "returning.none",
            "returning.star",
            "returning.columns",
            "returning.query",
            "returning.whole_row",
            "returning.tenant",
        ]) {
            "returning.star" => " RETURNING *".to_owned(),
            "returning.columns" => {
                let value = self.value(Kind::Text, &scope, 0);
                format!(" RETURNING {value} AS c, {name}.id")
            }
            "returning.query" => {
                let value = self.scalar_subquery(Kind::Bigint, &scope, 1);
                format!(" RETURNING {name}.id, {value}")
            }
            "returning.whole_row" => match self.whole_row(&scope) {
                Some(row) => format!(" RETURNING to_jsonb({row})"),
                None => String::new(),
            },
            "returning.tenant" => format!(" RETURNING {}", quoted(&self.schema.tenant_column)),
            _ => String::new(),
        }
    }
}
