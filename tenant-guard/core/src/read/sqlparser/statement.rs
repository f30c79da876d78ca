//! Statements and queries: a closed list, each with all its clauses.

use sqlparser::ast::{
    Cte as WrittenCte, CteAsMaterialized, Fetch, LimitClause, LockClause, LockType, NonBlock,
    ObjectName, ObjectNamePart, Offset, OffsetRows, Query as WrittenQuery, SetExpr, SetOperator,
    SetQuantifier, Statement as WrittenStatement, Table, Values, With,
};

use crate::facts::{
    Body, ColumnName, ConditionSite, Cte, Expressions, FromItem, Grouping, Locking, Output, Query,
    Select, SetOperation, Statement,
};
use crate::{Code, Refusal};

use super::figured::Figured;
use super::keywords::Place;
use super::precedence::{Level, level};
use super::reader::Reader;

impl Reader<'_> {
    /// The statement that is all of the text.
    pub(super) fn statement(mut self, tree: &WrittenStatement) -> Result<Statement, Refusal> {
        let query = match tree {
            WrittenStatement::Query(query) => self.statement_query(query)?,
            WrittenStatement::Insert(_)
            | WrittenStatement::Update(_)
            | WrittenStatement::Delete(_)
            | WrittenStatement::Merge(_) => plain(self.written(tree)?),
            _ => {
                return Err(Refusal::new(
                    Code::StatementKind,
                    "only SELECT, INSERT, UPDATE, DELETE and MERGE can be restricted to a tenant",
                    "run statements that are not a tenant's with `unscoped`",
                ));
            }
        };
        self.at_end()?;
        Ok(Statement {
            query,
            max_param: self.max_param,
        })
    }

    /// A sub-query. The name of its first column is in `first_output` after it.
    pub(super) fn query(&mut self, query: &WrittenQuery) -> Result<Query, Refusal> {
        let read = self.statement_query(query)?;
        match &read.body {
            Body::Select(_) | Body::SetOperation(_) => Ok(read),
            Body::Insert(_) | Body::Update(_) | Body::Delete(_) | Body::Merge(_) => {
                Err(self.unknown("a write outside of WITH"))
            }
        }
    }

    /// A query where a write may stand too: the whole statement, or one of `WITH`.
    fn statement_query(&mut self, query: &WrittenQuery) -> Result<Query, Refusal> {
        self.nested(|reader| reader.whole_query(query))
    }

    fn whole_query(&mut self, query: &WrittenQuery) -> Result<Query, Refusal> {
        let WrittenQuery {
            with,
            body,
            order_by,
            limit_clause,
            fetch,
            locks,
            for_clause,
            settings,
            format_clause,
            pipe_operators,
        } = query;
        let known = for_clause.is_none()
            && settings.is_none()
            && format_clause.is_none()
            && pipe_operators.is_empty();
        self.absent(known, "this clause of a query")?;
        let mut ctes = Vec::new();
        if let Some(with) = with {
            ctes = self.with(with)?;
        }
        let mut read = self.body(body)?;
        if let SetExpr::Query(inner) = &**body {
            // The parentheses vanish, so that there can be but one clause of each kind.
            let has_tail = has_tail(query) || self.sees("limit all");
            let has_tail_inside = has_tail_within(inner) || self.limits_all;
            let twice = (with.is_some() && !read.ctes.is_empty()) || (has_tail && has_tail_inside);
            self.absent(
                !twice,
                "a clause of a query in parentheses and once more outside",
            )?;
        }
        if let Some(with) = with {
            read.recursive = with.recursive;
            read.ctes = ctes;
        }
        let tail = Tail {
            order_by: order_by.as_ref(),
            limit: limit_clause.as_ref(),
            fetch: fetch.as_ref(),
            locks,
        };
        self.limits_all = false;
        if has_tail(query) || self.sees("limit all") {
            self.tail(&tail, &mut read.body)?;
        }
        Ok(read)
    }

    fn with(&mut self, with: &With) -> Result<Vec<Cte>, Refusal> {
        let With {
            with_token: _,
            recursive,
            cte_tables,
        } = with;
        self.words("with")?;
        if *recursive {
            self.words("recursive")?;
        }
        self.absent(!cte_tables.is_empty(), "an empty WITH")?;
        self.list(cte_tables, |reader, cte| {
            let WrittenCte {
                alias,
                query,
                from,
                materialized,
                closing_paren_token: _,
            } = cte;
            reader.absent(from.is_none(), "this WITH query")?;
            let (name, columns) = reader.cte_alias(alias)?;
            reader.words("as")?;
            match materialized {
                None => {}
                Some(CteAsMaterialized::Materialized) => reader.words("materialized")?,
                Some(CteAsMaterialized::NotMaterialized) => reader.words("not materialized")?,
            }
            reader.mark(b'(')?;
            let query = reader.statement_query(query)?;
            reader.mark(b')')?;
            Ok(Cte {
                name,
                columns,
                query,
                added_columns: Vec::new(),
                expressions: Expressions::default(),
            })
        })
    }

    fn body(&mut self, body: &SetExpr) -> Result<Query, Refusal> {
        self.first_output = Figured::Nothing;
        match body {
            SetExpr::Select(select) => Ok(plain(Body::Select(Box::new(self.select(select)?)))),
            SetExpr::Query(query) => {
                self.mark(b'(')?;
                let query = self.query(query)?;
                self.mark(b')')?;
                Ok(query)
            }
            SetExpr::SetOperation {
                left,
                op,
                set_quantifier,
                right,
            } => {
                let operation =
                    self.nested(|reader| reader.set_operation(left, *op, *set_quantifier, right))?;
                self.first_output = Figured::Nothing;
                Ok(plain(Body::SetOperation(Box::new(operation))))
            }
            SetExpr::Values(values) => {
                let (select, _) = self.values(values)?;
                Ok(plain(Body::Select(Box::new(select))))
            }
            SetExpr::Insert(statement)
            | SetExpr::Update(statement)
            | SetExpr::Delete(statement)
            | SetExpr::Merge(statement) => {
                let body = self.written(statement)?;
                self.first_output = Figured::Nothing;
                Ok(plain(body))
            }
            SetExpr::Table(table) => {
                let select = self.table_query(table)?;
                Ok(plain(Body::Select(Box::new(select))))
            }
        }
    }

    /// An `INSERT`, `UPDATE`, `DELETE` or `MERGE` without its `WITH`.
    fn written(&mut self, statement: &WrittenStatement) -> Result<Body, Refusal> {
        match statement {
            WrittenStatement::Insert(insert) => Ok(Body::Insert(Box::new(self.insert(insert)?))),
            WrittenStatement::Update(update) => Ok(Body::Update(Box::new(self.update(update)?))),
            WrittenStatement::Delete(delete) => Ok(Body::Delete(Box::new(self.delete(delete)?))),
            WrittenStatement::Merge(merge) => Ok(Body::Merge(Box::new(self.merge(merge)?))),
            _ => Err(self.unknown("this kind of query")),
        }
    }

    fn set_operation(
        &mut self,
        left: &SetExpr,
        operator: SetOperator,
        quantifier: SetQuantifier,
        right: &SetExpr,
    ) -> Result<SetOperation, Refusal> {
        // INTERSECT binds tighter; all of them lean to the left.
        let tight = |operator: SetOperator| operator == SetOperator::Intersect;
        let binds = match left {
            SetExpr::SetOperation { op, .. } => tight(*op) || !tight(operator),
            _ => true,
        } && match right {
            SetExpr::SetOperation { op, .. } => tight(*op) && !tight(operator),
            _ => true,
        };
        self.absent(binds, "this order of set operations without parentheses")?;
        let left = self.arm(left)?;
        self.words(match operator {
            SetOperator::Union => "union",
            SetOperator::Except => "except",
            SetOperator::Intersect => "intersect",
            SetOperator::Minus => return Err(self.unknown("MINUS")),
        })?;
        match quantifier {
            SetQuantifier::None => {}
            SetQuantifier::All => self.words("all")?,
            SetQuantifier::Distinct => self.words("distinct")?,
            SetQuantifier::ByName | SetQuantifier::AllByName | SetQuantifier::DistinctByName => {
                return Err(self.unknown("BY NAME"));
            }
        }
        let right = self.arm(right)?;
        Ok(SetOperation {
            left,
            right,
            expressions: Expressions::default(),
        })
    }

    fn arm(&mut self, arm: &SetExpr) -> Result<Query, Refusal> {
        match arm {
            SetExpr::Select(_)
            | SetExpr::Query(_)
            | SetExpr::SetOperation { .. }
            | SetExpr::Values(_)
            | SetExpr::Table(_) => self.body(arm),
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                Err(self.unknown("this arm of a set operation"))
            }
        }
    }

    /// `VALUES`, with the byte behind each row's last value.
    pub(super) fn values(&mut self, values: &Values) -> Result<(Select, Vec<usize>), Refusal> {
        let Values {
            explicit_row,
            value_keyword,
            rows,
        } = values;
        self.absent(!explicit_row && !value_keyword, "this form of VALUES")?;
        self.words("values")?;
        let mut expressions = Expressions::default();
        let row_ends = self.list(rows, |reader, row| {
            reader.absent(!row.content.is_empty(), "an empty row")?;
            reader.mark(b'(')?;
            reader.expressions(&row.content, &mut expressions)?;
            let end = reader.end();
            reader.mark(b')')?;
            Ok(end)
        })?;
        let count = rows.first().map_or(0, |row| row.content.len());
        let outputs = (1..=count)
            .map(|number| Output::Named(format!("column{number}").into()))
            .collect();
        let select = Select {
            from: Vec::new(),
            outputs,
            filter: Expressions::default(),
            expressions,
            grouping: Grouping::None,
            condition: None,
            outputs_start: None,
            outputs_end: None,
            locking: Locking::None,
        };
        Ok((select, row_ends))
    }

    /// `TABLE name`
    fn table_query(&mut self, table: &Table) -> Result<Select, Refusal> {
        let Table {
            table_name,
            schema_name,
        } = table;
        let keyword = self.place();
        self.words("table")?;
        let parts = schema_name.iter().chain(table_name).cloned();
        let name = ObjectName(parts.map(ObjectNamePart::Identifier).collect());
        let mut relation = self.table_name(&name)?;
        relation.table_keyword = Some(keyword);
        let mut expressions = Expressions::default();
        // The grammar's own star, which stands nowhere.
        expressions.columns.push(ColumnName {
            schema: None,
            qualifier: None,
            name: None,
            span: 0..0,
        });
        Ok(Select {
            from: vec![FromItem::Relation(relation)],
            outputs: vec![Output::Star { qualifier: None }],
            filter: Expressions::default(),
            expressions,
            grouping: Grouping::None,
            condition: Some(ConditionSite::Missing(self.end())),
            outputs_start: None,
            outputs_end: None,
            locking: Locking::None,
        })
    }

    /// What follows a query, into what it says.
    fn tail(&mut self, tail: &Tail<'_>, body: &mut Body) -> Result<(), Refusal> {
        let expressions = match body {
            Body::Select(select) => &mut select.expressions,
            Body::SetOperation(operation) => &mut operation.expressions,
            Body::Insert(_) | Body::Update(_) | Body::Delete(_) | Body::Merge(_) => {
                return Err(self.unknown("this clause"));
            }
        };
        if let Some(order_by) = tail.order_by {
            self.order_by(order_by, expressions)?;
        }
        if let Some(limit) = tail.limit {
            self.limit(limit, tail.fetch.is_some(), expressions)?;
        } else if tail.fetch.is_none() && self.eat("limit all") {
            self.limits_all = true;
        }
        if let Some(fetch) = tail.fetch {
            self.fetch(fetch, expressions)?;
        }
        for lock in tail.locks {
            let locked = self.lock(lock)?;
            match body {
                Body::Select(select) => add_lock(&mut select.locking, locked),
                Body::SetOperation(_)
                | Body::Insert(_)
                | Body::Update(_)
                | Body::Delete(_)
                | Body::Merge(_) => {
                    return Err(self.unknown("a lock of this query"));
                }
            }
        }
        Ok(())
    }

    fn limit(
        &mut self,
        clause: &LimitClause,
        has_fetch: bool,
        into: &mut Expressions,
    ) -> Result<(), Refusal> {
        let (mut limit, mut offset) = match clause {
            LimitClause::LimitOffset {
                limit,
                offset,
                limit_by,
            } => {
                self.absent(limit_by.is_empty(), "LIMIT BY")?;
                (limit.as_ref(), offset.as_ref())
            }
            LimitClause::OffsetCommaLimit { .. } => return Err(self.unknown("LIMIT with a comma")),
        };
        self.absent(limit.is_none() || !has_fetch, "LIMIT and FETCH")?;
        let had_limit = limit.is_some();
        while limit.is_some() || offset.is_some() {
            if limit.is_none() && self.eat("limit all") {
                self.limits_all = true;
            } else if self.sees("offset") {
                let offset = offset.take().ok_or_else(|| self.lost())?;
                self.offset(offset, into)?;
            } else {
                let limit = limit.take().ok_or_else(|| self.lost())?;
                self.words("limit")?;
                self.expression(limit, into)?;
            }
        }
        if !had_limit && !has_fetch && self.eat("limit all") {
            self.limits_all = true;
        }
        Ok(())
    }

    fn offset(&mut self, offset: &Offset, into: &mut Expressions) -> Result<(), Refusal> {
        let Offset { value, rows } = offset;
        self.words("offset")?;
        let plain = *rows == OffsetRows::None || level(value) == Level::Primary;
        self.absent(plain, "an OFFSET of this many rows")?;
        self.expression(value, into)?;
        match rows {
            OffsetRows::None => Ok(()),
            OffsetRows::Row => self.words("row"),
            OffsetRows::Rows => self.words("rows"),
        }
    }

    fn fetch(&mut self, fetch: &Fetch, into: &mut Expressions) -> Result<(), Refusal> {
        let Fetch {
            with_ties,
            percent,
            quantity,
        } = fetch;
        self.absent(!percent, "FETCH of a percentage")?;
        self.words("fetch")?;
        self.one_of(&["first", "next"])?;
        if let Some(quantity) = quantity {
            self.absent(level(quantity) == Level::Primary, "FETCH of this many rows")?;
            self.expression(quantity, into)?;
        }
        self.one_of(&["row", "rows"])?;
        self.words(if *with_ties { "with ties" } else { "only" })
    }

    fn lock(&mut self, lock: &LockClause) -> Result<Locking, Refusal> {
        let LockClause {
            lock_type,
            of,
            nonblock,
        } = lock;
        self.one_of(match lock_type {
            LockType::Share => &["for share", "for key share"],
            LockType::Update => &["for update", "for no key update"],
        })?;
        let mut locked = Locking::All;
        if let Some(name) = of {
            self.words("of")?;
            let (names, _) = self.dotted(name, Place::Column)?;
            self.absent(names.len() == 1, "a lock of a table named with its schema")?;
            locked = Locking::Of(names);
        }
        match nonblock {
            None => {}
            Some(NonBlock::Nowait) => self.words("nowait")?,
            Some(NonBlock::SkipLocked) => self.words("skip locked")?,
        }
        Ok(locked)
    }
}

/// The clauses behind a query.
struct Tail<'q> {
    order_by: Option<&'q sqlparser::ast::OrderBy>,
    limit: Option<&'q LimitClause>,
    fetch: Option<&'q Fetch>,
    locks: &'q [LockClause],
}

fn has_tail(query: &WrittenQuery) -> bool {
    query.order_by.is_some()
        || query.limit_clause.is_some()
        || query.fetch.is_some()
        || !query.locks.is_empty()
}

/// Whether a query or one in its parentheses has such a clause.
fn has_tail_within(query: &WrittenQuery) -> bool {
    has_tail(query)
        || match &*query.body {
            SetExpr::Query(inner) => has_tail_within(inner),
            _ => false,
        }
}

fn add_lock(locking: &mut Locking, locked: Locking) {
    *locking = match (std::mem::replace(locking, Locking::None), locked) {
        (Locking::None, locked) => locked,
        (Locking::Of(mut all), Locking::Of(names)) => {
            all.extend(names);
            Locking::Of(all)
        }
        (before, Locking::None) => before,
        (Locking::All, _) | (_, Locking::All) => Locking::All,
    };
}

/// A query without `WITH`.
pub(super) fn plain(body: Body) -> Query {
    Query {
        recursive: false,
        ctes: Vec::new(),
        body,
    }
}
