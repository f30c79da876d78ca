//! The columns of a row that `INSERT` or `MERGE` makes: the tenant column is added, never taken from
//! the statement.

use crate::facts::{InsertColumns, Relation, Span};
use crate::{Code, Distribution, Ident, Refusal, Table};

use super::{Edit, TenantValue};

pub(super) struct NewRow<'a> {
    pub(super) target: &'a Relation,
    pub(super) table: &'a Table,
    pub(super) distribution: &'a Distribution,
    /// What is put into the tenant column.
    pub(super) value: TenantValue,
}

impl NewRow<'_> {
    /// Adds the tenant column behind those that `width` values are for, where that is known.
    pub(super) fn with_tenant(
        &self,
        columns: &InsertColumns,
        width: Option<usize>,
    ) -> Result<Edit, Refusal> {
        let tenant_column = self.distribution.column.clone();
        match columns {
            InsertColumns::Listed { columns, end } => {
                self.check_tenant_column_missing(columns.iter())?;
                Ok(Edit::InsertColumn {
                    at: *end,
                    tenant_column,
                })
            }
            InsertColumns::Implied { at } => {
                let all = self.table.column_list();
                let meant = match width {
                    Some(width) => all.get(..width).ok_or_else(|| self.too_wide(width))?,
                    None => return Err(without_columns(self.target)),
                };
                let columns = meant.iter().map(|column| column.name.clone());
                let columns: Vec<Ident> = columns.collect();
                self.check_tenant_column_missing(columns.iter())?;
                Ok(Edit::InsertColumns {
                    at: *at,
                    columns,
                    tenant_column,
                })
            }
        }
    }

    /// The value of the tenant column, behind a row's last one.
    pub(super) fn value_at(&self, at: usize) -> Edit {
        Edit::InsertValue {
            at,
            value: self.value.clone(),
        }
    }

    /// A row of nothing but defaults, and the tenant.
    pub(super) fn of_defaults(&self, words: &Span) -> Edit {
        Edit::DefaultValues {
            words: words.clone(),
            tenant_column: self.distribution.column.clone(),
            value: self.value.clone(),
        }
    }

    fn too_wide(&self, width: usize) -> Refusal {
        let columns = self.table.column_list().len();
        Refusal::new(
            Code::InsertColumns,
            format!(
                "the INSERT has {width} values, but {} has {columns} columns",
                self.target.name
            ),
            "name the columns, without the tenant column",
        )
        .at(self.target.name_span.clone())
    }

    fn check_tenant_column_missing<'c>(
        &self,
        mut columns: impl Iterator<Item = &'c Ident>,
    ) -> Result<(), Refusal> {
        let tenant_column = &self.distribution.column;
        if columns.all(|column| column != tenant_column) {
            return Ok(());
        }
        Err(Refusal::new(
            Code::TenantColumnGiven,
            format!(
                "the INSERT gives {}.{tenant_column} itself, which could be another tenant's",
                self.target.name
            ),
            "name the columns without it and leave its values out: they are added",
        )
        .at(self.target.name_span.clone()))
    }
}

pub(super) fn without_columns(target: &Relation) -> Refusal {
    Refusal::new(
        Code::InsertColumns,
        "the INSERT does not name its columns, and which they are is not known",
        "write INSERT INTO table (columns, without the tenant column) …",
    )
    .at(target.name_span.clone())
}
