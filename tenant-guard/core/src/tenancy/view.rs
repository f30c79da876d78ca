//! One view of a tenancy.

use serde::{Deserialize, Serialize};

use super::migrations::split_statements;
use super::{Ident, TableName};

/// A view: the query that stands for its name.
///
/// A statement that names the view gets the query in its place, with each table in it restricted:
/// PostgreSQL does the same with a view's query, before it plans. The tables in it are then read
/// with the rights of whoever sends the statement, not with those of the view's owner, and
/// everything in it has to be allowed to a tenant's statement. Views cannot be written to or locked.
///
/// ```
/// use tenant_guard::{Guard, Policy, Table, Tenancy, TenantType, View};
///
/// let tenancy = Tenancy::builder()
///     .table(Table::distributed("tasks", "tenant_id", TenantType::Int8).columns(["tenant_id", "done"]))
///     .view(View::new("progress", "SELECT done, count(*) FROM tasks GROUP BY done").columns(["done", "n"]))
///     .build()?;
/// # #[cfg(feature = "pg-grammar")] {
/// let guarded = Guard::new(tenancy, Policy::default()).check("SELECT n FROM progress WHERE done")?;
/// assert_eq!(
///     guarded.text(),
///     "SELECT n FROM (SELECT * FROM (SELECT done, count(*) FROM \
///      (SELECT * FROM public.tasks WHERE tasks.tenant_id = $1) AS tasks GROUP BY done) \
///      AS progress(done, n)) AS progress WHERE done"
/// );
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    name: TableName,
    columns: Vec<Ident>,
    definition: String,
}

impl View {
    /// A view by the query behind `AS` in `CREATE VIEW`, or as `pg_get_viewdef` prints it. Without
    /// a schema it is in `public`.
    ///
    /// Names in the query without a schema are looked up along the tenancy's search path, and `*`
    /// means all columns that its tables have when a statement runs: write the columns out if
    /// tables have got more since the view was made.
    pub fn new(name: &str, definition: &str) -> Self {
        Self {
            name: TableName::new("public", name),
            columns: Vec::new(),
            definition: definition.to_owned(),
        }
    }

    /// Puts the view into a schema other than `public`.
    #[must_use]
    pub fn schema(mut self, schema: &str) -> Self {
        self.name.schema = schema.into();
        self
    }

    /// Gives the columns names of the view's own, as `CREATE VIEW v (a, b)` does: the first ones,
    /// in their order. Columns that are not named here keep the names that the query gives them.
    #[must_use]
    pub fn columns<C: Into<Ident>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.columns = columns.into_iter().map(Into::into).collect();
        self
    }

    /// The full name.
    pub fn name(&self) -> &TableName {
        &self.name
    }

    /// The names of the view's own for its columns; none where its query names them all.
    pub fn column_list(&self) -> &[Ident] {
        &self.columns
    }

    /// The query as it was given.
    pub fn definition(&self) -> &str {
        &self.definition
    }

    /// The query with the view's own names for its columns.
    pub(crate) fn query(&self) -> String {
        if self.columns.is_empty() {
            return self.definition.clone();
        }
        let columns: Vec<_> = self.columns.iter().map(Ident::quoted).collect();
        format!(
            "SELECT * FROM ({}) AS {}({})",
            self.definition,
            self.name.name.quoted(),
            columns.join(", ")
        )
    }

    /// The view with a query that can stand in parentheses: without a semicolon, and without
    /// comments around it. `None` where the text is not one statement.
    pub(super) fn normalized(self) -> Option<Self> {
        let statements = split_statements(&self.definition).ok()?;
        let [statement] = statements.as_slice() else {
            return None;
        };
        let definition = self.definition.get(statement.clone())?.to_owned();
        Some(Self { definition, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_is_one_statement_without_what_surrounds_it() {
        let view = View::new("v", "/* a */ SELECT ';' -- b\n ; -- c").normalized();
        assert_eq!(view.unwrap().definition(), "SELECT ';'");
        for wrong in ["", ";", "SELECT 1; SELECT 2", "SELECT '"] {
            assert_eq!(View::new("v", wrong).normalized(), None, "{wrong}");
        }
    }

    #[test]
    fn own_names_of_columns_stand_around_the_query() {
        let view = View::new("V", "SELECT 1").columns(["a", "order"]);
        assert_eq!(
            view.query(),
            "SELECT * FROM (SELECT 1) AS \"V\"(a, \"order\")"
        );
        assert_eq!(View::new("v", "SELECT 1").query(), "SELECT 1");
    }
}
