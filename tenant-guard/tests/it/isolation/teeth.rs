//! The oracle is judged: it has to flag guards that are broken.

use super::oracle::{Rewritten, Verdict};
use super::schema::{Column, Kind, Role, Schema, Table};
use super::statement::Statement;
use super::world::World;

/// A schema that is good for showing how a guard can be wrong.
pub(super) fn schema() -> Schema {
    let column = |name: &str, kind, role| Column {
        name: name.to_owned(),
        kind,
        role,
    };
    let table = |name: &str, of_tenants, columns| Table {
        name: name.to_owned(),
        of_tenants,
        columns,
    };
    let keys = || {
        vec![
            column("tenant_id", Kind::Bigint, Role::Tenant),
            column("id", Kind::Bigint, Role::Key),
        ]
    };
    let mut projects = keys();
    projects.push(column("title", Kind::Text, Role::Plain));
    let mut tasks = keys();
    tasks.push(column("parent_id", Kind::Bigint, Role::Parent(0)));
    tasks.push(column("title", Kind::Text, Role::Plain));
    tasks.push(column("digits", Kind::Digits, Role::Plain));
    tasks.push(column("points", Kind::Int, Role::Plain));
    let countries = vec![
        column("code", Kind::Digits, Role::Key),
        column("label", Kind::Text, Role::Plain),
        column("rank", Kind::Int, Role::NotNull),
    ];
    Schema {
        name: "public".to_owned(),
        tenant_column: "tenant_id".to_owned(),
        tenant_kind: Kind::Bigint,
        tables: vec![
            table("projects", true, projects),
            table("tasks", true, tasks),
            table("countries", false, countries),
        ],
    }
}

/// What a broken guard would make of a statement: its fault, the statement, the text.
const BROKEN: &[(&str, &str, &str)] = &[
    (
        "one table is forgotten",
        "SELECT t.title FROM tasks t JOIN projects p ON p.id = t.parent_id",
        "SELECT t.title FROM (SELECT * FROM tasks WHERE tenant_id = $1) t JOIN projects p ON p.id = t.parent_id",
    ),
    (
        "the condition on the nullable side stands in WHERE",
        "SELECT p.id, t.id FROM projects p LEFT JOIN tasks t ON t.parent_id = p.id",
        "SELECT p.id, t.id FROM projects p LEFT JOIN tasks t ON t.parent_id = p.id WHERE p.tenant_id = $1 AND t.tenant_id = $1",
    ),
    (
        "the condition on the preserved side stands in ON",
        "SELECT c.code, t.id FROM countries c RIGHT JOIN tasks t ON c.code = t.digits",
        "SELECT c.code, t.id FROM countries c RIGHT JOIN tasks t ON c.code = t.digits AND t.tenant_id = $1",
    ),
    (
        "parentheses are missing",
        "SELECT id FROM tasks WHERE points = 4 OR points = 2",
        "SELECT id FROM tasks WHERE points = 4 OR points = 2 AND tenant_id = $1",
    ),
    (
        "what the user wrote is trusted",
        "SELECT id FROM tasks WHERE tenant_id IN (1, 2)",
        "SELECT id FROM tasks WHERE tenant_id IN (1, 2)",
    ),
    (
        "a sub-query is forgotten",
        "SELECT id, (SELECT count(*) FROM projects) FROM tasks",
        "SELECT id, (SELECT count(*) FROM projects) FROM tasks WHERE tenant_id = $1",
    ),
    (
        "an aggregate counts all, and no row shows it",
        "SELECT max(id) FROM tasks HAVING count(*) > 5",
        "SELECT max(id) FROM tasks WHERE $1 = $1 HAVING count(*) > 5",
    ),
    (
        "a WITH query is taken for the table",
        "WITH tasks AS (SELECT * FROM tasks) SELECT title FROM tasks",
        "WITH tasks AS (SELECT * FROM tasks) SELECT title FROM tasks WHERE tenant_id = $1 OR $1 = 5",
    ),
    (
        "an UPDATE is not restricted",
        "UPDATE tasks SET points = 9 WHERE id = 3",
        "UPDATE tasks SET points = 9 WHERE id = 3 AND $1 = $1",
    ),
    (
        "a DELETE is restricted in its sub-query only",
        "DELETE FROM tasks WHERE id IN (SELECT id FROM tasks WHERE points > 2)",
        "DELETE FROM tasks WHERE id IN (SELECT id FROM tasks WHERE points > 2 AND tenant_id = $1)",
    ),
    (
        "a row is inserted for another tenant, and nothing tells",
        "INSERT INTO projects (id, title) VALUES (100, 'x')",
        "INSERT INTO projects (id, title, tenant_id) VALUES (100, 'x', $1 + 1)",
    ),
    (
        "an UPDATE does too little",
        "UPDATE tasks SET points = 9",
        "UPDATE tasks SET points = 9 WHERE tenant_id = $1 AND id <> 2",
    ),
    (
        "rows are changed by a WITH query that gives none of them",
        "WITH d AS (DELETE FROM tasks WHERE id = 2) SELECT 1",
        "WITH d AS (DELETE FROM tasks WHERE id = 2 AND $1 = $1) SELECT 1",
    ),
    (
        "a cast meets another tenant's word, and its error quotes it",
        "SELECT id FROM tasks WHERE digits::integer > 0",
        "SELECT id FROM tasks WHERE CASE WHEN digits::integer > 0 THEN tenant_id = $1 END",
    ),
    (
        "a division meets another tenant's zero",
        "SELECT id FROM tasks WHERE 10 / points > 0",
        "SELECT id FROM tasks WHERE CASE WHEN 10 / points > 0 THEN tenant_id = $1 END",
    ),
    (
        "rows come back twice",
        "SELECT id FROM tasks",
        "SELECT id FROM tasks WHERE tenant_id = $1 UNION ALL SELECT id FROM tasks WHERE tenant_id = $1 AND id = 1",
    ),
    (
        "an error is swallowed",
        "INSERT INTO projects (id) VALUES (1)",
        "INSERT INTO projects (id, tenant_id) VALUES (1, $1) ON CONFLICT DO NOTHING",
    ),
];

/// The faults that the oracle did not flag.
pub(super) async fn unflagged(world: &World<'_>) -> Vec<&'static str> {
    let mut unflagged = Vec::new();
    for (fault, sql, broken) in BROKEN {
        let statement = Statement::plain(sql);
        let guarded = world.guard.check(sql).expect("an accepted statement");
        let sound = world.judge(&statement).await;
        assert!(
            matches!(
                sound,
                Ok(Verdict::Equal | Verdict::BothFailed(_) | Verdict::PlanDependent)
            ),
            "{fault}: {sound:?}"
        );
        let tenant_param = broken.contains("$1").then_some(1);
        let text = (*broken).to_owned();
        let rewritten = Rewritten {
            text,
            tenant_param,
            ..Rewritten::from(&guarded)
        };
        if world.judge_rewritten(&statement, &rewritten).await.is_ok() {
            unflagged.push(*fault);
        }
    }
    unflagged
}

/// An accepted statement in which one table's restriction is made void: the tenant column is compared
/// with itself. `None` where the place is no restriction of a table.
pub(super) fn unrestricted(
    world: &World<'_>,
    statement: &Statement,
    place: usize,
) -> Option<Rewritten> {
    let guarded = world.guard.check(&statement.sql).ok()?;
    let mut rewritten = Rewritten::from(&guarded);
    let slots = guarded.tenant_param_slots();
    let index = place % slots.len().max(1);
    let slot = slots.get(index)?.clone();
    let before = guarded.text()[..slot.start].strip_suffix(" = ")?;
    let column = before[before.rfind(" WHERE ")? + 7..].to_owned();
    // A second condition of the same table may follow.
    let again = format!(" AND {column} = ANY(ARRAY[");
    let mut void = vec![slot.clone()];
    if guarded.text()[slot.end..].starts_with(&again) {
        void.push(slots.get(index + 1)?.clone());
    }
    for slot in void.into_iter().rev() {
        rewritten.text.replace_range(slot, &column);
    }
    Some(rewritten)
}
