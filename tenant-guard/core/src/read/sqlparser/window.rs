//! `ORDER BY`, windows and grouping.

use std::cmp::Ordering;

use sqlparser::ast::{
    Expr, GroupByExpr, NamedWindowDefinition, NamedWindowExpr, OrderBy, OrderByExpr, OrderByKind,
    OrderByOptions, OrderBySort, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowSpec,
    WindowType,
};

use crate::Refusal;
use crate::facts::{Expressions, Grouping};

use super::keywords::Place;
use super::reader::Reader;

impl Reader<'_> {
    pub(super) fn order_by(
        &mut self,
        order: &OrderBy,
        into: &mut Expressions,
    ) -> Result<(), Refusal> {
        let OrderBy { kind, interpolate } = order;
        self.absent(interpolate.is_none(), "INTERPOLATE")?;
        match kind {
            OrderByKind::Expressions(items) => self.order_by_list(items, into),
            OrderByKind::All(_) => Err(self.unknown("ORDER BY ALL")),
        }
    }

    pub(super) fn order_by_list(
        &mut self,
        items: &[OrderByExpr],
        into: &mut Expressions,
    ) -> Result<(), Refusal> {
        self.absent(!items.is_empty(), "an empty ORDER BY")?;
        self.words("order by")?;
        self.list(items, |reader, item| {
            let OrderByExpr {
                expr,
                options: OrderByOptions { sort, nulls_first },
                with_fill,
            } = item;
            reader.absent(with_fill.is_none(), "WITH FILL")?;
            reader.expression(expr, into)?;
            match sort {
                None => {}
                Some(OrderBySort::Asc) => reader.words("asc")?,
                Some(OrderBySort::Desc) => reader.words("desc")?,
                Some(OrderBySort::Using(_)) => return Err(reader.unknown("ORDER BY … USING")),
            }
            match nulls_first {
                None => Ok(()),
                Some(true) => reader.words("nulls first"),
                Some(false) => reader.words("nulls last"),
            }
        })?;
        Ok(())
    }

    /// What stands behind `OVER`.
    pub(super) fn window(
        &mut self,
        window: &WindowType,
        into: &mut Expressions,
    ) -> Result<(), Refusal> {
        match window {
            WindowType::NamedWindow(name) => self.name(name, Place::Column).map(drop),
            WindowType::WindowSpec(spec) => self.window_specification(spec, into),
        }
    }

    /// The `WINDOW` clause.
    pub(super) fn named_windows(
        &mut self,
        windows: &[NamedWindowDefinition],
        into: &mut Expressions,
    ) -> Result<(), Refusal> {
        if windows.is_empty() {
            return Ok(());
        }
        self.words("window")?;
        self.list(windows, |reader, window| {
            let NamedWindowDefinition(name, definition) = window;
            reader.name(name, Place::Column)?;
            reader.words("as")?;
            match definition {
                NamedWindowExpr::WindowSpec(spec) => reader.window_specification(spec, into),
                NamedWindowExpr::NamedWindow(_) => Err(reader.unknown("this window")),
            }
        })?;
        Ok(())
    }

    fn window_specification(
        &mut self,
        spec: &WindowSpec,
        into: &mut Expressions,
    ) -> Result<(), Refusal> {
        let WindowSpec {
            window_name,
            partition_by,
            order_by,
            window_frame,
        } = spec;
        self.mark(b'(')?;
        if let Some(name) = window_name {
            // These words begin a frame (`opt_existing_window_name`).
            let is_frame = ["partition", "range", "rows", "groups"];
            let is_frame = is_frame.iter().any(|word| self.sees(word));
            self.absent(!is_frame, "this window")?;
            self.name(name, Place::Column)?;
        }
        if !partition_by.is_empty() {
            self.words("partition by")?;
            self.expressions(partition_by, into)?;
        }
        if !order_by.is_empty() {
            self.order_by_list(order_by, into)?;
        }
        if let Some(frame) = window_frame {
            self.frame(frame, into)?;
        }
        self.mark(b')')
    }

    fn frame(&mut self, frame: &WindowFrame, into: &mut Expressions) -> Result<(), Refusal> {
        let WindowFrame {
            units,
            start_bound,
            end_bound,
        } = frame;
        let end = end_bound.as_ref().unwrap_or(&WindowFrameBound::CurrentRow);
        self.absent(is_forward(start_bound, end), "this window frame")?;
        self.words(match units {
            WindowFrameUnits::Rows => "rows",
            WindowFrameUnits::Range => "range",
            WindowFrameUnits::Groups => "groups",
        })?;
        match end_bound {
            None => self.bound(start_bound, into)?,
            Some(end) => {
                self.words("between")?;
                self.bound(start_bound, into)?;
                self.words("and")?;
                self.bound(end, into)?;
            }
        }
        if self.eat("exclude") {
            self.one_of(&["current row", "no others", "group", "ties"])?;
        }
        Ok(())
    }

    fn bound(&mut self, bound: &WindowFrameBound, into: &mut Expressions) -> Result<(), Refusal> {
        match bound {
            WindowFrameBound::CurrentRow => self.words("current row"),
            WindowFrameBound::Preceding(None) => self.words("unbounded preceding"),
            WindowFrameBound::Following(None) => self.words("unbounded following"),
            WindowFrameBound::Preceding(Some(offset)) => {
                self.expression(offset, into)?;
                self.words("preceding")
            }
            WindowFrameBound::Following(Some(offset)) => {
                self.expression(offset, into)?;
                self.words("following")
            }
        }
    }

    pub(super) fn group_by(
        &mut self,
        group_by: &GroupByExpr,
        into: &mut Expressions,
    ) -> Result<Grouping, Refusal> {
        match group_by {
            GroupByExpr::All(_) => Err(self.unknown("GROUP BY ALL")),
            GroupByExpr::Expressions(items, modifiers) => {
                self.absent(modifiers.is_empty(), "this GROUP BY")?;
                if items.is_empty() {
                    return Ok(Grouping::None);
                }
                self.words("group by")?;
                let kinds = self.list(items, |reader, item| reader.group(item, into))?;
                Ok(if kinds.contains(&Grouping::Sets) {
                    Grouping::Sets
                } else {
                    Grouping::Plain
                })
            }
        }
    }

    /// One entry of `GROUP BY`.
    fn group(&mut self, item: &Expr, into: &mut Expressions) -> Result<Grouping, Refusal> {
        let (words, sets) = match item {
            Expr::GroupingSets(sets) => ("grouping sets", sets),
            Expr::Cube(sets) => ("cube", sets),
            Expr::Rollup(sets) => ("rollup", sets),
            Expr::Tuple(items) if items.is_empty() => {
                self.mark(b'(')?;
                self.mark(b')')?;
                return Ok(Grouping::Sets);
            }
            item => {
                self.group_expression(item, into)?;
                return Ok(Grouping::Plain);
            }
        };
        self.words(words)?;
        self.mark(b'(')?;
        self.list(sets, |reader, set| {
            // sqlparser does not tell `a` from `(a)`.
            match set.as_slice() {
                [item] if !reader.sees_mark(b'(') => reader.group_expression(item, into),
                items => {
                    let is_set = words == "grouping sets";
                    reader.absent(is_set || !items.is_empty(), "an empty set here")?;
                    reader.mark(b'(')?;
                    reader.expressions(items, into)?;
                    reader.mark(b')')
                }
            }
        })?;
        self.mark(b')')?;
        Ok(Grouping::Sets)
    }

    /// An expression, which is no `CUBE (…)` or `ROLLUP (…)` here.
    fn group_expression(&mut self, item: &Expr, into: &mut Expressions) -> Result<(), Refusal> {
        let is_set = ["cube", "rollup", "grouping sets"];
        let is_set = is_set.iter().any(|word| self.sees(word));
        self.absent(!is_set, "a grouping set within another")?;
        self.expression(item, into)?;
        Ok(())
    }
}

/// Whether a frame does not end before it starts, which the grammar refuses.
fn is_forward(start: &WindowFrameBound, end: &WindowFrameBound) -> bool {
    let rank = |bound: &WindowFrameBound| match bound {
        WindowFrameBound::Preceding(None) => 0,
        WindowFrameBound::Preceding(Some(_)) => 1,
        WindowFrameBound::CurrentRow => 2,
        WindowFrameBound::Following(Some(_)) => 3,
        WindowFrameBound::Following(None) => 4,
    };
    let possible = rank(start) < 4 && rank(end) > 0;
    possible && rank(start).cmp(&rank(end)) != Ordering::Greater
}
