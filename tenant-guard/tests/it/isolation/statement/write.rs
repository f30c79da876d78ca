//! `UPDATE`, `DELETE` and `MERGE`.

use super::super::schema::{Column, Kind, Role, Table, quoted};
use super::{Generator, Item};

impl Generator<'_, '_> {
    /// A `SET` list for some columns that are neither key nor tenant.
    pub(super) fn assignments(&mut self, table: &Table, scope: &[Item], depth: usize) -> String {
        let can_change =
            |column: &&Column| matches!(column.role, Role::Plain | Role::Default | Role::NotNull);
        let columns: Vec<Column> = table.columns.iter().filter(can_change).cloned().collect();
        if columns.is_empty() {
            return "id = 1000".to_owned();
        }
        let one = &columns[self.tape.choose(columns.len())];
        let two = columns.iter().find(|column| column.name != one.name);
        let name = quoted(&one.name);
        let value = self.assigned(one.kind, scope, depth);
        match (
            self.tape.production(&[
                "set.value",
                "set.value",
                "set.default",
                "set.tuple",
                "set.row",
                "set.query",
                "set.two",
                "set.subscript",
                "set.tenant",
            ]),
            two,
        ) {
            ("set.default", _) => format!("{name} = DEFAULT"),
            ("set.tuple" | "set.row", Some(two)) => {
                let row = self.tape.pick(&["", "ROW "]);
                let other = self.assigned(two.kind, scope, depth);
                format!("({name}, {}) = {row}({value}, {other})", quoted(&two.name))
            }
            ("set.query", Some(two)) => {
                let kinds = [one.kind, two.kind];
                let query = self.query(&kinds, scope, 1);
                let order = format!("SELECT * FROM ({query}) AS q ORDER BY 1, 2 LIMIT 1");
                format!("({name}, {}) = ({order})", quoted(&two.name))
            }
            ("set.two", Some(two)) => {
                let other = self.assigned(two.kind, scope, depth);
                format!("{name} = {value}, {} = {other}", quoted(&two.name))
            }
            ("set.subscript", _) if one.kind == Kind::Jsonb => format!("{name}['n'] = '1'"),
            ("set.subscript", _) if one.kind == Kind::Array => format!("{name}[2] = 5"),
            ("set.tenant", _) => {
                let tenant = quoted(&self.schema.tenant_column);
                let other = super::super::data::tenant_literal(self.schema.tenant_kind, 1);
                format!("{tenant} = {other}")
            }
            _ => format!("{name} = {value}"),
        }
    }

    /// A value to assign. Citus 13.2.2 crashes where it is a subscript and nothing else
    /// (`UPDATE tasks SET data = (data)['k']`), and with it every test on the same server.
    fn assigned(&mut self, kind: Kind, scope: &[Item], depth: usize) -> String {
        let value = self.value(kind, scope, depth);
        if value.ends_with(']') {
            format!("coalesce({value}, NULL)")
        } else {
            value
        }
    }

    /// A table to write to, as SQL names it, and how its columns are qualified.
    fn target(&mut self) -> (Table, String, String) {
        let table = self.tenant_table().clone();
        let name = self.table_name(&table);
        let only = if self.tape.one_in(6) {
            self.tape.note("write.only");
            "ONLY "
        } else {
            ""
        };
        if self.tape.one_in(2) {
            let alias = self.fresh("t");
            return (table, format!("{only}{name} AS {alias}"), alias);
        }
        let qualifier = quoted(&table.name);
        self.taken.insert(qualifier.clone());
        (table, format!("{only}{name}"), qualifier)
    }

    pub(super) fn update(&mut self) -> String {
        let (table, target, name) = self.target();
        let scope = vec![self.item(&table, name.clone())];
        match self.tape.production(&[
            "update.where",
            "update.all",
            "update.from_key",
            "update.from_constant",
            "update.subquery",
            "update.with",
        ]) {
            "update.all" => {
                let set = self.assignments(&table, &scope, 0);
                format!("UPDATE {target} SET {set}{}", self.returning(&table, &name))
            }
            // At most one row of the other table for each row.
            "update.from_key" => {
                let (from, other) = self.table();
                let link = self.qualified(Kind::Bigint, &scope).unwrap_or_default();
                let mut both = scope.clone();
                both.extend(other.iter().cloned());
                let set = self.assignments(&table, &both, 0);
                let condition = self.bool(&both, 0);
                let source = &other[0].name;
                let single = !other[0].columns.iter().any(|col| col.name == "lang");
                let rest = if single { "" } else { " AND false" };
                format!(
                    "UPDATE {target} SET {set} FROM {from} WHERE {source}.id = {link} AND ({condition}){rest} RETURNING {name}.*"
                )
            }
            // Which of several rows is met makes no difference.
            "update.from_constant" => {
                let (from, other) = self.from(&[], 1);
                let set = self.assignments(&table, &[], 0);
                let on = self.bool(&super::query::with(&scope, &other), 0);
                format!("UPDATE {target} SET {set} FROM {from} WHERE {on}")
            }
            "update.subquery" => {
                let set = self.assignments(&table, &scope, 1);
                let condition = self.bool(&scope, 2);
                format!(
                    "UPDATE {target} SET {set} WHERE {condition}{}",
                    self.returning(&table, &name)
                )
            }
            "update.with" => {
                let set = self.assignments(&table, &scope, 0);
                let query = self.query(&[Kind::Bigint], &[], 1);
                format!(
                    "WITH w (x) AS ({query}) UPDATE {target} SET {set} FROM w WHERE {name}.id = w.x AND false OR {name}.id IN (SELECT x FROM w)"
                )
            }
            _ => {
                let set = self.assignments(&table, &scope, 0);
                let condition = self.bool(&scope, 0);
                format!(
                    "UPDATE {target} SET {set} WHERE {condition}{}",
                    self.returning(&table, &name)
                )
            }
        }
    }

    pub(super) fn delete(&mut self) -> String {
        let (table, target, name) = self.target();
        let scope = vec![self.item(&table, name.clone())];
        match self.tape.production(&[
            "delete.where",
            "delete.all",
            "delete.using",
            "delete.subquery",
            "delete.by_own_key",
        ]) {
            "delete.all" => format!("DELETE FROM {target}{}", self.returning(&table, &name)),
            "delete.using" => {
                let (from, other) = self.from(&[], 1);
                let condition = self.bool(&super::query::with(&scope, &other), 1);
                format!("DELETE FROM {target} USING {from} WHERE {condition} RETURNING {name}.*")
            }
            "delete.subquery" => {
                let condition = self.bool(&scope, 2);
                format!(
                    "DELETE FROM {target} WHERE {condition}{}",
                    self.returning(&table, &name)
                )
            }
            "delete.by_own_key" => {
                let other = self.schema.qualified(&table);
                let predicate = self.tenant_predicate(&[self.item(&table, "i".to_owned())]);
                format!(
                    "DELETE FROM {target} WHERE {name}.id IN (SELECT i.id FROM {other} AS i WHERE {predicate})"
                )
            }
            _ => {
                let condition = self.bool(&scope, 0);
                format!(
                    "DELETE FROM {target} WHERE {condition}{}",
                    self.returning(&table, &name)
                )
            }
        }
    }

    /// Each row of the target meets one row of the source at most.
    pub(super) fn merge(&mut self) -> String {
        let table = self.tenant_table().clone();
        let name = self.table_name(&table);
        let (source, other) = self.table();
        let s = other[0].name.clone();
        let target = self.item(&table, "m".to_owned());
        let both = [target.clone(), other[0].clone()];
        let link = self.qualified(Kind::Bigint, &[target]).unwrap_or_default();
        let set = self.assignments(&table, &both, 0);
        let condition = self.bool(&both, 0);
        let columns: Vec<Column> = table
            .columns
            .iter()
            .filter(|column| matches!(column.role, Role::Key | Role::NotNull))
            .cloned()
            .collect();
        let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
        let values: Vec<String> = columns
            .iter()
            .map(|column| match column.kind {
                Kind::Bigint => format!("{s}.id + 100"),
                kind => format!(
                    "coalesce({}, {})",
                    self.constant(kind),
                    self.present(kind, &other)
                ),
            })
            .collect();
        let insert = format!(
            "WHEN NOT MATCHED THEN INSERT ({}) VALUES ({})",
            names.join(", "),
            values.join(", ")
        );
        let actions = match self.tape.production(&[
            "merge.update",
            "merge.delete",
            "merge.insert",
            "merge.update_insert",
            "merge.conditions",
            "merge.nothing",
        ]) {
            "merge.delete" => format!("WHEN MATCHED AND {condition} THEN DELETE"),
            "merge.insert" => insert,
            "merge.update_insert" => format!("WHEN MATCHED THEN UPDATE SET {set} {insert}"),
            "merge.conditions" => format!(
                "WHEN MATCHED AND ({condition}) THEN UPDATE SET {set} WHEN MATCHED THEN DELETE"
            ),
            "merge.nothing" => format!("WHEN MATCHED THEN DO NOTHING {insert}"),
            _ => format!("WHEN MATCHED THEN UPDATE SET {set}"),
        };
        format!("MERGE INTO {name} AS m USING {source} ON {s}.id = {link} {actions}")
    }
}
