//! What a statement does to the rows it meets.

use crate::facts::{Body, Expressions, FromItem, Insert, InsertSource, Query, Select, Statement};

/// What a statement does to rows, as far as a driver has to know it.
///
/// On Citus (13.2) a write that waited on its own node for a shard to be split or moved goes on with
/// what it saw before, in which the rows' new place is empty. What that means for the answer depends on
/// this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Effect {
    /// It reads rows.
    Reads,
    /// It locks the rows that it gives, and changes none.
    Locks,
    /// It adds rows that it does not read from tables: what was there before does not matter to it, but
    /// for unique keys.
    Inserts,
    /// It is one `UPDATE` or `DELETE`: where it gives 0 rows, it has changed none.
    Changes,
    /// Anything else: it writes in several places, or writes what it has read. How many rows it gives says
    /// nothing of what it did.
    Several,
}

impl Effect {
    pub(crate) fn of(statement: &Statement, locks: bool) -> Self {
        let query = &statement.query;
        let writes_before = query.ctes.iter().any(|cte| is_write(&cte.query.body));
        match &query.body {
            _ if writes_before => Self::Several,
            Body::Select(_) | Body::SetOperation(_) if locks => Self::Locks,
            Body::Select(_) | Body::SetOperation(_) => Self::Reads,
            Body::Insert(insert) if query.ctes.is_empty() && !reads(insert) => Self::Inserts,
            Body::Update(_) | Body::Delete(_) => Self::Changes,
            Body::Insert(_) | Body::Merge(_) => Self::Several,
        }
    }
}

/// Whether a query of `WITH` writes. PostgreSQL allows that in the statement's own `WITH` list only.
fn is_write(body: &Body) -> bool {
    match body {
        Body::Select(_) | Body::SetOperation(_) => false,
        Body::Insert(_) | Body::Update(_) | Body::Delete(_) | Body::Merge(_) => true,
    }
}

/// Whether an `INSERT` reads a table.
fn reads(insert: &Insert) -> bool {
    let source = match &insert.source {
        InsertSource::DefaultValues(_) => false,
        InsertSource::Values { expressions, .. } => has_queries(expressions),
        InsertSource::Query(query) => reads_table(query),
    };
    source || has_queries(&insert.expressions) || has_queries(&insert.returning.expressions)
}

/// Whether a query names a table. One with a `WITH` list, of which names could be, counts as one.
fn reads_table(query: &Query) -> bool {
    let of_body = match &query.body {
        Body::Select(select) => select_reads(select),
        Body::SetOperation(operation) => {
            reads_table(&operation.left)
                || reads_table(&operation.right)
                || has_queries(&operation.expressions)
        }
        Body::Insert(_) | Body::Update(_) | Body::Delete(_) | Body::Merge(_) => true,
    };
    of_body || !query.ctes.is_empty()
}

fn select_reads(select: &Select) -> bool {
    select.from.iter().any(item_reads)
        || has_queries(&select.filter)
        || has_queries(&select.expressions)
}

fn item_reads(item: &FromItem) -> bool {
    match item {
        FromItem::Relation(_) => true,
        FromItem::Subquery { query, .. } => reads_table(query),
        FromItem::Function(function) => has_queries(&function.expressions),
        FromItem::Join(join) => {
            item_reads(&join.left) || item_reads(&join.right) || has_queries(&join.expressions)
        }
    }
}

fn has_queries(expressions: &Expressions) -> bool {
    !expressions.subqueries.is_empty()
}

#[cfg(test)]
#[cfg(feature = "pg-grammar")]
mod tests {
    use super::Effect::{self, Changes, Inserts, Locks, Reads, Several};
    use crate::{Guard, Policy, Table, Tenancy, TenantType};

    fn effect(sql: &str) -> Effect {
        let tasks = Table::distributed("tasks", "tenant_id", TenantType::Int8)
            .columns(["tenant_id", "id", "n"])
            .unique_key(["tenant_id", "id"]);
        let tenancy = Tenancy::builder().table(tasks).build().unwrap();
        let guard = Guard::new(tenancy, Policy::default());
        let guarded = guard.check(sql).unwrap();
        let draft = guard.draft(sql).unwrap();
        assert_eq!(draft.effect(), guarded.effect(), "{sql}");
        guarded.effect()
    }

    #[test]
    fn what_a_statement_does_to_rows_is_told() {
        let all = [
            (Reads, "SELECT id FROM tasks"),
            (Reads, "SELECT id FROM tasks UNION SELECT 1"),
            (Reads, "WITH a AS (SELECT id FROM tasks) SELECT id FROM a"),
            (Locks, "SELECT id FROM tasks FOR UPDATE SKIP LOCKED"),
            (Inserts, "INSERT INTO tasks (id) VALUES ($1), (2)"),
            (Inserts, "INSERT INTO tasks DEFAULT VALUES"),
            (
                Inserts,
                "INSERT INTO tasks (id) SELECT unnest($1::bigint[])",
            ),
            (
                Inserts,
                "INSERT INTO tasks (id) SELECT x FROM unnest($1::bigint[]) AS u (x) ON CONFLICT DO NOTHING",
            ),
            (Changes, "UPDATE tasks SET n = 1 WHERE id = 2 RETURNING id"),
            (
                Changes,
                "WITH a AS (SELECT id FROM tasks FOR UPDATE) DELETE FROM tasks USING a WHERE tasks.id = a.id",
            ),
            (
                Several,
                "WITH d AS (DELETE FROM tasks RETURNING id) SELECT id FROM d",
            ),
            (
                Several,
                "WITH d AS (DELETE FROM tasks RETURNING id) UPDATE tasks SET n = 1",
            ),
            (Several, "INSERT INTO tasks (id) SELECT id + 1 FROM tasks"),
            (
                Several,
                "INSERT INTO tasks (id) VALUES ((SELECT max(id) + 1 FROM tasks))",
            ),
            (
                Several,
                "INSERT INTO tasks (id) WITH a AS (SELECT 1 AS x) SELECT x FROM a",
            ),
            (
                Several,
                "MERGE INTO tasks USING (SELECT 1 AS x) AS s ON id = x WHEN MATCHED THEN DELETE",
            ),
        ];
        for (expected, sql) in all {
            assert_eq!(effect(sql), expected, "{sql}");
        }
    }
}
