//! Where a table of a join may stay a table, with its restriction in the `WHERE` of the query.
//!
//! A query that groups by a table's primary key may name the table's other columns, but those of a
//! sub-query never. So in a query with `GROUP BY` a table keeps its form where a condition on its rows
//! says the same in `WHERE` as it does before the join: on both sides of an inner join and on the
//! preserved side of an outer one. What needs a fence ([`super::loud`]) cannot keep its form.

use crate::facts::{ConditionSite, Grouping, Join, JoinKind, Relation, Select};
use crate::{Distribution, Table};

use super::loud::needs_fence;
use super::{Edit, Restriction};

/// The restrictions that go into a query's `WHERE`.
#[derive(Default)]
pub(super) struct Flat<'s> {
    /// Where they go; `None` where tables become sub-queries.
    site: Option<&'s ConditionSite>,
    restrictions: Vec<Restriction>,
}

impl<'s> Flat<'s> {
    pub(super) fn of(select: &'s Select) -> Self {
        Self {
            site: match select.grouping {
                Grouping::None => None,
                // A sub-query that is LATERAL computes of the table's rows, and only a sub-query of
                // the table's own can have `OFFSET 0`.
                Grouping::Plain | Grouping::Sets if needs_fence(select) => None,
                Grouping::Plain | Grouping::Sets => select.condition.as_ref(),
            },
            restrictions: Vec::new(),
        }
    }

    /// Walks one side of a join. An alias of the whole join hides the names of its tables.
    pub(super) fn side<T>(
        &mut self,
        join: &Join,
        side: Side,
        walk: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let preserved = match (join.kind, side) {
            (JoinKind::Inner, _)
            | (JoinKind::Left, Side::Left)
            | (JoinKind::Right, Side::Right) => true,
            (JoinKind::Left | JoinKind::Right | JoinKind::Full, _) => false,
        };
        let outer = self.site;
        self.site = outer.filter(|_| preserved && join.alias.is_none());
        let walked = walk(self);
        self.site = outer;
        walked
    }

    /// Takes a table in, where it may and has to stay one.
    pub(super) fn takes(
        &mut self,
        relation: &Relation,
        table: &Table,
        distribution: &Distribution,
    ) -> bool {
        let renamed = relation
            .alias
            .as_ref()
            .is_some_and(|alias| !alias.columns.is_empty());
        let keyed = !table.unique_keys().is_empty();
        if self.site.is_none() || !keyed || renamed || relation.sample_end.is_some() {
            return false;
        }
        self.restrictions.push(Restriction {
            qualifier: relation.reference_name().clone(),
            tenant_column: distribution.column.clone(),
            equal_to: None,
        });
        true
    }

    /// The edit that restricts the tables that were taken in.
    pub(super) fn condition(self) -> Option<Edit> {
        let site = self.site.filter(|_| !self.restrictions.is_empty())?;
        Some(Edit::Condition {
            site: site.clone(),
            restrictions: self.restrictions,
        })
    }
}

/// One of a join's two.
#[derive(Clone, Copy)]
pub(super) enum Side {
    Left,
    Right,
}
