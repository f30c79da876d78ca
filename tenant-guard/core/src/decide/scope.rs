//! Which names can be referred to, and which columns they have.
//!
//! This is needed because PostgreSQL reads `t.name` as the function call `name(t)` where `t` has no
//! column `name`: a qualified name is safe only if it is a column. A scope therefore shows at least
//! the items that PostgreSQL shows, and a name has to be a column of *every* item it could mean.

use crate::builtin::function_class;
use crate::facts::{Alias, FromFunction, Output, Select};
use crate::{Code, Ident, Policy, Refusal, TableName};

/// `MaxTupleAttributeNumber`, PostgreSQL `src/include/access/htup_details.h`.
const MAX_COLUMNS: usize = 1664;

/// The columns of something in `FROM`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Columns {
    Known(Vec<Ident>),
    /// Not known: no qualified reference to it is accepted.
    Unknown,
}

impl Columns {
    pub(super) fn of_alias(columns: &[Ident]) -> Self {
        if columns.is_empty() {
            Self::Unknown
        } else {
            Self::Known(columns.to_vec())
        }
    }

    /// With a column alias list: the first columns get the list's names.
    pub(super) fn renamed(self, aliases: &[Ident]) -> Self {
        match self {
            Self::Known(columns) => {
                let rest = columns.into_iter().skip(aliases.len());
                Self::Known(aliases.iter().cloned().chain(rest).collect())
            }
            Self::Unknown => Self::of_alias(aliases),
        }
    }

    /// With more columns behind these.
    pub(super) fn followed_by(self, added: &[Ident]) -> Self {
        match self {
            Self::Known(mut columns) => {
                columns.extend(added.iter().cloned());
                Self::Known(columns)
            }
            Self::Unknown => Self::Unknown,
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> Option<usize> {
        match self {
            Self::Known(columns) => Some(columns.len()),
            Self::Unknown => None,
        }
    }

    fn contains(&self, name: &Ident) -> bool {
        match self {
            Self::Known(columns) => columns.contains(name),
            Self::Unknown => false,
        }
    }
}

/// The `WITH` queries that a query sees, innermost last.
#[derive(Debug)]
pub(super) struct CteScope<'a> {
    outer: Option<&'a CteScope<'a>>,
    ctes: Vec<(Ident, Columns)>,
}

impl<'a> CteScope<'a> {
    pub(super) const EMPTY: &'static CteScope<'static> = &CteScope {
        outer: None,
        ctes: Vec::new(),
    };

    pub(super) fn within(outer: &'a CteScope<'a>) -> Self {
        Self {
            outer: Some(outer),
            ctes: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, name: Ident, columns: Columns) {
        self.ctes.push((name, columns));
    }

    pub(super) fn set(&mut self, index: usize, columns: Columns) {
        if let Some(cte) = self.ctes.get_mut(index) {
            cte.1 = columns;
        }
    }

    pub(super) fn find(&self, name: &Ident) -> Option<&Columns> {
        match self.ctes.iter().rev().find(|(cte, _)| cte == name) {
            Some((_, columns)) => Some(columns),
            None => self.outer?.find(name),
        }
    }
}

/// Something that columns can be qualified with.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) name: Option<Ident>,
    pub(super) columns: Columns,
    /// The table, where it is named as such: then `schema.table.column` is good.
    pub(super) plain_table: Option<TableName>,
    /// Whether it is a tenant table, restricted.
    pub(super) is_tenant_table: bool,
    /// Whether it is a table that becomes a sub-query and whose columns are renamed: the fields of
    /// its row, taken as one value, would have other names then.
    pub(super) row_is_renamed: bool,
}

impl Item {
    /// A row that the statement itself makes.
    pub(super) fn of_row(name: Ident, columns: Columns) -> Self {
        Self {
            name: Some(name),
            columns,
            plain_table: None,
            is_tenant_table: false,
            row_is_renamed: false,
        }
    }
}

/// The items of one query level and of those around it.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    outer: Option<&'a Scope<'a>>,
    items: Vec<Item>,
    /// The query of this level, whose results `ORDER BY` and its kin may name.
    select: Option<&'a Select>,
    /// Whether there may be names that are not known here.
    open: bool,
}

impl<'a> Scope<'a> {
    pub(super) fn new(outer: Option<&'a Scope<'a>>, items: Vec<Item>) -> Self {
        Self {
            outer,
            items,
            select: None,
            open: false,
        }
    }

    /// Of a query, whose results `ORDER BY` and its kin may name.
    pub(super) fn of(mut self, select: &'a Select) -> Self {
        self.select = Some(select);
        self
    }

    /// In which every plain name may be something.
    pub(super) fn opened(mut self) -> Self {
        self.open = true;
        self
    }

    pub(super) fn outer(&self) -> Option<&Scope<'a>> {
        self.outer
    }

    pub(super) fn items(&self) -> &[Item] {
        &self.items
    }

    pub(super) fn select(&self) -> Option<&Select> {
        self.select
    }

    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    pub(super) fn add(&mut self, item: Item) {
        self.items.push(item);
    }

    pub(super) fn add_derived(&mut self, alias: Option<&Alias>, columns: Columns) {
        let columns = match alias {
            Some(alias) => columns.renamed(&alias.columns),
            None => columns,
        };
        let name = alias.map(|alias| alias.name.clone());
        self.items.push(Item {
            name,
            columns,
            plain_table: None,
            is_tenant_table: false,
            row_is_renamed: false,
        });
    }

    /// A function, or several (`ROWS FROM`). Of the columns only those count that it has for sure, in
    /// their order.
    pub(super) fn add_function(&mut self, function: &FromFunction, policy: &Policy) {
        // A composite result has columns that are not known.
        self.open = true;
        let alias = function.alias.as_ref();
        let name = alias.map(|alias| &alias.name).or(function.names.first());
        // The one column of a plain result is called like the item, or among several like its
        // function.
        let mut columns: Vec<Ident> = match function.names.as_slice() {
            // What has definitions is a row of these. Among several functions it is not followed whose
            // they are.
            _ if !function.columns.is_empty() => Vec::new(),
            [called] => result_columns(called, name.unwrap_or(called), policy),
            several => several
                .iter()
                .flat_map(|called| result_columns(called, called, policy))
                .collect(),
        };
        columns.extend(function.columns.iter().cloned());
        columns.extend(function.ordinality.then(|| "ordinality".into()));
        let aliases = alias.map_or(&[][..], |alias| &alias.columns);
        self.items.push(Item {
            name: name.cloned(),
            columns: Columns::Known(columns).renamed(aliases),
            plain_table: None,
            is_tenant_table: false,
            row_is_renamed: false,
        });
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether a name of this level is a tenant table's.
    pub(super) fn is_tenant_table(&self, name: &Ident) -> bool {
        let mut items = self
            .items
            .iter()
            .filter(|item| item.name.as_ref() == Some(name));
        items.next().is_some_and(|item| item.is_tenant_table) && items.next().is_none()
    }

    /// All columns of the items added since there were `before`.
    pub(super) fn columns_since(&self, before: usize) -> Columns {
        let mut all = Vec::new();
        for item in self.items.iter().skip(before) {
            match &item.columns {
                Columns::Known(columns) => all.extend(columns.iter().cloned()),
                Columns::Unknown => return Columns::Unknown,
            }
        }
        Columns::Known(all)
    }

    /// All items that a qualifier could mean, from all levels.
    pub(super) fn named<'s>(&'s self, name: &'s Ident) -> Box<dyn Iterator<Item = &'s Item> + 's> {
        let here = self
            .items
            .iter()
            .filter(move |item| item.name.as_ref() == Some(name));
        match self.outer {
            Some(outer) => Box::new(here.chain(outer.named(name))),
            None => Box::new(here),
        }
    }

    /// Whether an unqualified name is the row of such a table; a column of the name comes first.
    pub(super) fn is_renamed_row(&self, name: &Ident) -> bool {
        let row = self
            .named(name)
            .next()
            .is_some_and(|item| item.row_is_renamed);
        row && !self.has_column(name)
    }

    fn has_column(&self, name: &Ident) -> bool {
        self.items.iter().any(|item| item.columns.contains(name))
            || self.outer.is_some_and(|outer| outer.has_column(name))
    }

    /// Whether `qualifier.name` is a column whatever the qualifier means.
    pub(super) fn is_column(&self, qualifier: &Ident, name: &Ident) -> bool {
        let mut items = self.named(qualifier).peekable();
        items.peek().is_some() && items.all(|item| item.columns.contains(name))
    }

    /// The columns of a select list.
    ///
    /// # Errors
    /// More columns than PostgreSQL has for a query: a chain of `SELECT *` over joins of the one
    /// before doubles them with each.
    pub(super) fn outputs(&self, outputs: &[Output]) -> Result<Columns, Refusal> {
        let mut columns = Vec::new();
        for output in outputs {
            match output {
                Output::Named(name) | Output::Column { name, .. } => columns.push(name.clone()),
                // Takes its place in the order, by a name that cannot be written.
                Output::Unnamed => columns.push(Ident::new("")),
                Output::Star { qualifier } => match self.star(qualifier.as_ref()) {
                    Columns::Known(starred) => columns.extend(starred),
                    Columns::Unknown => return Ok(Columns::Unknown),
                },
                Output::Fields => return Ok(Columns::Unknown),
            }
            if columns.len() > MAX_COLUMNS {
                return Err(Refusal::new(
                    Code::TooComplex,
                    "a query has more columns than PostgreSQL allows",
                    "name the columns that are needed",
                ));
            }
        }
        Ok(Columns::Known(columns))
    }

    fn star(&self, qualifier: Option<&Ident>) -> Columns {
        match qualifier {
            None => self.columns_since(0),
            Some(qualifier) => match self.named(qualifier).next() {
                Some(item) => item.columns.clone(),
                None => Columns::Unknown,
            },
        }
    }
}

/// The columns of a function's result, as far as they are known
/// (`pg_proc.proargnames`, PostgreSQL 15). What a function returns whose type depends on its
/// arguments can be a row of any type: it has none that is known.
fn result_columns(function: &Ident, own_name: &Ident, policy: &Policy) -> Vec<Ident> {
    if let Some(columns) = policy.function_columns(function) {
        // A built-in of the same name may be meant.
        let is_alone = function_class(function.as_str()).is_none();
        return if is_alone {
            columns.to_vec()
        } else {
            Vec::new()
        };
    }
    let names: &[&str] = match function.as_str() {
        "json_each" | "json_each_text" | "jsonb_each" | "jsonb_each_text" => &["key", "value"],
        "json_array_elements"
        | "json_array_elements_text"
        | "jsonb_array_elements"
        | "jsonb_array_elements_text" => &["value"],
        "pg_timezone_abbrevs" => &["abbrev", "utc_offset", "is_dst"],
        "pg_timezone_names" => &["name", "abbrev", "utc_offset", "is_dst"],
        "json_populate_record"
        | "json_populate_recordset"
        | "json_to_record"
        | "json_to_recordset"
        | "jsonb_populate_record"
        | "jsonb_populate_recordset"
        | "jsonb_to_record"
        | "jsonb_to_recordset"
        | "lower"
        | "unnest"
        | "upper" => &[],
        _ => return vec![own_name.clone()],
    };
    names.iter().map(|name| Ident::from(*name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(name: &str, columns: &[&str]) -> Item {
        Item {
            name: Some(name.into()),
            columns: Columns::Known(columns.iter().map(|column| Ident::from(*column)).collect()),
            plain_table: None,
            is_tenant_table: false,
            row_is_renamed: false,
        }
    }

    #[test]
    fn a_name_has_to_be_a_column_of_all_it_could_mean() {
        let outer = Scope::new(None, vec![item("t", &["id"])]);
        let inner = Scope::new(Some(&outer), vec![item("t", &["id", "title"])]);
        assert!(inner.is_column(&"t".into(), &"id".into()));
        assert!(!inner.is_column(&"t".into(), &"title".into()));
        assert!(!inner.is_column(&"u".into(), &"id".into()));
    }

    #[test]
    fn a_column_alias_hides_the_columns_it_renames() {
        let columns = Columns::Known(vec!["a".into(), "b".into()]).renamed(&["x".into()]);
        assert_eq!(columns, Columns::Known(vec!["x".into(), "b".into()]));
    }
}
