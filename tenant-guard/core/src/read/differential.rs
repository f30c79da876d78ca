//! The two readers against each other: over the statements of the cases and pages of `tenant-guard`, and
//! over mutations of them, the reader without C makes the same facts or refuses.

use std::fmt::Debug;
use std::path::Path;

use crate::facts::{Body, Expressions, FromItem, InsertSource, MergeAction, Query, Statement};
use crate::{Code, Policy, Refusal};

use super::{pg, sqlparser};
use expression::expression;
use mutation::Mutator;
use written::written_statements;

mod expression;
#[path = "../../../tests/it/readers/mutation.rs"]
mod mutation;
#[path = "../../../tests/it/readers/written.rs"]
mod written;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn postgresql_s(sql: &str) -> Result<Statement, Refusal> {
    let mut facts = pg::facts(&pg::parse(sql, &Policy::default())?)?;
    sort_query(&mut facts.query);
    Ok(facts)
}

fn sqlparser_s(sql: &str) -> Result<Statement, Refusal> {
    let mut facts = sqlparser::read(sql, &Policy::default())?;
    sort_query(&mut facts.query);
    Ok(facts)
}

/// What is said of an expression is a set: the readers walk in different orders.
fn sort(expressions: &mut Expressions) {
    fn by_text<T: Debug>(items: &mut [T]) {
        items.sort_by_cached_key(|item| format!("{item:?}"));
    }
    let Expressions {
        columns,
        functions,
        constructors,
        casts,
        operators,
        fields,
        subqueries,
        assigns_element: _,
    } = expressions;
    subqueries.iter_mut().for_each(sort_query);
    by_text(columns);
    by_text(functions);
    by_text(constructors);
    by_text(casts);
    by_text(operators);
    by_text(fields);
    by_text(subqueries);
}

fn sort_query(query: &mut Query) {
    for cte in &mut query.ctes {
        sort_query(&mut cte.query);
        sort(&mut cte.expressions);
    }
    match &mut query.body {
        Body::Select(select) => {
            select.from.iter_mut().for_each(sort_from);
            sort(&mut select.filter);
            sort(&mut select.expressions);
        }
        Body::SetOperation(operation) => {
            sort_query(&mut operation.left);
            sort_query(&mut operation.right);
            sort(&mut operation.expressions);
        }
        Body::Insert(insert) => {
            match &mut insert.source {
                InsertSource::DefaultValues(_) => {}
                InsertSource::Values { expressions, .. } => sort(expressions),
                InsertSource::Query(query) => sort_query(query),
            }
            sort(&mut insert.expressions);
            sort(&mut insert.returning.expressions);
        }
        Body::Update(update) => {
            update.from.iter_mut().for_each(sort_from);
            sort(&mut update.filter);
            sort(&mut update.expressions);
            sort(&mut update.returning.expressions);
        }
        Body::Delete(delete) => {
            delete.using.iter_mut().for_each(sort_from);
            sort(&mut delete.filter);
            sort(&mut delete.returning.expressions);
        }
        Body::Merge(merge) => {
            sort_from(&mut merge.source);
            sort(&mut merge.filter);
            sort(&mut merge.returning.expressions);
            for arm in &mut merge.arms {
                sort(&mut arm.filter);
                match &mut arm.action {
                    MergeAction::DoNothing | MergeAction::Delete => {}
                    MergeAction::Update { expressions, .. }
                    | MergeAction::Insert { expressions, .. } => sort(expressions),
                }
            }
        }
    }
}

fn sort_from(item: &mut FromItem) {
    match item {
        FromItem::Relation(_) => {}
        FromItem::Subquery { query, .. } => sort_query(query),
        FromItem::Function(function) => sort(&mut function.expressions),
        FromItem::Join(join) => {
            sort_from(&mut join.left);
            sort_from(&mut join.right);
            sort(&mut join.expressions);
        }
    }
}

/// Whether the readers agree, or what they make of the statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Same,
    /// Only PostgreSQL's reader reads it.
    Refused,
    /// Neither reads it.
    Neither,
}

fn compare(sql: &str) -> Result<Verdict, String> {
    match (postgresql_s(sql), sqlparser_s(sql)) {
        (Ok(theirs), Ok(own)) if theirs == own => Ok(Verdict::Same),
        (Ok(theirs), Ok(own)) => Err(format!(
            "the facts differ for\n{sql}\n--- PostgreSQL's\n{theirs:#?}\n--- sqlparser's\n{own:#?}"
        )),
        (Ok(_), Err(_)) => Ok(Verdict::Refused),
        (Err(_), Err(_)) => Ok(Verdict::Neither),
        // libpg_query's tree is too deep to be decoded, not wrong.
        (Err(refusal), Ok(_)) if refusal.code() == Code::TooComplex => Ok(Verdict::Neither),
        (Err(refusal), Ok(own)) => Err(format!(
            "only sqlparser's reader reads\n{sql}\n--- PostgreSQL's: {refusal}\n--- sqlparser's\n{own:#?}"
        )),
    }
}

#[test]
fn the_readers_agree_on_every_statement_that_is_written_down() {
    let statements = written_statements(Path::new(ROOT));
    assert!(statements.len() > 250, "only {}", statements.len());
    let mut wrong = Vec::new();
    let (mut same, mut refused) = (0, Vec::new());
    for sql in &statements {
        match compare(sql) {
            Ok(Verdict::Same) => same += 1,
            Ok(Verdict::Refused) => refused.push(sql.as_str()),
            Ok(Verdict::Neither) => {}
            Err(difference) => wrong.push(difference),
        }
    }
    println!(
        "{same} the same, {} refused:\n{}",
        refused.len(),
        refused.join("\n---\n")
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let share = same * 100 / (same + refused.len());
    assert!(share >= 85, "only {share} % are read without C");
}

/// `READER_MUTATIONS` sets how many mutations are tried; the seed of a difference is printed.
#[test]
fn the_readers_agree_on_mutations_of_every_statement() {
    let statements = written_statements(Path::new(ROOT));
    let count: u64 = std::env::var("READER_MUTATIONS")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(10_000);
    let mut same = 0;
    let mut wrong = Vec::new();
    for seed in 0..count {
        let mutated = Mutator::new(seed).mutate(&statements);
        match compare(&mutated) {
            Ok(Verdict::Same) => same += 1,
            Ok(Verdict::Refused | Verdict::Neither) => {}
            Err(difference) => wrong.push(format!("seed {seed}: {difference}")),
        }
    }
    println!("{same} of {count} mutations are read by both");
    assert!(
        wrong.is_empty(),
        "{} differences:\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
    // Mutations that no reader reads prove nothing.
    assert!(
        same * 10 >= count,
        "only {same} of {count} are read by both"
    );
}

/// Operators without parentheses: most of what sqlparser reads otherwise is their order.
#[test]
fn the_readers_agree_on_operators_without_parentheses() {
    let mut same = 0;
    let mut wrong = Vec::new();
    for seed in 0..10_000 {
        let sql = format!("SELECT {} FROM tasks", expression(&mut Mutator::new(seed)));
        match compare(&sql) {
            Ok(Verdict::Same) => same += 1,
            Ok(Verdict::Refused | Verdict::Neither) => {}
            Err(difference) => wrong.push(format!("seed {seed}: {difference}")),
        }
    }
    println!("{same} expressions are read by both");
    assert!(
        wrong.is_empty(),
        "{} differences:\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
    assert!(same >= 2_000, "only {same} are read by both");
}
