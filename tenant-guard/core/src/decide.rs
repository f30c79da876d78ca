//! The rules: facts x tenancy x policy -> edits, or a refusal.
//!
//! No SQL text is handled here. The world is closed: what is not known is refused. A condition that
//! the user wrote is never looked at, so it can never be taken for a proof.

mod edit;
mod flat;
mod insert;
mod locks;
mod loud;
mod merge;
mod names;
mod new_row;
mod plain_names;
mod relation;
mod returning;
mod scope;
mod view;
mod write;

use crate::facts::{Body, Cte, Expressions, FromItem, Join, Query, Select, Statement};
use crate::{Access, Code, Effect, Ident, Policy, Refusal, Table, Tenancy};

pub(crate) use edit::{Edit, Restriction, TenantColumn, TenantValue};
use flat::{Flat, Side};
use locks::Locks;
pub(crate) use loud::Barrier;
use scope::{Columns, CteScope, Scope};
use view::Expansions;

/// What has to be done to a statement so that it sees one tenant only, and what it then touches.
#[derive(Debug)]
pub(crate) struct Decision {
    pub(crate) edits: Vec<Edit>,
    /// What each restriction needs so that it is evaluated first; see [`loud`].
    pub(crate) barrier: Barrier,
    pub(crate) access: Access,
    pub(crate) writes: bool,
    pub(crate) locks: bool,
    pub(crate) effect: Effect,
    /// The number of the tenant's parameter.
    pub(crate) tenant_param: u32,
}

/// Reads the query of a view.
pub(crate) type ReadQuery<'a> = &'a dyn Fn(&str) -> Result<Statement, Refusal>;

/// Applies the rules to a statement.
pub(crate) fn decide(
    statement: &Statement,
    tenancy: &Tenancy,
    policy: &Policy,
    read_query: ReadQuery<'_>,
) -> Result<Decision, Refusal> {
    let mut decider = Decider::new(tenancy, policy, read_query);
    decider.statement(&statement.query)?;
    decider.check_locks()?;
    let mut noise = decider.expansions.noise;
    noise.add(&statement.query, true);
    Ok(Decision {
        edits: decider.edits,
        barrier: noise.barrier(),
        access: decider.access,
        writes: decider.writes,
        locks: decider.locks.any,
        effect: Effect::of(statement, decider.locks.any),
        tenant_param: statement.max_param + 1,
    })
}

/// Walks one statement's facts and collects the edits.
struct Decider<'a> {
    tenancy: &'a Tenancy,
    policy: &'a Policy,
    edits: Vec<Edit>,
    access: Access,
    writes: bool,
    locks: Locks,
    /// Whether nothing is certain of names without a table.
    loose_names: bool,
    read_query: ReadQuery<'a>,
    expansions: Expansions,
}

impl<'a> Decider<'a> {
    fn new(tenancy: &'a Tenancy, policy: &'a Policy, read_query: ReadQuery<'a>) -> Self {
        Self {
            tenancy,
            policy,
            edits: Vec::new(),
            access: Access::Nothing,
            writes: false,
            locks: Locks::default(),
            loose_names: false,
            read_query,
            expansions: Expansions::default(),
        }
    }

    fn statement(&mut self, query: &Query) -> Result<(), Refusal> {
        match &query.body {
            Body::Select(select) if query.ctes.is_empty() => match self.only_table(select) {
                Some(table) => self.flat_select(select, table),
                None => self.query(query, CteScope::EMPTY, None).map(drop),
            },
            _ => self.query(query, CteScope::EMPTY, None).map(drop),
        }
    }

    /// The tenant table, where the whole statement is about exactly one.
    fn only_table(&self, select: &Select) -> Option<&'a Table> {
        let [FromItem::Relation(relation)] = select.from.as_slice() else {
            return None;
        };
        let schema = relation.schema.as_ref().map(Ident::as_str);
        let table = self.tenancy.resolve(schema, relation.name.as_str())?;
        let alone = select.expressions.subqueries.is_empty() && select.filter.subqueries.is_empty();
        // An alias that renames columns could give another column the tenant column's name.
        let renamed = relation
            .alias
            .as_ref()
            .is_some_and(|alias| !alias.columns.is_empty());
        let is_tenants = table.distribution().is_some() && !table.is_read_only();
        (alone && !renamed && is_tenants).then_some(table)
    }

    /// A statement of one table keeps its form and gets a condition: Citus plans this by its fast
    /// path, and the table's own properties (its primary key in `GROUP BY`) still count.
    fn flat_select(&mut self, select: &Select, table: &Table) -> Result<(), Refusal> {
        let ([FromItem::Relation(relation)], Some(condition)) =
            (select.from.as_slice(), &select.condition)
        else {
            return Err(unplaced());
        };
        let item = self.keep_and_restrict(relation, table, condition)?;
        let scope = Scope::new(None, vec![item]);
        self.note_locks(&select.locking, &scope);
        self.expressions(&select.filter, &scope, CteScope::EMPTY)?;
        let scope = scope.of(select);
        self.expressions(&select.expressions, &scope, CteScope::EMPTY)
    }

    /// A statement or sub-query; gives the columns of its result.
    fn query(
        &mut self,
        query: &Query,
        ctes: &CteScope<'_>,
        outer: Option<&Scope<'_>>,
    ) -> Result<Columns, Refusal> {
        let mut scope = CteScope::within(ctes);
        // A query may name a later one, of which only the renamed columns are known.
        self.loose_names |= query.recursive && query.ctes.len() > 1;
        if query.recursive {
            // Every query of WITH RECURSIVE sees all of them, itself too.
            for cte in &query.ctes {
                scope.add(cte.name.clone(), Columns::of_alias(&cte.columns));
            }
        }
        for (index, cte) in query.ctes.iter().enumerate() {
            self.expressions(
                &cte.expressions,
                &Scope::new(None, Vec::new()).opened(),
                &scope,
            )?;
            if query.recursive {
                let columns = self.recursive_cte(cte, index, &mut scope, outer)?;
                scope.set(index, columns.followed_by(&cte.added_columns));
            } else {
                let columns = self.query(&cte.query, &scope, outer)?;
                scope.add(cte.name.clone(), columns.renamed(&cte.columns));
            }
        }
        self.body(&query.body, &scope, outer)
    }

    /// A query of `WITH RECURSIVE`: inside it, its name has the columns of its first arm.
    fn recursive_cte(
        &mut self,
        cte: &Cte,
        index: usize,
        scope: &mut CteScope<'_>,
        outer: Option<&Scope<'_>>,
    ) -> Result<Columns, Refusal> {
        match &cte.query.body {
            Body::SetOperation(operation) if cte.query.ctes.is_empty() => {
                let columns = self
                    .query(&operation.left, scope, outer)?
                    .renamed(&cte.columns);
                scope.set(index, columns.clone());
                self.query(&operation.right, scope, outer)?;
                let empty = Scope::new(outer, Vec::new()).opened();
                self.expressions(&operation.expressions, &empty, scope)?;
                Ok(columns)
            }
            _ => Ok(self.query(&cte.query, scope, outer)?.renamed(&cte.columns)),
        }
    }

    fn body(
        &mut self,
        body: &Body,
        ctes: &CteScope<'_>,
        outer: Option<&Scope<'_>>,
    ) -> Result<Columns, Refusal> {
        match body {
            Body::Select(select) => self.select(select, ctes, outer),
            Body::SetOperation(operation) => {
                let columns = self.query(&operation.left, ctes, outer)?;
                self.query(&operation.right, ctes, outer)?;
                let scope = Scope::new(outer, Vec::new()).opened();
                self.expressions(&operation.expressions, &scope, ctes)?;
                Ok(columns)
            }
            Body::Insert(insert) => self.insert(insert, ctes, outer),
            Body::Update(update) => self.update(update, ctes, outer),
            Body::Delete(delete) => self.delete(delete, ctes, outer),
            Body::Merge(merge) => self.merge(merge, ctes, outer),
        }
    }

    fn select(
        &mut self,
        select: &Select,
        ctes: &CteScope<'_>,
        outer: Option<&Scope<'_>>,
    ) -> Result<Columns, Refusal> {
        let mut scope = Scope::new(outer, Vec::new());
        let mut flat = Flat::of(select);
        for item in &select.from {
            self.add_from_item(item, &mut scope, ctes, &mut flat)?;
        }
        self.edits.extend(flat.condition());
        self.note_locks(&select.locking, &scope);
        self.expressions(&select.filter, &scope, ctes)?;
        let scope = scope.of(select);
        self.expressions(&select.expressions, &scope, ctes)?;
        scope.outputs(&select.outputs)
    }

    /// A `FROM` or `USING` list. Items come into scope one by one; a join's condition is looked at
    /// when both its sides are there.
    fn add_from_list(
        &mut self,
        items: &[FromItem],
        scope: &mut Scope<'_>,
        ctes: &CteScope<'_>,
    ) -> Result<(), Refusal> {
        items
            .iter()
            .try_for_each(|item| self.add_from_item(item, scope, ctes, &mut Flat::default()))
    }

    fn add_from_item(
        &mut self,
        item: &FromItem,
        scope: &mut Scope<'_>,
        ctes: &CteScope<'_>,
        flat: &mut Flat<'_>,
    ) -> Result<(), Refusal> {
        match item {
            FromItem::Relation(relation) => {
                let item = self.read_relation(relation, ctes, flat)?;
                scope.add(item);
            }
            FromItem::Subquery { query, alias } => {
                let columns = self.query(query, ctes, Some(scope))?;
                scope.add_derived(alias.as_ref(), columns);
            }
            FromItem::Function(function) => {
                self.expressions(&function.expressions, scope, ctes)?;
                scope.add_function(function, self.policy);
            }
            FromItem::Join(join) => self.add_join(join, scope, ctes, flat)?,
        }
        Ok(())
    }

    fn add_join(
        &mut self,
        join: &Join,
        scope: &mut Scope<'_>,
        ctes: &CteScope<'_>,
        flat: &mut Flat<'_>,
    ) -> Result<(), Refusal> {
        let before = scope.len();
        for (side, item) in [(Side::Left, &join.left), (Side::Right, &join.right)] {
            flat.side(join, side, |flat| {
                self.add_from_item(item, scope, ctes, flat)
            })?;
        }
        self.expressions(&join.expressions, scope, ctes)?;
        if let Some(alias) = &join.alias {
            let columns = scope.columns_since(before);
            scope.add_derived(Some(alias), columns);
        }
        if let Some(alias) = &join.using_alias {
            scope.add_derived(Some(alias), Columns::Unknown);
        }
        Ok(())
    }

    /// Everything the expressions of one level name, and the queries in them.
    fn expressions(
        &mut self,
        expressions: &Expressions,
        scope: &Scope<'_>,
        ctes: &CteScope<'_>,
    ) -> Result<(), Refusal> {
        self.check_names(expressions, scope)?;
        expressions
            .subqueries
            .iter()
            .try_for_each(|query| self.query(query, ctes, Some(scope)).map(drop))
    }
}

/// The refusal for a table whose place could not be found in the text.
fn unplaced() -> Refusal {
    Refusal::new(
        Code::RelationUse,
        "the table stands in a place where it cannot be restricted",
        "write this part of the statement in a plainer way",
    )
}

#[cfg(test)]
#[cfg(feature = "pg-grammar")]
mod tests {
    use crate::{Access, Code, Guard, GuardedSql, Policy, Table, Tenancy, TenantType};

    fn guard(user_function: &str) -> Guard {
        let tasks = Table::distributed("tasks", "tenant_id", TenantType::Int8)
            .columns(["tenant_id", "id"])
            .unique_key(["tenant_id", "id"]);
        let tenancy = Tenancy::builder()
            .table(tasks)
            .table(Table::reference("countries").columns(["code"]))
            .user_function(user_function)
            .build()
            .unwrap();
        Guard::new(tenancy, Policy::default())
    }

    fn guarded(sql: &str) -> GuardedSql {
        guard("f").check(sql).unwrap()
    }

    /// PostgreSQL 15 has no such words, and calls a function of that name.
    #[test]
    fn a_word_of_the_grammar_can_be_a_function_of_the_schema_s_own() {
        let sql = "SELECT JSON_ARRAY(1, 2)";
        assert!(guard("json_object").check(sql).is_ok());
        let refusal = guard("json_array").check(sql).unwrap_err();
        assert_eq!(refusal.code(), Code::UnknownFunction);
    }

    #[test]
    fn what_is_touched_decides_where_a_statement_goes() {
        let is_tenant = |sql| matches!(guarded(sql).access(), Access::Tenant { .. });
        for sql in [
            "SELECT id FROM tasks",
            "SELECT 1 FROM tasks, countries",
            "SELECT 1 FROM countries, tasks",
            "SELECT code FROM countries WHERE EXISTS (SELECT 1 FROM tasks)",
            "DELETE FROM tasks",
        ] {
            assert!(is_tenant(sql), "{sql}");
        }
        for sql in [
            "SELECT code FROM countries",
            "SELECT 1 FROM countries a, countries b, pg_timezone_names",
        ] {
            assert_eq!(*guarded(sql).access(), Access::Reference, "{sql}");
        }
        for sql in ["SELECT now()", "SELECT name FROM pg_timezone_names"] {
            assert_eq!(*guarded(sql).access(), Access::Nothing, "{sql}");
        }
    }

    #[test]
    fn what_changes_something_is_a_write() {
        for sql in [
            "DELETE FROM tasks",
            "WITH d AS (DELETE FROM tasks RETURNING id) SELECT id FROM d",
            "SELECT nextval('s')",
            "SELECT nextval('s'), now()",
            "SELECT now(), nextval('s'), lower('a')",
            "UPDATE tasks SET id = id WHERE now() > $1",
        ] {
            assert!(guarded(sql).writes(), "{sql}");
        }
        for sql in ["SELECT now()", "SELECT id FROM tasks FOR UPDATE"] {
            assert!(!guarded(sql).writes(), "{sql}");
        }
        assert!(guarded("SELECT id FROM tasks FOR UPDATE").locks());
        assert!(!guarded("SELECT id FROM tasks").locks());
    }

    #[test]
    fn more_columns_than_postgresql_has_are_refused() {
        let numbers = |count: usize| vec!["1"; count].join(", ");
        let code = |sql: &str| guard("f").check(sql).err().map(|refusal| refusal.code());
        let most = format!("SELECT 1 FROM (SELECT {}) x", numbers(1664));
        assert_eq!(code(&most), None);
        let more = format!("SELECT 1 FROM (SELECT {}) x", numbers(1665));
        assert_eq!(code(&more), Some(Code::TooComplex));
        let doubled = format!(
            "SELECT 1 FROM (SELECT x.*, x.* FROM (SELECT {}) x) y",
            numbers(1000)
        );
        assert_eq!(code(&doubled), Some(Code::TooComplex));
    }

    #[test]
    fn a_hint_is_a_sentence() {
        let refusal = guard("f").check("SELECT pg_sleep(1)").unwrap_err();
        let hint = refusal.hint();
        assert!(
            hint.ends_with(|last: char| last.is_alphanumeric()),
            "{hint}"
        );
    }
}
