//! Plain `SELECT`s and the lists of what they give.

use sqlparser::ast::{
    AccessExpr, Distinct, Expr, Select as WrittenSelect, SelectFlavor, SelectItem,
    SelectItemQualifiedWildcardKind, WildcardAdditionalOptions,
};

use crate::facts::{ColumnName, ConditionSite, Expressions, FromItem, Locking, Output, Select};
use crate::{Ident, Refusal};

use super::adapt::ABSENT;
use super::figured::Figured;
use super::keywords::Place;
use super::reader::Reader;

impl Reader<'_> {
    pub(super) fn select(&mut self, select: &WrittenSelect) -> Result<Select, Refusal> {
        let WrittenSelect {
            select_token: _,
            optimizer_hints,
            distinct,
            select_modifiers,
            top,
            top_before_distinct,
            projection,
            exclude,
            into,
            from,
            lateral_views,
            prewhere,
            selection,
            connect_by,
            group_by,
            cluster_by,
            distribute_by,
            sort_by,
            having,
            named_window,
            qualify,
            // Says something only where there is a QUALIFY.
            window_before_qualify: _,
            value_table_mode,
            flavor,
        } = select;
        let known = optimizer_hints.is_empty()
            && select_modifiers.is_none()
            && top.is_none()
            && !top_before_distinct
            && exclude.is_none()
            && lateral_views.is_empty()
            && prewhere.is_none()
            && connect_by.is_empty()
            && cluster_by.is_empty()
            && distribute_by.is_empty()
            && sort_by.is_empty()
            && qualify.is_none()
            && value_table_mode.is_none()
            && *flavor == SelectFlavor::Standard;
        self.absent(known, "this clause of a SELECT")?;
        self.absent(into.is_none(), "SELECT INTO")?;

        let mut expressions = Expressions::default();
        self.words("select")?;
        let has_list = !projection.is_empty();
        match distinct {
            None => {}
            Some(Distinct::All) => self.words("all")?,
            Some(Distinct::Distinct) => {
                self.absent(has_list, "DISTINCT of nothing")?;
                self.words("distinct")?;
            }
            Some(Distinct::On(items)) => {
                self.absent(has_list && !items.is_empty(), "DISTINCT ON nothing")?;
                self.words("distinct on")?;
                self.mark(b'(')?;
                self.expressions(items, &mut expressions)?;
                self.mark(b')')?;
            }
        }
        let outputs_start = has_list.then(|| self.start());
        let (outputs, first_output) = self.targets(projection, &mut expressions)?;
        let outputs_end = has_list.then(|| self.end());

        let mut items = Vec::new();
        if !from.is_empty() {
            self.words("from")?;
            items = self.table_list(from)?;
        }
        let mut filter = Expressions::default();
        let condition = self.condition(selection.as_ref(), &mut filter)?;
        let condition = match items.as_slice() {
            [FromItem::Relation(_)] => Some(condition),
            items => (has_list && !items.is_empty()).then_some(condition),
        };
        let grouping = self.group_by(group_by, &mut expressions)?;
        if let Some(having) = having {
            self.words("having")?;
            self.expression(having, &mut filter)?;
        }
        self.named_windows(named_window, &mut expressions)?;
        self.first_output = first_output;
        Ok(Select {
            from: items,
            outputs,
            filter,
            expressions,
            grouping,
            condition,
            outputs_start,
            outputs_end,
            locking: Locking::None,
        })
    }

    /// The `WHERE` that stands here, or the place for one.
    pub(super) fn condition(
        &mut self,
        selection: Option<&Expr>,
        filter: &mut Expressions,
    ) -> Result<ConditionSite, Refusal> {
        let Some(selection) = selection else {
            return Ok(ConditionSite::Missing(self.end()));
        };
        self.words("where")?;
        let start = self.start();
        self.expression(selection, filter)?;
        Ok(ConditionSite::Existing(start..self.end()))
    }

    /// A select or `RETURNING` list, and the name that its first column would have in a value's
    /// place.
    pub(super) fn targets(
        &mut self,
        items: &[SelectItem],
        into: &mut Expressions,
    ) -> Result<(Vec<Output>, Figured), Refusal> {
        let mut first_output = None;
        let outputs = self.list(items, |reader, item| {
            let (output, figured) = reader.output(item, into)?;
            first_output.get_or_insert(figured);
            Ok(output)
        })?;
        Ok((outputs, first_output.unwrap_or(Figured::Nothing)))
    }

    fn output(
        &mut self,
        item: &SelectItem,
        into: &mut Expressions,
    ) -> Result<(Output, Figured), Refusal> {
        match item {
            SelectItem::ExprWithAlias { expr: value, alias } if alias.value == ABSENT => {
                self.unnamed(value, into)
            }
            SelectItem::UnnamedExpr(value) => self.unnamed(value, into),
            SelectItem::ExprWithAlias { expr, alias } => {
                let columns = into.columns.len();
                self.expression(expr, into)?;
                let plain = plain_column(expr, into, columns);
                let place = if self.eat("as") {
                    Place::Label
                } else {
                    Place::BareLabel
                };
                self.absent(
                    place == Place::Label || !begins_operator(alias),
                    "this alias without AS",
                )?;
                let name = self.name(alias, place)?;
                let figured = Figured::Strong(name.clone());
                let output = match plain {
                    Some((qualifier, column)) => Output::Column {
                        qualifier,
                        column,
                        name,
                    },
                    None => Output::Named(name),
                };
                Ok((output, figured))
            }
            SelectItem::Wildcard(options) => {
                self.plain_star(options)?;
                let span = self.place();
                self.symbol("*")?;
                into.columns.push(ColumnName {
                    schema: None,
                    qualifier: None,
                    name: None,
                    span,
                });
                Ok((Output::Star { qualifier: None }, Figured::Nothing))
            }
            SelectItem::QualifiedWildcard(kind, options) => {
                self.plain_star(options)?;
                match kind {
                    SelectItemQualifiedWildcardKind::ObjectName(name) => {
                        let qualifier = self.whole_row(name, into)?;
                        let figured = Figured::Strong(qualifier.clone());
                        let qualifier = Some(qualifier);
                        Ok((Output::Star { qualifier }, figured))
                    }
                    SelectItemQualifiedWildcardKind::Expr(value) => {
                        let parenthesized = matches!(value, Expr::Nested(_) | Expr::Subquery(_));
                        self.absent(parenthesized, "the fields of this expression")?;
                        let figured = self.expression(value, into)?;
                        self.mark(b'.')?;
                        self.symbol("*")?;
                        Ok((Output::Fields, figured))
                    }
                }
            }
            SelectItem::ExprWithAliases { .. } => Err(self.unknown("this alias")),
        }
    }

    /// An entry without an alias.
    fn unnamed(
        &mut self,
        value: &Expr,
        into: &mut Expressions,
    ) -> Result<(Output, Figured), Refusal> {
        self.absent(!is_star(value), "a star in parentheses")?;
        let columns = into.columns.len();
        let figured = self.expression(value, into)?;
        let output = match plain_column(value, into, columns) {
            Some((qualifier, column)) => Output::Column {
                qualifier,
                name: column.clone(),
                column,
            },
            None if is_fields(value) => Output::Fields,
            None => figured.clone().into_output(),
        };
        Ok((output, figured))
    }

    /// A star without what other databases have behind it.
    fn plain_star(&self, options: &WildcardAdditionalOptions) -> Result<(), Refusal> {
        let WildcardAdditionalOptions {
            wildcard_token: _,
            opt_ilike,
            opt_exclude,
            opt_except,
            opt_replace,
            opt_rename,
            opt_alias,
        } = options;
        let plain = opt_ilike.is_none()
            && opt_exclude.is_none()
            && opt_except.is_none()
            && opt_replace.is_none()
            && opt_rename.is_none()
            && opt_alias.is_none();
        self.absent(plain, "this star")
    }
}

/// The column that an expression is, and nothing done to it: the one that was added to the first
/// `before`.
fn plain_column(value: &Expr, read: &Expressions, before: usize) -> Option<(Option<Ident>, Ident)> {
    match value {
        Expr::Nested(inner) => plain_column(inner, read, before),
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => match read.columns.get(before)? {
            ColumnName {
                schema: None,
                qualifier,
                name: Some(column),
                span: _,
            } => Some((qualifier.clone(), column.clone())),
            ColumnName { .. } => None,
        },
        _ => None,
    }
}

/// `(value).*`, in however many parentheses.
fn is_fields(value: &Expr) -> bool {
    match value {
        Expr::Nested(inner) => is_fields(inner),
        Expr::CompoundFieldAccess {
            root: _,
            access_chain,
        } => match access_chain.last() {
            Some(AccessExpr::Dot(Expr::Identifier(field))) => field.value == ABSENT,
            Some(AccessExpr::Dot(_) | AccessExpr::Subscript(_)) | None => false,
        },
        _ => false,
    }
}

/// `t.*`, in however many parentheses: PostgreSQL expands it all the same.
fn is_star(value: &Expr) -> bool {
    match value {
        Expr::Nested(inner) => is_star(inner),
        Expr::QualifiedWildcard(..) => true,
        _ => false,
    }
}

/// Whether a word behind an expression can begin an operator. PostgreSQL's grammar takes it for an alias
/// behind some expressions and not behind others (`a AT`, but not `a <= b AT`).
fn begins_operator(alias: &sqlparser::ast::Ident) -> bool {
    const WORDS: &[&str] = &[
        "and", "at", "between", "collate", "escape", "ilike", "in", "is", "isnull", "like", "not",
        "notnull", "operator", "or", "overlaps", "similar",
    ];
    alias.quote_style.is_none()
        && WORDS
            .iter()
            .any(|word| alias.value.eq_ignore_ascii_case(word))
}
