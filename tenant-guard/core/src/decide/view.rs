//! Views: the name of one is replaced by its query, with each table in it restricted.
//!
//! A condition on the view's rows would be too late: `count(*) OVER ()` in the query would have
//! counted all tenants' rows.

use crate::facts::{Body, Relation};
use crate::{Code, Refusal, View};

use super::loud::Noise;
use super::relation::item;
use super::scope::{Columns, CteScope, Item};
use super::{Decider, Edit};

/// Views within views.
const MAX_DEPTH: usize = 8;

/// Views in one statement, also within others: a view that names another twice doubles them.
const MAX_VIEWS: usize = 256;

/// How far into views the walk is, and what was expanded so far.
#[derive(Debug, Default)]
pub(super) struct Expansions {
    depth: usize,
    views: usize,
    bytes: usize,
    pub(super) noise: Noise,
}

impl Expansions {
    pub(super) fn is_within_view(&self) -> bool {
        self.depth > 0
    }
}

impl Decider<'_> {
    /// A view that is read.
    pub(super) fn expand(&mut self, relation: &Relation, view: &View) -> Result<Item, Refusal> {
        if relation.span != relation.name_span || relation.sample_end.is_some() {
            return Err(Refusal::new(
                Code::RelationUse,
                format!(
                    "{} is a view, which has no ONLY, no * and no sample",
                    relation.name
                ),
                "name the view alone",
            )
            .at(relation.name_span.clone()));
        }
        let query = view.query();
        self.expansions.views += 1;
        self.expansions.bytes += query.len();
        self.expansions.depth += 1;
        if self.expansions.depth > MAX_DEPTH
            || self.expansions.views > MAX_VIEWS
            || self.expansions.bytes > self.policy.max_bytes
        {
            return Err(Refusal::new(
                Code::TooComplex,
                "the views of the statement are too many, too long, or nested too deeply",
                "name the tables, or views closer to them; a view that names itself has no query",
            )
            .at(relation.name_span.clone()));
        }
        let outside = std::mem::take(&mut self.edits);
        let depth = self.expansions.depth;
        let columns = self.definition(&query).map_err(|refusal| {
            // The refusal of a view within this one has its name already.
            let innermost = self.expansions.depth == depth;
            refusal.within(innermost.then_some(view.name()), relation.name_span.clone())
        })?;
        self.expansions.depth -= 1;
        let edits = std::mem::replace(&mut self.edits, outside);
        // A lock that would reach into the view is refused by it, before any table within.
        self.note_view(&relation.name_span);
        self.select_star(relation);
        self.edits.push(Edit::Expand {
            relation: relation.clone(),
            query,
            edits,
        });
        Ok(item(relation, columns))
    }

    /// The query of a view stands for itself: it sees no name of what is around it.
    fn definition(&mut self, query: &str) -> Result<Columns, Refusal> {
        let statement = (self.read_query)(query)?;
        let is_query = matches!(
            statement.query.body,
            Body::Select(_) | Body::SetOperation(_)
        );
        if !is_query || statement.max_param > 0 {
            return Err(Refusal::new(
                Code::RelationUse,
                "the definition is no query, or has parameters",
                "correct the view's definition in the tenancy",
            ));
        }
        self.expansions.noise.add(&statement.query, false);
        self.query(&statement.query, CteScope::EMPTY, None)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Code, Guard, Policy, Table, Tenancy, TenancyBuilder, TenantType, View};

    fn tenancy(views: impl IntoIterator<Item = View>) -> Tenancy {
        let tasks = Table::distributed("tasks", "tenant_id", TenantType::Int8);
        let builder = Tenancy::builder().table(tasks.columns(["tenant_id", "id"]));
        views
            .into_iter()
            .fold(builder, TenancyBuilder::view)
            .build()
            .unwrap()
    }

    fn code(guard: &Guard, sql: &str) -> Option<Code> {
        guard.check(sql).err().map(|refusal| refusal.code())
    }

    #[test]
    fn views_that_multiply_are_refused() {
        let doubling = (1..9).map(|level| {
            let below = level - 1;
            View::new(
                &format!("v{level}"),
                &format!("SELECT 1 AS x FROM v{below}, v{below} AS b, v{below} AS c"),
            )
        });
        let bottom = View::new("v0", "SELECT id FROM tasks");
        let guard = Guard::new(tenancy(doubling.chain([bottom])), Policy::default());
        assert_eq!(code(&guard, "SELECT 1 FROM v2"), None);
        assert_eq!(code(&guard, "SELECT 1 FROM v6"), Some(Code::TooComplex));
        assert_eq!(code(&guard, "SELECT 1 FROM v8"), Some(Code::TooComplex));
    }

    #[test]
    fn the_limits_are_what_is_still_accepted() {
        let nested = (1..9).map(|level| {
            let definition = format!("SELECT id FROM v{}", level - 1);
            View::new(&format!("v{level}"), &definition)
        });
        let bottom = View::new("v0", "SELECT id FROM tasks");
        let guard = Guard::new(tenancy(nested.chain([bottom])), Policy::default());
        assert_eq!(code(&guard, "SELECT id FROM v7"), None);
        assert_eq!(code(&guard, "SELECT id FROM v8"), Some(Code::TooComplex));

        let list = |views: usize| {
            let views: Vec<String> = (0..views).map(|view| format!("v0 AS a{view}")).collect();
            format!("SELECT 1 FROM {}", views.join(", "))
        };
        assert_eq!(code(&guard, &list(256)), None);
        assert_eq!(code(&guard, &list(257)), Some(Code::TooComplex));

        let definition = "SELECT id FROM tasks WHERE id <> 0";
        let of_bytes = |bytes| {
            let policy = Policy::default().max_bytes(bytes);
            Guard::new(tenancy([View::new("v0", definition)]), policy)
        };
        let accepted = of_bytes(definition.len());
        assert_eq!(code(&accepted, "SELECT id FROM v0"), None);
        let refused = of_bytes(definition.len() - 1);
        assert_eq!(code(&refused, "SELECT id FROM v0"), Some(Code::TooComplex));
    }

    #[test]
    fn long_views_are_refused_together() {
        let long = format!(
            "SELECT id FROM tasks WHERE id IN ({})",
            vec!["1"; 2_000].join(", ")
        );
        let policy = Policy::default().max_bytes(20_000);
        let guard = Guard::new(tenancy([View::new("long", &long)]), policy);
        assert_eq!(code(&guard, "SELECT 1 FROM long"), None);
        let four = "SELECT 1 FROM long, long AS b, long AS c, long AS d";
        assert_eq!(code(&guard, four), Some(Code::TooComplex));
    }

    #[test]
    fn a_small_stack_is_enough_for_the_deepest_views() {
        let nested = (1..8).map(|level| {
            let (open, close) = ("(SELECT ".repeat(20), ")".repeat(20));
            let definition = format!("SELECT {open}x{close} AS x FROM v{}", level - 1);
            View::new(&format!("v{level}"), &definition)
        });
        let bottom = View::new("v0", "SELECT id AS x FROM tasks");
        let guard = Guard::new(tenancy(nested.chain([bottom])), Policy::default());
        // A worker thread of tokio has 2 MiB.
        let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
        let sql = "SELECT x FROM v7";
        let found = thread
            .spawn(move || code(&guard, sql))
            .unwrap()
            .join()
            .unwrap();
        assert!(matches!(found, None | Some(Code::TooComplex)), "{found:?}");
    }
}
