//! What is compared.

use std::sync::atomic::{AtomicI64, Ordering};

use serde::Serialize;

use crate::data::{ITEMS, LIST};

/// A unit of work, as a web request would do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Operation {
    PointSelect,
    List,
    Update,
    Insert,
    Transaction,
}

/// One statement with its only parameter.
pub(crate) struct Step {
    pub(crate) sql: &'static str,
    pub(crate) argument: i64,
}

const POINT: &str = "SELECT name, counter, payload FROM items WHERE id = $1";
const RANGE: &str = "SELECT id, name, counter FROM items WHERE id >= $1 ORDER BY id LIMIT 20";
const UPDATE: &str = "UPDATE items SET counter = counter + 1 WHERE id = $1";
const INSERT: &str = "INSERT INTO events (id, payload) VALUES ($1, 'something has happened')";

impl Operation {
    pub(crate) const ALL: [Self; 5] = [
        Self::PointSelect,
        Self::List,
        Self::Update,
        Self::Insert,
        Self::Transaction,
    ];

    /// All statements, to be prepared.
    pub(crate) const STATEMENTS: [&'static str; 4] = [POINT, RANGE, UPDATE, INSERT];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PointSelect => "point SELECT",
            Self::List => "list of 20",
            Self::Update => "UPDATE",
            Self::Insert => "INSERT",
            Self::Transaction => "transaction of 3",
        }
    }

    /// The statements of one run; more than one are a transaction.
    pub(crate) fn steps(self, count: u64) -> Vec<Step> {
        // Never given twice, so that no INSERT meets a row.
        static EVENT: AtomicI64 = AtomicI64::new(1);
        let spread = i64::try_from(count % 1_000_003).unwrap_or(0);
        let item = spread * 31 % ITEMS + 1;
        let step = |sql, argument| Step { sql, argument };
        let insert = || step(INSERT, EVENT.fetch_add(1, Ordering::Relaxed));
        match self {
            Self::PointSelect => vec![step(POINT, item)],
            Self::List => vec![step(RANGE, spread * 31 % (ITEMS - LIST) + 1)],
            Self::Update => vec![step(UPDATE, item)],
            Self::Insert => vec![insert()],
            Self::Transaction => vec![step(POINT, item), step(UPDATE, item), insert()],
        }
    }
}
