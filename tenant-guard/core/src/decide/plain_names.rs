//! Names that are surely no column: a slip that PostgreSQL would find when the statement is prepared.
//!
//! It has nothing to do with isolation, and is asked for by
//! [`Policy::refuse_unknown_columns`](crate::Policy::refuse_unknown_columns) alone. Whatever is not known
//! to the last name lets every name pass, so that no good statement is refused.

use crate::facts::{ColumnName, Output, Relation, Select};
use crate::{Code, Ident, Refusal, Table};

use super::Decider;
use super::scope::{Columns, Item, Scope};

/// Names that PostgreSQL, or a reader of its grammar, takes for something else than a column.
const NO_COLUMNS: [&str; 15] = [
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "localtime",
    "localtimestamp",
    "new",
    "old",
    "session_user",
    "system_user",
    "user",
];

impl Decider<'_> {
    /// A column that is named without its table.
    pub(super) fn check_plain_name(
        &self,
        column: &ColumnName,
        scope: &Scope<'_>,
    ) -> Result<(), Refusal> {
        let (None, Some(name)) = (&column.qualifier, &column.name) else {
            return Ok(());
        };
        if !self.policy.refuse_unknown_columns
            || self.loose_names
            || scope.may_be_plain_name(name, column.span.start)
        {
            return Ok(());
        }
        let tables = scope.tables_with_columns();
        let message = match tables.as_slice() {
            [] => format!("{name} is a column, and there is no table here that could have it"),
            [table] => format!("{table} has no column {name}"),
            tables => format!("none of {} has a column {name}", tables.join(", ")),
        };
        Err(no_such_column(message).at(column.span.clone()))
    }

    /// The columns that `INSERT`, `UPDATE` or `ON CONFLICT` names of its table.
    pub(super) fn check_own_columns(
        &self,
        names: &[Ident],
        table: &Table,
        target: &Relation,
    ) -> Result<(), Refusal> {
        if !self.policy.refuse_unknown_columns || table.column_list().is_empty() {
            return Ok(());
        }
        match names.iter().find(|name| !table.has_column(name.as_str())) {
            None => Ok(()),
            Some(name) => Err(
                no_such_column(format!("{} has no column {name}", target.name))
                    .at(target.name_span.clone()),
            ),
        }
    }
}

impl Scope<'_> {
    /// Whether a name without a table, at this byte, could be something that PostgreSQL finds.
    fn may_be_plain_name(&self, name: &Ident, at: usize) -> bool {
        NO_COLUMNS.contains(&name.as_str())
            || self.is_open()
            || self.items().iter().any(|item| may_have(item, name))
            || self
                .select()
                .is_some_and(|select| may_be_result(select, name, at))
            || self
                .outer()
                .is_some_and(|outer| outer.may_be_plain_name(name, at))
    }

    /// What a message lists.
    fn tables_with_columns(&self) -> Vec<&str> {
        let names = self.items().iter().filter_map(|item| item.name.as_ref());
        names
            .map(Ident::as_str)
            .filter(|name| !["excluded", "new", "old"].contains(name))
            .collect()
    }
}

fn may_have(item: &Item, name: &Ident) -> bool {
    // A table's name alone is its whole row.
    item.name.as_ref() == Some(name)
        || match &item.columns {
            Columns::Unknown => true,
            Columns::Known(columns) => {
                let unnamed = |column: &Ident| column.as_str().is_empty();
                columns.is_empty() || columns.iter().any(|own| own == name || unnamed(own))
            }
        }
}

/// `ORDER BY`, `GROUP BY` and `DISTINCT ON` may name what the select list gives; the list itself may not.
fn may_be_result(select: &Select, name: &Ident, at: usize) -> bool {
    let within_list = match (select.outputs_start, select.outputs_end) {
        (Some(start), Some(end)) => (start..end).contains(&at),
        (None, _) | (_, None) => false,
    };
    !within_list
        && select.outputs.iter().any(|output| match output {
            Output::Named(own) | Output::Column { name: own, .. } => own == name,
            Output::Unnamed | Output::Fields => true,
            // These are columns of what is in FROM.
            Output::Star { .. } => false,
        })
}

fn no_such_column(message: String) -> Refusal {
    Refusal::new(
        Code::NoSuchColumn,
        message,
        "check the spelling, or add the column with a migration",
    )
}

#[cfg(test)]
#[cfg(feature = "pg-grammar")]
mod tests {
    use crate::{Code, Guard, Policy, Tenancy};

    fn guard() -> Guard {
        let tenancy = Tenancy::from_sql(
            "CREATE TABLE tasks (tenant_id bigint, id bigint, title text, data jsonb,
               PRIMARY KEY (tenant_id, id));
             SELECT create_distributed_table('tasks', 'tenant_id');
             CREATE TABLE projects (tenant_id bigint, id bigint, name text, PRIMARY KEY (tenant_id, id));
             SELECT create_distributed_table('projects', 'tenant_id');",
        );
        Guard::new(tenancy.unwrap(), Policy::default().refuse_unknown_columns())
    }

    #[test]
    fn a_name_that_is_no_column_is_refused() {
        for (sql, message) in [
            ("SELECT titel FROM tasks", "tasks has no column titel"),
            (
                "SELECT id FROM tasks WHERE titel = $1",
                "tasks has no column titel",
            ),
            (
                "SELECT t.id FROM tasks t, projects WHERE titel = $1",
                "none of t, projects has a column titel",
            ),
            (
                "SELECT title FROM tasks t WHERE EXISTS (SELECT 1 FROM projects p WHERE named = title)",
                "p has no column named",
            ),
            (
                "WITH a AS (SELECT id FROM tasks), b AS (SELECT id FROM a) SELECT titel FROM b",
                "b has no column titel",
            ),
            (
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT titel FROM n",
                "n has no column titel",
            ),
            (
                "SELECT x.id FROM (SELECT id FROM tasks) x WHERE title = 'a'",
                "x has no column title",
            ),
            (
                "WITH x AS (SELECT id, title AS t FROM tasks) SELECT title FROM x",
                "x has no column title",
            ),
            (
                "SELECT title AS titel, lower(titel) FROM tasks",
                "tasks has no column titel",
            ),
            (
                "MERGE INTO tasks t USING projects p ON p.id = t.id WHEN MATCHED THEN UPDATE SET titel = 'a'",
                "tasks has no column titel",
            ),
            (
                "MERGE INTO tasks t USING projects p ON p.id = t.id WHEN NOT MATCHED THEN INSERT (id, titel) VALUES (p.id, 'a')",
                "tasks has no column titel",
            ),
            (
                "SELECT titel",
                "titel is a column, and there is no table here that could have it",
            ),
            (
                "INSERT INTO tasks (id, titel) VALUES (1, 'a')",
                "tasks has no column titel",
            ),
            (
                "INSERT INTO tasks (id, title) VALUES (1, 'a') ON CONFLICT (tenant_id, id) DO UPDATE SET titel = 'b'",
                "tasks has no column titel",
            ),
            ("UPDATE tasks SET titel = 'a'", "tasks has no column titel"),
            (
                "UPDATE tasks SET title = 'a' RETURNING titel",
                "tasks has no column titel",
            ),
            (
                "DELETE FROM tasks WHERE titel = 'a'",
                "tasks has no column titel",
            ),
        ] {
            let refusal = guard().check(sql).expect_err(sql);
            assert_eq!(
                (refusal.code(), refusal.message()),
                (Code::NoSuchColumn, message),
                "{sql}"
            );
        }
    }

    #[test]
    fn a_name_that_could_be_something_is_accepted() {
        for sql in [
            "SELECT tasks FROM tasks",
            "SELECT t FROM tasks t",
            "SELECT title AS heading FROM tasks ORDER BY heading",
            "SELECT DISTINCT ON (heading) title AS heading FROM tasks",
            "WITH RECURSIVE a AS (SELECT y FROM b), b (x) AS (SELECT 1, 2 AS y) SELECT y FROM a",
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SEARCH DEPTH FIRST BY i SET place SELECT place FROM n",
            "UPDATE tasks SET title = 'a' RETURNING old, new",
            "SELECT lower(title) FROM tasks GROUP BY lower ORDER BY lower",
            "SELECT id FROM tasks UNION SELECT id FROM projects ORDER BY id",
            "SELECT id AS x FROM tasks UNION SELECT id FROM projects ORDER BY x",
            "SELECT count FROM (SELECT count(*) FROM tasks) x",
            "SELECT \"?column?\" FROM (SELECT 1 FROM tasks) x",
            "SELECT value FROM tasks, jsonb_array_elements(data)",
            "SELECT n, ordinality FROM generate_series(1, 3) WITH ORDINALITY AS n",
            "SELECT a, id FROM tasks x (a)",
            "SELECT column1 FROM (VALUES (1)) x",
            "SELECT id, name FROM tasks JOIN projects USING (tenant_id, id)",
            "SELECT title FROM tasks WHERE EXISTS (SELECT 1 FROM projects WHERE name = title)",
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n",
            "WITH d AS (DELETE FROM tasks RETURNING id, title AS t) SELECT t FROM d",
            "INSERT INTO tasks (id, title) VALUES (1, DEFAULT) RETURNING id, title",
            "INSERT INTO tasks (id, title) SELECT id, name FROM projects",
            "INSERT INTO tasks (id) VALUES (1) ON CONFLICT (tenant_id, id) DO UPDATE SET title = excluded.title",
            "UPDATE tasks SET title = name FROM projects WHERE projects.id = tasks.id",
            "SELECT current_date, current_timestamp FROM tasks",
        ] {
            if let Err(refusal) = guard().check(sql) {
                panic!("{sql}: {refusal}");
            }
        }
    }

    #[test]
    fn columns_that_are_not_known_are_refused_where_that_is_asked_for() {
        let accepts = |policy: Policy, columns: &str| {
            let tenancy = Tenancy::from_sql(&format!(
                "CREATE TABLE tasks (tenant_id bigint, id bigint{columns});
                 SELECT create_distributed_table('tasks', 'tenant_id');"
            ));
            let guard = Guard::new(tenancy.unwrap(), policy);
            guard.check("UPDATE tasks SET titel = 'a'").is_ok()
        };
        assert!(accepts(Policy::default(), ""));
        assert!(!accepts(Policy::default().refuse_unknown_columns(), ""));
        assert!(accepts(
            Policy::default().refuse_unknown_columns(),
            ", titel text"
        ));
        // Nothing is known of such a table.
        let tasks = crate::Table::in_tenant_schema("tasks");
        let tenancy = Tenancy::builder().table(tasks).build().unwrap();
        let guard = Guard::new(tenancy, Policy::default().refuse_unknown_columns());
        assert!(guard.check("UPDATE tasks SET titel = 'a'").is_ok());
    }
}
